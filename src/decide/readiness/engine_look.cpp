#include "decide/readiness/engine_look.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// From these on: --gpus tries CDI first; the runtime's mode "auto" makes a CDI spec in memory.
constexpr std::string_view kDockerCdiFirst = "29.2", kRuntimeMakesCdi = "1.18";

bool holds_all(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::ranges::all_of(parts,
                             [&](std::string_view part) { return text.find(part) != text.npos; });
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() > 1 && (value[0] == '"' || value[0] == '\'');
  if (!quoted) return format::trim(value.substr(0, value.find('#')));
  const std::size_t end = value.find(value[0], 1);
  return end == value.npos ? value.substr(1) : value.substr(1, end - 1);
}

}  // namespace

bool sees_engine_host(const ReadinessFacts& facts) {
  return !facts.kernel.in_container || facts.kernel.container_manager == "lxc";
}

std::string_view json_text(const TextFile& file) {
  std::string_view text = file.text.known() ? std::string_view(*file.text) : std::string_view();
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return format::trim(text);
}

std::optional<format::JsonTree> json_object(const TextFile& file) {
  const std::string_view text = json_text(file);
  if (text.empty()) return std::nullopt;
  auto tree = format::JsonTree::parse(text);
  if (!tree || !tree->root().is_object()) return std::nullopt;
  return std::move(*tree);
}

bool declares_cdi(const ReadinessFacts& facts) {
  const auto tree = json_object(facts.engine.daemon_json);
  return tree && tree->root()["features"]["cdi"].boolean().value_or(false);
}

bool has_hook(const CdiFile& file, std::string_view name) {
  return std::ranges::any_of(file.spec.edits.hooks, [&](const CdiHook& hook) {
    return std::ranges::find(hook.args, name) != hook.args.end();
  });
}

std::optional<std::string> toolkit_setting(const ReadinessFacts& facts, std::string_view key) {
  if (!facts.toolkit.config.text) return std::nullopt;
  std::string_view rest = *facts.toolkit.config.text, line;
  while (format::next_line(rest, line)) {
    const std::string_view whole = format::trim(line);
    const std::size_t sign = whole.find('=');
    if (sign == whole.npos || whole.starts_with('#')) continue;
    if (format::trim(whole.substr(0, sign)) == key)
      return std::string(unquoted(format::trim(whole.substr(sign + 1))));
  }
  return std::nullopt;
}

std::string toolkit_version(const ReadinessFacts& facts) {
  for (const char* name : {"nvidia-ctk", "nvidia-cdi-hook", "nvidia-container-cli"}) {
    const auto found = facts.toolkit.programs.find(name);
    if (found != facts.toolkit.programs.end() && !found->second.version.empty())
      return found->second.version;
  }
  for (const char* name :
       {"nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container1"}) {
    const auto found = facts.driver.packages.find(name);
    if (found != facts.driver.packages.end()) return found->second;
  }
  return {};
}

bool uses_hook(const ReadinessFacts& facts, const ContainerFact& container) {
  const GpuRequest request = gpu_request(container);
  if (request.by_runtime) {
    const std::string version = toolkit_version(facts);
    const std::string mode = toolkit_setting(facts, "mode").value_or("auto");
    const bool makes_cdi =
        mode == "cdi" || mode == "jit-cdi" ||
        (mode == "auto" && !version.empty() && compare_versions(version, kRuntimeMakesCdi) >= 0);
    if (!makes_cdi) return true;
  }
  if (!request.by_flag) return false;
  const bool has_device = std::ranges::any_of(facts.engine.discovered, [](const std::string& one) {
    return one.starts_with("nvidia.com/gpu");
  });
  return !has_device || !docker_is_at_least(facts, kDockerCdiFirst).value_or(false);
}

std::vector<const ContainerFact*> hook_users(const ReadinessFacts& facts) {
  auto users = containers_where(facts, [](const GpuRequest& one) { return one.legacy(); });
  std::erase_if(users, [&](const ContainerFact* one) { return !uses_hook(facts, *one); });
  return users;
}

std::vector<const ContainerFact*> containers_that_say(
    const ReadinessFacts& facts, std::initializer_list<std::string_view> parts) {
  std::vector<const ContainerFact*> found;
  for (const ContainerFact& one : facts.containers) {
    const bool says = holds_all(one.error, parts) ||
                      std::ranges::any_of(
                          one.log, [&](const std::string& line) { return holds_all(line, parts); });
    if (says) found.push_back(&one);
  }
  return found;
}

Evidence said(const ContainerFact& container, std::string_view part) {
  const std::string who = fmt::format(msg::kDoctorContainer, container.name);
  if (container.error.find(part) != std::string::npos) return engine_evidence(who, container.error);
  for (const std::string& line : container.log) {
    if (line.find(part) != line.npos) return engine_evidence(who, line);
  }
  return engine_evidence(who, {});
}

}  // namespace estiva::decide
