#include "container/probe_container.h"

#include <array>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <unistd.h>

#include "base/clock.h"
#include "base/messages/container.h"
#include "container/engine_facts.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "net/fetch.h"
#include "net/target.h"

namespace estiva::container {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kLabel = "io.estiva.probe";
constexpr std::size_t kBlock = 512;
constexpr milliseconds kRemoveTime{15'000};
// Where runc mounts what every container has.
const std::vector<std::string> kFolders = {"dev/", "etc/", "proc/", "sys/", "tmp/"};

struct Answer {
  int status = 0;
  std::string body;
};

class Conversation {
 public:
  Conversation(const net::Endpoint& engine, milliseconds limit)
      : engine_(engine), deadline_(steady_now() + limit), limit_(limit) {}

  Result<Answer> say(std::string_view method, std::string target, std::string body = {},
                     std::string_view type = "application/json") {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - steady_now());
    if (left.count() <= 0)
      return fail(ErrorKind::timed_out, fmt::format(msg::kEngineSlow, limit_.count()));
    net::FetchLimits limits;
    limits.connect_time = limits.total_time = left;
    net::ClientRequest request;
    request.method = method;
    request.target = std::move(target);
    if (!body.empty()) request.headers.add("Content-Type", std::string(type));
    request.body = std::move(body);
    auto answer = net::fetch(engine_, request, limits);
    if (!answer) return Failure(answer.error());
    return Answer{answer->head.status, std::move(answer->body)};
  }

 private:
  const net::Endpoint& engine_;
  SteadyTime deadline_;
  milliseconds limit_;
};

bool is_good(const Answer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

// {"message": "..."} of an engine's error; else the body as it is.
std::string message_of(const Answer& answer) {
  const auto tree = format::JsonTree::parse(answer.body);
  if (tree) {
    if (const auto text = tree->root()["message"].text()) return std::string(*text);
  }
  return fmt::format("HTTP {}: {}", answer.status, answer.body.substr(0, 500));
}

std::string member_of(const std::string& json, std::string_view name) {
  const auto tree = format::JsonTree::parse(json);
  if (!tree) return {};
  return std::string(tree->root()[name].text().value_or(""));
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
  if (run.is_podman) {
    json.key("Devices").begin_array();
    for (const DeviceRequest& request : run.requests)
      for (const std::string& id : request.ids)
        json.begin_object().field("PathOnHost", id).end_object();
    json.end_array();
    return;
  }
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

std::string escaped(const std::string& filter) {
  return net::percent_encode(filter);
}

// A run that is younger may be under way in another process.
constexpr std::chrono::seconds kForgotten{600};

// What carries the label and was made before `before` (seconds of the Unix epoch).
void remove_labelled(const net::Endpoint& engine, std::string_view label, std::int64_t before) {
  Conversation talk(engine, kRemoveTime);
  const std::string filter = escaped(fmt::format("{{\"label\":[\"{}\"]}}", label));
  const auto remove = [&](const std::string& list, std::string_view id_name,
                          std::string_view path, std::string_view how) {
    const auto listed = talk.say("GET", list + filter);
    if (!listed || !is_good(*listed)) return;
    const auto tree = format::JsonTree::parse(listed->body);
    if (!tree) return;
    for (std::size_t i = 0; i < tree->root().size(); ++i) {
      const auto id = tree->root().at(i)[id_name].text();
      const auto made = tree->root().at(i)["Created"].signed_number();
      if (id && made.value_or(0) < before) (void)talk.say("DELETE", fmt::format("{}{}{}", path, escaped(std::string(*id)), how));
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
    if (!is_good(*answer) || image_.empty()) end_.error = message_of(*answer);
    return {};
  }
  Result<void> create() {
    end_.step = ProbeEnd::Step::create;
    auto answer = talk_.say("POST", "/containers/create", creation(image_, run_, mark_));
    if (!answer) return Failure(answer.error());
    id_ = member_of(answer->body, "Id");
    if (!is_good(*answer) || id_.empty()) end_.error = message_of(*answer);
    return {};
  }
  Result<void> start() {
    end_.step = ProbeEnd::Step::start;
    const SteadyTime begun = steady_now();
    auto answer = talk_.say("POST", fmt::format("/containers/{}/start", id_));
    if (!answer) return Failure(answer.error());
    end_.start_time = std::chrono::duration_cast<milliseconds>(steady_now() - begun);
    if (!is_good(*answer)) end_.error = message_of(*answer);
    return {};
  }
  Result<void> wait() {
    end_.step = ProbeEnd::Step::ran;
    auto answer = talk_.say("POST", fmt::format("/containers/{}/wait", id_));
    if (!answer) return Failure(answer.error());
    const auto tree = format::JsonTree::parse(answer->body);
    if (!is_good(*answer) || !tree) {
      end_.error = message_of(*answer);
      return {};
    }
    end_.exit_code = static_cast<int>(tree->root()["StatusCode"].signed_number().value_or(-1));
    const auto logs = talk_.say("GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1", id_));
    if (!logs) return Failure(logs.error());
    for (const std::string& line : parse_log(logs->body)) end_.output += line + "\n";
    return {};
  }

  Conversation talk_;
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
