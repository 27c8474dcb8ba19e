#include "format/cdi_rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <set>

#include "base/messages/format_cdi.h"
#include "format/cdi_names.h"
#include "format/cdi_spec.h"
#include "format/engine_version.h"
#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::array<std::string_view, 10> kVersions = {
    "0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"};
constexpr std::array<std::string_view, 6> kHooks = {
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
constexpr std::size_t kMaxClosId = 4095;  // a file's name, as the library counts

// -1: not known.
int rank_of(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  const auto* found = std::find(kVersions.begin(), kVersions.end(), version);
  return found == kVersions.end() ? -1 : static_cast<int>(found - kVersions.begin());
}

class Rules {
 public:
  std::vector<CdiViolation> check(const CdiSpec& spec);

 private:
  void add(std::string place, std::string text) {
    if (!text.empty()) found_.push_back({std::move(place), std::move(text), true});
  }
  void add_taken(std::string place, std::string text) {
    if (!text.empty()) found_.push_back({std::move(place), std::move(text), false});
  }
  void check_version(const CdiSpec& spec);
  void check_annotations(const std::string& place, const std::map<std::string, std::string>& all);
  void check_env(const std::string& place, const std::vector<std::string>& env);
  void check_node(const std::string& place, const CdiNode& node);
  void check_mount(const std::string& place, const CdiMount& mount);
  void check_hook(const std::string& place, const CdiHook& hook);
  void check_net_devices(const std::string& place, const std::vector<CdiNetDevice>& devices);
  void check_rdt(const std::string& place, const CdiIntelRdt& rdt);
  void check_edits(const std::string& place, const CdiEdits& edits);
  void check_device(const std::string& place, const CdiDevice& device);

  std::vector<CdiViolation> found_;
  bool has_new_version_ = false;  // 1.1.0 or later
};

void Rules::check_version(const CdiSpec& spec) {
  if (rank_of(spec.version) < 0) {
    return add("cdiVersion", fmt::format(msg::kCdiVersionUnknown, spec.version));
  }
  const std::string_view least = minimum_version(spec);
  if (is_newer_version(least, spec.version)) {
    add("cdiVersion", fmt::format(msg::kCdiVersionTooLow, spec.version, least));
  }
  has_new_version_ = rank_of(spec.version) >= rank_of("1.1.0");
}

void Rules::check_annotations(const std::string& place,
                              const std::map<std::string, std::string>& all) {
  std::size_t size = 0;
  for (const auto& [key, value] : all) {
    add_taken(place, fault_of_annotation(key));
    size += key.size() + value.size();
  }
  if (size > kMaxAnnotations)
    add_taken(place, fmt::format(msg::kCdiAnnotationsSize, size, kMaxAnnotations));
}

void Rules::check_env(const std::string& place, const std::vector<std::string>& env) {
  for (std::size_t i = 0; i < env.size(); ++i) {
    const std::size_t equals = env[i].find('=');
    if (equals != std::string::npos && equals != 0) continue;
    add(fmt::format("{}[{}]", place, i), fmt::format(msg::kCdiEnv, env[i]));
  }
}

void Rules::check_node(const std::string& place, const CdiNode& node) {
  static constexpr std::array<std::string_view, 5> kTypes = {"", "b", "c", "u", "p"};
  if (node.path.empty()) add(place + ".path", msg::kCdiNodeNoPath);
  if (std::find(kTypes.begin(), kTypes.end(), node.type) == kTypes.end()) {
    add(place + ".type", fmt::format(msg::kCdiNodeType, node.type));
  }
  if (node.major.value_or(0) < 0) {
    add_taken(place + ".major", fmt::format(msg::kCdiNodeNegative, *node.major));
  }
  if (node.minor.value_or(0) < 0) {
    add_taken(place + ".minor", fmt::format(msg::kCdiNodeNegative, *node.minor));
  }
  if (node.permissions.find_first_not_of("rwm") != std::string::npos) {
    add(place + ".permissions", fmt::format(msg::kCdiNodePermissions, node.permissions));
  }
}

void Rules::check_mount(const std::string& place, const CdiMount& mount) {
  if (mount.host_path.empty()) add(place + ".hostPath", msg::kCdiMountNoHost);
  if (mount.container_path.empty()) add(place + ".containerPath", msg::kCdiMountNoContainer);
}

void Rules::check_hook(const std::string& place, const CdiHook& hook) {
  if (std::find(kHooks.begin(), kHooks.end(), hook.name) == kHooks.end()) {
    add(place + ".hookName", fmt::format(msg::kCdiHookName, hook.name));
  }
  if (hook.path.empty()) add(place + ".path", msg::kCdiHookNoPath);
  check_env(place + ".env", hook.env);
}

void Rules::check_net_devices(const std::string& place, const std::vector<CdiNetDevice>& devices) {
  std::set<std::string> hosts, names;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const std::string here = fmt::format("{}[{}]", place, i);
    const CdiNetDevice& device = devices[i];
    if (device.host_name.empty()) add(here + ".hostInterfaceName", msg::kCdiNetNoHost);
    if (device.name.empty()) add(here + ".name", msg::kCdiNetNoName);
    if (!device.host_name.empty() && !hosts.insert(device.host_name).second) {
      add(here + ".hostInterfaceName", fmt::format(msg::kCdiNetTwice, device.host_name));
    }
    if (!device.name.empty() && !names.insert(device.name).second) {
      add(here + ".name", fmt::format(msg::kCdiNetTwice, device.name));
    }
  }
}

void Rules::check_rdt(const std::string& place, const CdiIntelRdt& rdt) {
  const std::string& id = rdt.clos_id;
  if (id.size() > kMaxClosId || id == "." || id == ".." || id.find_first_of("/\n") != id.npos) {
    add(place + ".closID", msg::kCdiClosId);
  }
  if (!has_new_version_) return;
  if (rdt.enable_cmt) add(place + ".enableCMT", fmt::format(msg::kCdiRdtGone, "enableCMT"));
  if (rdt.enable_mbm) add(place + ".enableMBM", fmt::format(msg::kCdiRdtGone, "enableMBM"));
}

void Rules::check_edits(const std::string& place, const CdiEdits& edits) {
  const auto item = [&](std::string_view list, std::size_t i) {
    return fmt::format("{}.{}[{}]", place, list, i);
  };
  check_env(place + ".env", edits.env);
  for (std::size_t i = 0; i < edits.nodes.size(); ++i) {
    check_node(item("deviceNodes", i), edits.nodes[i]);
  }
  check_net_devices(place + ".netDevices", edits.net_devices);
  for (std::size_t i = 0; i < edits.mounts.size(); ++i) {
    check_mount(item("mounts", i), edits.mounts[i]);
  }
  for (std::size_t i = 0; i < edits.hooks.size(); ++i) {
    check_hook(item("hooks", i), edits.hooks[i]);
  }
  if (edits.intel_rdt) check_rdt(place + ".intelRdt", *edits.intel_rdt);
}

void Rules::check_device(const std::string& place, const CdiDevice& device) {
  add(place + ".name", fault_of_device_name(device.name));
  check_annotations(place + ".annotations", device.annotations);
  if (device.edits.empty()) {
    add(place + ".containerEdits", fmt::format(msg::kCdiNoEdits, device.name));
  }
  check_edits(place + ".containerEdits", device.edits);
}

std::vector<CdiViolation> Rules::check(const CdiSpec& spec) {
  check_version(spec);
  add("kind", fault_of_kind(spec.kind));
  check_annotations("annotations", spec.annotations);
  if (spec.devices.empty()) add("devices", msg::kCdiNoDevices);
  std::set<std::string> names;
  for (std::size_t i = 0; i < spec.devices.size(); ++i) {
    const std::string place = fmt::format("devices[{}]", i);
    const std::string& name = spec.devices[i].name;
    if (!names.insert(name).second) add(place + ".name", fmt::format(msg::kCdiNameTwice, name));
    check_device(place, spec.devices[i]);
  }
  check_edits("containerEdits", spec.edits);
  return std::move(found_);
}

bool any_edits(const CdiSpec& spec, const std::function<bool(const CdiEdits&)>& has) {
  return has(spec.edits) || std::any_of(spec.devices.begin(), spec.devices.end(),
                                        [&](const CdiDevice& device) { return has(device.edits); });
}

bool needs_110(const CdiEdits& edits) {
  const auto& rdt = edits.intel_rdt;
  return !edits.net_devices.empty() || (rdt && (!rdt->schemata.empty() || rdt->enable_monitoring));
}

bool needs_070(const CdiEdits& edits) {
  return edits.intel_rdt || !edits.additional_gids.empty();
}

bool needs_060(const CdiSpec& spec) {
  const std::size_t slash = spec.kind.find('/');
  const bool has_dot =
      slash != std::string::npos && spec.kind.find('.', slash) != std::string::npos;
  return has_dot || !spec.annotations.empty() ||
         std::any_of(spec.devices.begin(), spec.devices.end(),
                     [](const CdiDevice& device) { return !device.annotations.empty(); });
}

bool needs_050(const CdiSpec& spec) {
  const auto starts_with_digit = [](const CdiDevice& device) {
    return !device.name.empty() && device.name[0] >= '0' && device.name[0] <= '9';
  };
  return std::any_of(spec.devices.begin(), spec.devices.end(), starts_with_digit) ||
         any_edits(spec, [](const CdiEdits& edits) {
           return std::any_of(edits.nodes.begin(), edits.nodes.end(),
                              [](const CdiNode& node) { return !node.host_path.empty(); });
         });
}

bool needs_040(const CdiEdits& edits) {
  return std::any_of(edits.mounts.begin(), edits.mounts.end(),
                     [](const CdiMount& mount) { return !mount.type.empty(); });
}

}  // namespace

std::vector<CdiViolation> validate_cdi(const CdiSpec& spec) {
  return Rules().check(spec);
}

std::string_view minimum_version(const CdiSpec& spec) {
  if (any_edits(spec, needs_110)) return "1.1.0";
  if (any_edits(spec, needs_070)) return "0.7.0";
  if (needs_060(spec)) return "0.6.0";
  if (needs_050(spec)) return "0.5.0";
  return any_edits(spec, needs_040) ? "0.4.0" : "0.3.0";
}

bool is_known_version(std::string_view version) {
  return rank_of(version) >= 0;
}

bool is_newer_version(std::string_view version, std::string_view than) {
  const int a = rank_of(version), b = rank_of(than);
  return a >= 0 && b >= 0 && a > b;
}

std::string_view newest_version_of_engine(EngineKind kind, std::string_view version) {
  // From each release's copy of the CDI library: the first that has it.
  struct Since {
    EngineVersion engine;
    std::string_view newest;
  };
  static constexpr std::array<Since, 5> kDocker = {{{{29, 2}, "1.1.0"},
                                                    {{28, 1}, "1.0.0"},
                                                    {{27, 5}, "0.8.0"},
                                                    {{27, 0}, "0.7.0"},
                                                    {{25, 0}, "0.6.0"}}};
  const auto engine = parse_engine_version(version);
  if (!engine || kind == EngineKind::none) return {};
  // Podman 4.9 has the library of 0.6.0; what later ones have was not looked up.
  if (kind == EngineKind::podman) return engine->major == 4 ? "0.6.0" : "";
  for (const Since& since : kDocker) {
    if (*engine >= since.engine) return since.newest;
  }
  return {};
}

bool is_cdi_file_name(std::string_view path) {
  return path.ends_with(".json") || path.ends_with(".yaml");
}

CdiFile read_cdi_file(std::string path, unsigned priority, std::string text) {
  CdiFile file;
  file.path = std::move(path);
  file.priority = priority;
  file.is_ignored = !is_cdi_file_name(file.path);
  TextPlace place;
  auto spec = parse_cdi_spec(text, &place);
  if (!spec) {
    file.error = spec.error().what;
    file.error_line = place.line;
  } else {
    file.spec = *std::move(spec);
    auto violations = validate_cdi(file.spec);
    std::erase_if(violations, [](const CdiViolation& one) { return !one.is_refused; });
    if (!violations.empty()) {
      file.error = fmt::format("{}: {}", violations[0].place, violations[0].text);
      if (violations.size() > 1) {
        file.error = fmt::format(msg::kCdiAndMore, file.error, violations.size() - 1);
      }
      file.error_line = cdi_place_of(text, violations[0].place).line;
    }
  }
  text.resize(std::min(text.size(), kMaxKeptText));
  file.text = std::move(text);
  return file;
}

const std::string& host_path_of(const CdiNode& node) {
  return node.host_path.empty() ? node.path : node.host_path;
}

bool has_source(const CdiMount& mount) {
  return mount.host_path.starts_with('/') &&
         (mount.type.empty() || mount.type == "bind" || mount.type == "none");
}

std::vector<std::string> host_paths_of(const CdiSpec& spec) {
  std::vector<std::string> paths;
  const auto add = [&paths](const CdiEdits& edits) {
    for (const CdiNode& node : edits.nodes) paths.push_back(host_path_of(node));
    for (const CdiMount& mount : edits.mounts)
      if (has_source(mount)) paths.push_back(mount.host_path);
    for (const CdiHook& hook : edits.hooks) paths.push_back(hook.path);
  };
  for (const CdiDevice& device : spec.devices) add(device.edits);
  add(spec.edits);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace estiva::format
