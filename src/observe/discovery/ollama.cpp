#include "observe/discovery/ollama.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/messages/observe_discovery.h"
#include "format/gguf.h"
#include "format/json_writer.h"
#include "format/ollama.h"
#include "host/file_source.h"
#include "host/folder.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestManifest = 1 << 20, kMostManifests = 4096;
constexpr std::uint16_t kOllamaPort = 11434;
// estiva's gateway speaks Ollama's API: who has set OLLAMA_HOST to it does not look for its models.
constexpr std::uint16_t kOurGateway = 7701;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void show(const net::Endpoint& at, const LocalAsk& ask, FoundOllamaModel& model) {
  std::string question;
  format::JsonWriter(question).begin_object().field("model", model.name).end_object();
  if (const auto answer = ask.post(at, "/api/show", question))
    format::read_ollama_show(answer->body, model.file);
}

Result<ModelFile> read_blob(const host::Root& root, const std::string& path) {
  const UniqueFd fd(root.open_at(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno(path, errno);
  return format::read_gguf(host::FileSource(fd.get()), static_cast<std::uint64_t>(info.st_size));
}

// Every manifest below a folder, "registry.ollama.ai/library/qwen2.5/7b".
void list_manifests(const host::Root& root, const std::string& folder, const std::string& below,
                    int depth, std::vector<std::string>& paths) {
  for (const host::FolderEntry& entry : host::list_folder(root, folder + below)) {
    if (paths.size() >= kMostManifests) return;
    const std::string path = below + "/" + entry.name;
    if (entry.is_folder && depth > 0) {
      list_manifests(root, folder, path, depth - 1, paths);
    } else if (!entry.is_folder) {
      paths.push_back(path.substr(1));
    }
  }
}

void read_folder(const host::Root& root, const std::string& folder, Discovery& found) {
  const std::string manifests = folder + "/manifests";
  const auto entries = host::entries_at(root, manifests);
  if (!entries && entries.error() == ENOENT) return;
  if (!entries) {
    found.not_seen.push_back(
        fmt::format(msg::kDiscoverFolder, manifests, std::strerror(entries.error())));
    return;
  }
  FoundOllama ollama;
  ollama.folder = folder;
  std::vector<std::string> paths;
  list_manifests(root, manifests, "", 3, paths);
  for (const std::string& path : paths) {
    FoundOllamaModel model;
    model.name = format::ollama_name_of(path);
    const auto text =
        host::read_file(root, fmt::format("{}/{}", manifests, path), kLongestManifest);
    const std::string blob = text ? format::parse_ollama_manifest(*text) : std::string();
    if (model.name.empty() || blob.empty()) continue;
    auto file = read_blob(root, fmt::format("{}/blobs/{}", folder, blob));
    if (!file) {
      found.not_seen.push_back(fmt::format(msg::kDiscoverFile, model.name, file.error().what));
      continue;
    }
    model.file = std::move(*file);
    ollama.models.push_back(std::move(model));
  }
  if (!ollama.models.empty()) found.ollama.push_back(std::move(ollama));
}

}  // namespace

OllamaPlaces OllamaPlaces::of_this_process() {
  OllamaPlaces places;
  places.host = variable("OLLAMA_HOST");
  if (const std::string named = variable("OLLAMA_MODELS"); named.starts_with('/'))
    places.folders.push_back(named);
  if (const std::string home = variable("HOME"); home.starts_with('/'))
    places.folders.push_back(home + "/.ollama/models");
  // The service's user, as Ollama's own installer and Arch's package have it.
  places.folders.emplace_back("/usr/share/ollama/.ollama/models");
  places.folders.emplace_back("/var/lib/ollama");
  return places;
}

Result<net::Endpoint> ollama_endpoint(const std::string& host) {
  std::string plain = host.substr(0, 256);
  if (const std::size_t scheme = plain.find("://"); scheme != plain.npos)
    plain.erase(0, scheme + 3);
  plain = plain.substr(0, plain.find('/'));
  if (plain.empty()) plain = "127.0.0.1";
  if (plain.starts_with(':')) plain.insert(0, "127.0.0.1");
  const bool has_port = plain.ends_with(']') ? false : plain.rfind(':') != plain.npos;
  if (!has_port) plain += fmt::format(":{}", kOllamaPort);
  auto endpoint = net::parse_endpoint(plain);
  // It listens everywhere, and so here too.
  if (endpoint && (endpoint->host == "0.0.0.0" || endpoint->host == "::"))
    endpoint->host = "127.0.0.1";
  if (!endpoint || !net::is_loopback(*endpoint))
    return fail(ErrorKind::refused, fmt::format(msg::kDiscoverOllamaElsewhere, host));
  return endpoint;
}

std::optional<FoundOllama> ask_ollama(const net::Endpoint& at, const LocalAsk& ask,
                                      Discovery& found) {
  const auto version = ask.get(at, "/api/version");
  if (!version) return std::nullopt;
  FoundOllama ollama;
  ollama.version = format::parse_ollama_version(version->body);
  const auto tags = ask.get(at, "/api/tags");
  if (ollama.version.empty()) return std::nullopt;
  ollama.url = "http://" + net::to_text(at);
  auto models = tags ? format::parse_ollama_tags(tags->body) : Failure(tags.error());
  if (!models) {
    found.not_seen.push_back(fmt::format(msg::kDiscoverOllama, ollama.url, models.error().what));
    return std::nullopt;
  }
  ollama.models = std::move(*models);
  if (const auto loaded = ask.get(at, "/api/ps"))
    format::read_ollama_ps(loaded->body, ollama.models);
  for (FoundOllamaModel& model : ollama.models)
    if (!model.is_remote) show(at, ask, model);
  return ollama;
}

void find_ollama(const host::Root& root, const OllamaPlaces& places, const LocalAsk& ask,
                 Discovery& found) {
  auto at = ollama_endpoint(places.host);
  if (at && at->port == kOurGateway) at = ollama_endpoint({});
  if (at) {
    if (auto ollama = ask_ollama(*at, ask, found)) {
      found.ollama.push_back(std::move(*ollama));
      return;  // its folder has the same models
    }
  } else {
    found.not_seen.push_back(at.error().what);
  }
  for (const std::string& folder : places.folders) read_folder(root, folder, found);
}

}  // namespace estiva::observe
