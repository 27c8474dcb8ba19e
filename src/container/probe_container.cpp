#include "container/probe_container.h"

#include <array>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <unistd.h>

#include "base/clock.h"
#include "container/engine_facts.h"
#include "container/talk.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "net/target.h"

namespace estiva::container {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kLabel = "io.estiva.probe";
constexpr std::size_t kBlock = 512;
constexpr milliseconds kRemoveTime{15'000};
// Where runc mounts what every container has.
const std::vector<std::string> kFolders = {"dev/", "etc/", "proc/", "sys/", "tmp/"};

// Of one line of JSON.
std::string member_of(std::string line, std::string_view name) {
  return TalkAnswer{0, std::move(line)}.member(name);
}

// The last line of the import's progress has the image's id: {"status":"sha256:..."}.
std::string image_of(const std::string& progress) {
  std::string id;
  for (std::size_t at = 0; at < progress.size();) {
    const std::size_t end = std::min(progress.find('\n', at), progress.size());
    const std::string status = member_of(progress.substr(at, end - at), "status");
    if (status.starts_with("sha256:")) id = status;
    at = end + 1;
  }
  return id;
}

void write_requests(format::JsonWriter& json, const ProbeRun& run) {
  json.key("DeviceRequests").begin_array();
  for (const DeviceRequest& request : run.requests) {
    json.begin_object().field("Driver", request.driver).field("Count", request.count);
    json.key("DeviceIDs").begin_array();
    for (const std::string& id : request.ids) json.value(id);
    json.end_array().key("Capabilities").begin_array();
    if (!request.capabilities.empty()) {
      json.begin_array();
      for (const std::string& capability : request.capabilities) json.value(capability);
      json.end_array();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

std::string creation(const std::string& image, const ProbeRun& run, const std::string& mark) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("Image", image).key("Cmd").begin_array();
  for (const std::string& word : run.command) json.value(word);
  json.end_array().key("Env").begin_array();
  for (const std::string& variable : run.environment) json.value(variable);
  json.end_array().key("Labels").begin_object().field(kLabel, mark).end_object();
  json.key("HostConfig").begin_object().field("NetworkMode", "none");
  if (!run.runtime.empty()) json.field("Runtime", run.runtime);
  json.key("Mounts").begin_array();
  for (const auto& [there, inside] : run.mounts) {
    json.begin_object().field("Type", "bind").field("Source", there).field("Target", inside);
    json.field("ReadOnly", true).end_object();
  }
  json.end_array();
  write_requests(json, run);
  json.end_object().end_object();
  return text;
}

// Podman's own API: where it speaks Docker's, CDI names are taken for paths of the host. The
// members are those of its pkg/specgen (4.0 to 5.x).
constexpr const char* kPodmanCreate = "/v4.0.0/libpod/containers/create";
std::string creation_of_podman(const std::string& image, const ProbeRun& run,
                               const std::string& mark) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("image", image).key("command").begin_array();
  for (const std::string& word : run.command) json.value(word);
  json.end_array().key("env").begin_object();
  for (const std::string& variable : run.environment) {
    const std::size_t end = std::min(variable.find('='), variable.size() - 1);
    json.field(variable.substr(0, end), variable.substr(end + 1));
  }
  json.end_object().key("labels").begin_object().field(kLabel, mark).end_object();
  json.key("netns").begin_object().field("nsmode", "none").end_object();
  if (!run.runtime.empty()) json.field("oci_runtime", run.runtime);
  json.key("mounts").begin_array();
  for (const auto& [there, inside] : run.mounts) {
    json.begin_object().field("type", "bind").field("source", there).field("destination", inside);
    json.key("options").begin_array().value("ro").value("rbind").end_array().end_object();
  }
  json.end_array().key("devices").begin_array();
  for (const DeviceRequest& request : run.requests)
    for (const std::string& id : request.ids) json.begin_object().field("path", id).end_object();
  json.end_array().end_object();
  return text;
}

std::string escaped(const std::string& filter) {
  return net::percent_encode(filter);
}

// A run that is younger may be under way in another process.
constexpr std::chrono::seconds kForgotten{600};

// What carries the label and was made before `before` (seconds of the Unix epoch).
void remove_labelled(const net::Endpoint& engine, std::string_view label, std::int64_t before) {
  Talk talk(engine, kRemoveTime);
  const std::string filter = escaped(fmt::format("{{\"label\":[\"{}\"]}}", label));
  const auto remove = [&](const std::string& list, std::string_view id_name, std::string_view path,
                          std::string_view how) {
    const auto listed = talk.say("GET", list + filter);
    if (!listed || !listed->is_good()) return;
    const auto tree = format::JsonTree::parse(listed->body);
    if (!tree) return;
    for (std::size_t i = 0; i < tree->root().size(); ++i) {
      const auto id = tree->root().at(i)[id_name].text();
      const auto made = tree->root().at(i)["Created"].signed_number();
      if (id && made.value_or(0) < before)
        (void)talk.say("DELETE", fmt::format("{}{}{}", path, escaped(std::string(*id)), how));
    }
  };
  remove("/containers/json?all=1&filters=", "Id", "/containers/", "?force=1&v=1");
  remove("/images/json?filters=", "Id", "/images/", "?force=1");
}

class Probe {
 public:
  Probe(const net::Endpoint& engine, const ProbeRun& run, const std::string& mark)
      : talk_(engine, run.limit), run_(run), mark_(mark) {}

  Result<ProbeEnd> all() {
    if (auto ok = import(); !ok) return Failure(ok.error());
    if (!end_.error.empty()) return end_;
    if (auto ok = create(); !ok) return Failure(ok.error());
    if (!end_.error.empty()) return end_;
    if (auto ok = start(); !ok) return Failure(ok.error());
    if (!end_.error.empty()) return end_;
    if (auto ok = wait(); !ok) return Failure(ok.error());
    return end_;
  }

 private:
  Result<void> import() {
    const std::string change = escaped(fmt::format("LABEL {}={}", kLabel, mark_));
    auto answer = talk_.say("POST", "/images/create?fromSrc=-&changes=" + change,
                            tar_of_folders(kFolders), "application/x-tar");
    if (!answer) return Failure(answer.error());
    image_ = image_of(answer->body);
    if (!answer->is_good() || image_.empty()) end_.error = answer->message();
    return {};
  }
  Result<void> create() {
    end_.step = ProbeEnd::Step::create;
    auto answer = run_.is_podman
                      ? talk_.say("POST", kPodmanCreate, creation_of_podman(image_, run_, mark_))
                      : talk_.say("POST", "/containers/create", creation(image_, run_, mark_));
    if (!answer) return Failure(answer.error());
    id_ = answer->member("Id");
    if (!answer->is_good() || id_.empty()) end_.error = answer->message();
    return {};
  }
  Result<void> start() {
    end_.step = ProbeEnd::Step::start;
    auto answer = talk_.say("POST", fmt::format("/containers/{}/start", id_));
    if (!answer) return Failure(answer.error());
    if (!answer->is_good()) end_.error = answer->message();
    return {};
  }
  Result<void> wait() {
    end_.step = ProbeEnd::Step::ran;
    auto answer = talk_.say("POST", fmt::format("/containers/{}/wait", id_));
    if (!answer) return Failure(answer.error());
    const auto tree = format::JsonTree::parse(answer->body);
    if (!answer->is_good() || !tree) {
      end_.error = answer->message();
      return {};
    }
    end_.exit_code = static_cast<int>(tree->root()["StatusCode"].signed_number().value_or(-1));
    const auto logs = talk_.say("GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1", id_));
    if (!logs) return Failure(logs.error());
    for (const std::string& line : parse_log(logs->body)) end_.output += line + "\n";
    return {};
  }

  Talk talk_;
  const ProbeRun& run_;
  const std::string& mark_;
  ProbeEnd end_;
  std::string image_, id_;
};

void put_octal(char* field, std::size_t size, unsigned value) {
  const std::string digits = fmt::format("{:0{}o}", value, size - 1);
  std::memcpy(field, digits.data(), size - 1);
}

}  // namespace

std::string tar_of_folders(const std::vector<std::string>& names) {
  // POSIX.1-1988 ustar: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1.
  std::string archive;
  for (const std::string& name : names) {
    std::array<char, kBlock> header{};
    std::memcpy(header.data(), name.data(), std::min<std::size_t>(name.size(), 99));
    put_octal(&header[100], 8, 0755);
    put_octal(&header[108], 8, 0);
    put_octal(&header[116], 8, 0);
    put_octal(&header[124], 12, 0);
    put_octal(&header[136], 12, 0);
    std::memset(&header[148], ' ', 8);
    header[156] = '5';
    std::memcpy(&header[257], "ustar\00000", 8);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put_octal(&header[148], 7, sum);
    archive.append(header.data(), header.size());
  }
  return archive.append(2 * kBlock, '\0');
}

Result<ProbeEnd> run_probe_container(const net::Endpoint& engine, const ProbeRun& run) {
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  const SteadyTime now = steady_now();
  const std::string mark = fmt::format("{}-{}", ::getpid(), now.ns);
  const std::int64_t today = wall_now().ns / 1'000'000'000;
  remove_labelled(engine, kLabel, today - kForgotten.count());
  auto end = Probe(engine, run, mark).all();
  remove_labelled(engine, fmt::format("{}={}", kLabel, mark), kAny);
  return end;
}

}  // namespace estiva::container
