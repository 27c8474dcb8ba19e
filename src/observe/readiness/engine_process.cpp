#include "observe/readiness/engine_process.h"

#include <algorithm>
#include <unistd.h>

#include "format/json_tree.h"
#include "format/text.h"
#include "observe/readiness/nodes.h"
#include "observe/readiness/programs.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestSettings = 64 << 20;  // what the set-up can edit (format/json_edit.h)
constexpr std::size_t kMostRuntimes = 256;
constexpr const char* kSettings = "/etc/docker/daemon.json";
constexpr const char* kSnapSettings = "/var/snap/docker/current/config/daemon.json";

// One that systemd started is the machine's or a user's own; another may be a test's. The engine
// that answered said whether it is a user's.
pid_t daemon_of(const Tree& tree, const std::vector<FoundProcess>& processes,
                const EngineFacts& engine) {
  const bool is_told = engine.kind != EngineKind::none;
  pid_t best = 0;
  int best_fit = -1;
  for (const FoundProcess& process : processes) {
    if (process.name != "dockerd") continue;
    const auto text = tree.text("/proc/" + std::to_string(process.pid) + "/cgroup");
    const bool is_service = text && text->find("docker.service") != text->npos;
    const bool is_users = read_process(tree, process.pid).uid != 0;
    const int fit = (is_told && is_users == engine.is_rootless ? 2 : 0) + (is_service ? 1 : 0);
    if (fit > best_fit) best = process.pid, best_fit = fit;
  }
  return best;
}

std::string settings_path(const ProcessDetail& daemon) {
  std::string named = option_of(daemon.arguments, "config-file");
  if (!named.empty()) return named;
  if (daemon.program.starts_with("/snap/")) return kSnapSettings;
  if (daemon.uid == 0 || !daemon.environment_known) return kSettings;
  std::string folder = value_of(daemon.environment, "XDG_CONFIG_HOME");
  if (folder.empty()) folder = value_of(daemon.environment, "HOME") + "/.config";
  return folder + "/docker/daemon.json";
}

// ExecStart= of the unit says it where no daemon runs.
std::string settings_path_of_unit(const Tree& tree) {
  for (const char* path :
       {"/etc/systemd/system/docker.service", "/usr/lib/systemd/system/docker.service",
        "/lib/systemd/system/docker.service"}) {
    const auto text = tree.text(path);
    if (!text) continue;
    std::string_view rest = *text;
    for (std::string_view line; format::next_line(rest, line);) {
      if (!line.starts_with("ExecStart=")) continue;
      std::vector<std::string> words;
      for (std::string_view word; format::next_word(line, word);) words.emplace_back(word);
      const std::string named = option_of(words, "config-file");
      return named.empty() ? kSettings : named;
    }
  }
  return kSettings;
}

bool is_installed(const Tree& tree) {
  return tree.exists("/usr/bin/dockerd") || tree.exists("/usr/sbin/dockerd") ||
         tree.exists("/usr/local/bin/dockerd");
}

}  // namespace

std::string option_of(const std::vector<std::string>& arguments, std::string_view name) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (!word.starts_with("--") || !word.substr(2).starts_with(name)) continue;
    word.remove_prefix(2 + name.size());
    if (word.starts_with('=')) return std::string(word.substr(1));
    if (word.empty() && i + 1 < arguments.size()) return arguments[i + 1];
  }
  return {};
}

std::vector<std::string> cdi_dirs_of(const TextFile& daemon_json) {
  std::vector<std::string> usual = {"/etc/cdi", "/var/run/cdi"};
  if (!daemon_json.text) return usual;
  const auto tree = format::JsonTree::parse(*daemon_json.text);
  if (!tree) return usual;
  if (tree->root()["features"]["cdi"].boolean() == false) return {};
  const format::JsonNode list = tree->root()["cdi-spec-dirs"];
  if (!list.is_array()) return usual;
  std::vector<std::string> dirs;
  for (std::size_t i = 0; i < list.size() && i < 64; ++i) {
    if (const auto dir = list.at(i).text(); dir && !dir->empty()) dirs.emplace_back(*dir);
  }
  return dirs;
}

void find_settings_before(const Tree& tree, const std::vector<std::string>& copies,
                          EngineFacts& engine) {
  const std::string& path = engine.daemon_json.path;
  engine.daemon_json_before = {"", Missing::not_read, 0};
  std::vector<std::string> places = copies;
  for (const char* ending : {".bak", "~", ".orig", ".old"}) places.push_back(path + ending);
  for (const std::string& place : places) {
    if (!tree.exists(place)) continue;
    engine.daemon_json_before = tree.file(place, kLongestSettings);
    return;
  }
}

void find_runtimes(const Tree& tree, EngineFacts& engine) {
  if (!engine.daemon_json.text) return;
  const auto settings = format::JsonTree::parse(*engine.daemon_json.text);
  if (!settings) return;
  const std::string_view search =
      engine.search_path.empty() ? kServicePath : std::string_view(engine.search_path);
  const format::JsonNode runtimes = settings->root()["runtimes"];
  for (std::size_t i = 0; runtimes.is_object() && i < std::min(runtimes.size(), kMostRuntimes);
       ++i) {
    const auto path = runtimes.at(i)["path"].text();
    if (!path || path->empty()) continue;
    std::string name(*path);
    const bool is_path = name.find('/') != name.npos;
    const std::string found = is_path ? name : find_on_path(tree, search, name);
    engine.runtime_paths[std::move(name)] =
        found.empty() ? HostPath() : read_host_path(tree, found);
  }
}

EngineUser read_engine_process(const Tree& tree, const std::vector<FoundProcess>& processes,
                               EngineFacts& engine) {
  engine.cli_is_podman = docker_is_podman(tree);
  const pid_t pid = daemon_of(tree, processes, engine);
  const bool asks_itself = engine.kind == EngineKind::none;
  if (pid == 0) {
    engine.started_at = Missing::not_supported;
    engine.daemon_json = tree.file(settings_path_of_unit(tree), kLongestSettings);
    if (asks_itself && is_installed(tree)) engine.kind = EngineKind::docker;
    // Podman has no daemon: a user's reads what the user may.
    const bool is_own = engine.kind == EngineKind::podman && engine.is_rootless && tree.is_real();
    return is_own ? EngineUser{::geteuid(), {::getegid()}} : EngineUser{};
  }
  const ProcessDetail daemon = read_process(tree, pid);
  engine.arguments = daemon.arguments;
  engine.search_path = value_of(daemon.environment, "PATH");
  engine.started_at = daemon.started_at;
  engine.daemon_json = tree.file(settings_path(daemon), kLongestSettings);
  if (daemon.program.starts_with("/snap/")) engine.kind = EngineKind::docker_snap;
  if (asks_itself && engine.kind == EngineKind::none) engine.kind = EngineKind::docker;
  if (asks_itself) engine.is_rootless = daemon.uid != 0;
  return {daemon.uid, daemon.gids};
}

}  // namespace estiva::observe
