#include "observe/readiness/programs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "format/json_tree.h"
#include "format/text.h"
#include "host/program.h"

namespace estiva::observe {
namespace {

constexpr std::array<const char*, 7> kPrograms = {"nvidia-ctk",
                                                  "nvidia-cdi-hook",
                                                  "nvidia-container-runtime",
                                                  "nvidia-container-runtime-hook",
                                                  "nvidia-container-cli",
                                                  "nvidia-smi",
                                                  "nvidia-persistenced"};
// Where the command line looks for its plug-ins (cli-plugins/manager of docker/cli).
constexpr std::array<const char*, 5> kPluginFolders = {
    "/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins", "/usr/bin"};
constexpr host::ProgramLimits kPluginLimits{std::chrono::milliseconds(1'000), 64 << 10};
constexpr std::size_t kLongestScript = 4096;

bool is_executable_file(const Tree& tree, const std::string& path) {
  const auto info = tree.status(path);
  return info && S_ISREG(info->st_mode) && (info->st_mode & 0111) != 0;
}

std::string package_version(const Packages& packages, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = packages.versions.find(name);
    if (found != packages.versions.end()) return upstream_version(found->second);
  }
  return {};
}

// {"SchemaVersion":"0.1.0","Vendor":"Docker Inc.","Version":"v2.40.3"}
Reading<std::string> ask_plugin(const std::string& path) {
  const auto answer = host::ask_program({path, "docker-cli-plugin-metadata"}, kPluginLimits);
  if (!answer || answer->exit_code != 0) return Missing::failed;
  const auto tree = format::JsonTree::parse(answer->output);
  const auto version = tree ? tree->root()["Version"].text() : std::nullopt;
  if (!version) return Missing::failed;
  return std::string(version->starts_with('v') ? version->substr(1) : *version);
}

}  // namespace

std::string find_on_path(const Tree& tree, std::string_view search_path, const std::string& name) {
  while (!search_path.empty()) {
    const std::size_t end = std::min(search_path.find(':'), search_path.size());
    const std::string folder(search_path.substr(0, end));
    if (folder.starts_with('/')) {
      const std::string path = fmt::format("{}/{}", folder, name);
      if (is_executable_file(tree, path)) return tree.resolved(path);
    }
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
  }
  return {};
}

// `ldconfig = "@/sbin/ldconfig.real"`: with the '@' it is a program of the host.
static Reading<bool> find_ldconfig(const Tree& tree, const TextFile& config) {
  if (!config.text) return config.text.why();
  std::string_view rest = *config.text;
  for (std::string_view line; format::next_line(rest, line);) {
    const std::string_view row = format::trim(line);
    if (!row.starts_with("ldconfig")) continue;
    const std::size_t begin = row.find("\"@/");
    if (begin == row.npos) continue;
    const std::string_view path = row.substr(begin + 2, row.find('"', begin + 1) - begin - 2);
    return tree.exists(std::string(path));
  }
  return Missing::not_supported;
}

static std::string host_ldconfig(const Tree& tree) {
  for (const char* path : {"/sbin/ldconfig.real", "/sbin/ldconfig"})
    if (tree.exists(path)) return path;
  return {};
}

ToolkitFacts read_toolkit(const Tree& tree, std::string_view search_path,
                          const Packages& packages) {
  ToolkitFacts toolkit;
  toolkit.config = tree.file("/etc/nvidia-container-runtime/config.toml");
  toolkit.ldconfig_exists = find_ldconfig(tree, toolkit.config);
  toolkit.ldconfig = host_ldconfig(tree);
  const std::string version =
      package_version(packages, {"nvidia-container-toolkit", "nvidia-container-toolkit-base"});
  for (const char* name : kPrograms) {
    std::string path = find_on_path(tree, search_path, name);
    if (path.empty()) continue;
    const std::int64_t changed_at = tree.changed_at(path);
    const bool is_toolkit =
        std::string_view(name) != "nvidia-smi" && std::string_view(name) != "nvidia-persistenced";
    toolkit.programs[name] = {std::move(path), changed_at, is_toolkit ? version : std::string()};
  }
  return toolkit;
}

bool docker_is_podman(const Tree& tree) {
  const std::string path = find_on_path(tree, kServicePath, "docker");
  if (path.empty()) return false;
  if (path.ends_with("/podman")) return true;
  const auto script = tree.text(path, kLongestScript);  // a program is longer: failed
  return script && script->starts_with("#!") && script->find("podman") != script->npos;
}

Reading<std::string> read_compose_version(const Tree& tree, const Packages& packages) {
  for (const char* folder : kPluginFolders) {
    const std::string path = std::string(folder) + "/docker-compose";
    if (!is_executable_file(tree, path)) continue;
    std::string version =
        package_version(packages, {"docker-compose-plugin", "docker-compose-v2", "docker-compose"});
    if (!version.empty()) return version;
    if (tree.is_real()) return ask_plugin(path);
    return Missing::not_read;
  }
  return Missing::not_supported;
}

}  // namespace estiva::observe
