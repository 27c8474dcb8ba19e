// C1-C15: what the specs promise, against what the engine reads and the host has. One function a
// signature; each cause is named once: C1 only where none of the others explains it.
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_doctor_apps.h"
#include "decide/readiness/cdi_spec_rules.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/look.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kManagement = "management.nvidia.com/gpu=";

bool is_gpu_name(std::string_view name) {
  return name.starts_with("nvidia.com/gpu=") || name.starts_with("estiva.dev/gpu=");
}
std::string_view device_of(std::string_view name) {
  return name.substr(name.find('=') + 1);
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

Evidence of_file(const CdiFile& file, unsigned line = 0, std::string text = {}) {
  return {Evidence::Source::file, file.path, line, std::move(text)};
}

std::string unresolvable(std::string_view name) {
  return fmt::format("unresolvable CDI devices {}", name);
}

bool has_gpu(const ReadinessFacts& facts) {
  return !facts.driver.gpus.empty() || !facts.driver.files.gpus.empty();
}

// Whether the GPU that a plain number or UUID names is divided.
bool is_divided(const ReadinessFacts& facts, std::string_view device) {
  for (const DriverGpu& gpu : facts.driver.files.gpus) {
    const bool is_meant = device == std::to_string(gpu.index) || device == gpu.uuid;
    if (is_meant) return gpu.mig_enabled;
  }
  for (const Gpu& gpu : facts.driver.gpus) {
    const bool is_meant =
        device == std::to_string(gpu.identity.index) || device == gpu.identity.id.uuid;
    if (is_meant) return gpu.identity.mig_enabled;
  }
  return false;
}

// The MIG instances that exist. Only meaningful where the GPUs' UUIDs are known.
std::set<std::string, std::less<>> instances(const ReadinessFacts& facts) {
  std::set<std::string, std::less<>> all;
  for (const DriverGpu& gpu : facts.driver.files.gpus) {
    for (const DriverMig& mig : gpu.migs) {
      all.insert(mig.uuid);
      all.insert(mig.index);
    }
  }
  for (const Gpu& gpu : facts.driver.gpus) all.insert(gpu.identity.id.instance);
  return all;
}

bool knows_instances(const ReadinessFacts& facts) {
  const auto& gpus = facts.driver.files.gpus;
  return !gpus.empty() && std::all_of(gpus.begin(), gpus.end(),
                                      [](const DriverGpu& gpu) { return !gpu.uuid.empty(); });
}

bool is_instance_name(std::string_view device) {
  return device.starts_with("MIG-") || (device.find(':') != std::string_view::npos);
}

bool is_gone(const ReadinessFacts& facts, std::string_view device) {
  return is_instance_name(device) && knows_instances(facts) && !instances(facts).contains(device);
}

bool is_about_mig(const ReadinessFacts& facts, std::string_view name) {
  return is_gpu_name(name) &&
         (is_divided(facts, device_of(name)) || is_gone(facts, device_of(name)));
}

// A number, a UUID or another name that no GPU of the machine has, so that no spec could declare
// it. Only where all of them are known.
bool has_no_such_gpu(const ReadinessFacts& facts, std::string_view device) {
  const auto& gpus = facts.driver.files.gpus;
  if (gpus.empty() || device == "all" || is_instance_name(device)) return false;
  const bool is_uuid = device.starts_with("GPU-");
  return std::ranges::none_of(gpus, [&](const DriverGpu& gpu) {
    if (device == std::to_string(gpu.index)) return true;
    return is_uuid && (gpu.uuid.empty() || gpu.uuid == device);
  });
}

// "0, 1": what a person may ask for.
std::string numbers_of_gpus(const ReadinessFacts& facts) {
  std::vector<std::string> numbers;
  for (const DriverGpu& gpu : facts.driver.files.gpus) numbers.push_back(std::to_string(gpu.index));
  return joined(numbers);
}

// A spec in the engine's folders that would declare GPUs if the engine took it.
bool has_refused_spec(const CdiView& view) {
  return !view.broken.empty() || !view.ignored.empty() || !view.too_new.empty() ||
         !view.unreadable.empty();
}

// Who asks for devices that the engine can't resolve; each name once for each asker.
std::vector<CdiAsked> unresolved(const ReadinessFacts& facts, const CdiView& view) {
  std::vector<CdiAsked> all;
  if (view.is_off || view.dirs.empty() || facts.engine.kind == EngineKind::none) return all;
  for (CdiAsked& asked : asked_for(facts)) {
    if (view.devices.count(asked.name) != 0) continue;
    const bool is_known = std::any_of(all.begin(), all.end(), [&](const CdiAsked& other) {
      return other.name == asked.name && other.who == asked.who;
    });
    if (!is_known) all.push_back(std::move(asked));
  }
  return all;
}

// A machine where no container can get a GPU, because there is neither a spec nor a toolkit.
bool has_no_way(const ReadinessFacts& facts, const CdiView& view) {
  if (!has_gpu(facts) || facts.engine.kind == EngineKind::none || view.is_off) return false;
  const bool reads_cdi = facts.engine.cdi_known && !facts.engine.cdi_dirs.empty();
  return reads_cdi && view.devices.empty() && view.conflicts.empty() && view.elsewhere.empty() &&
         !has_refused_spec(view) && facts.toolkit.programs.empty();
}

std::vector<Hit> find_c1(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiAsked& asked : unresolved(facts, view)) {
    const bool is_explained = !is_gpu_name(asked.name) || view.conflicts.count(asked.name) != 0 ||
                              view.elsewhere.count(asked.name) != 0 || has_refused_spec(view) ||
                              is_about_mig(facts, asked.name);
    if (is_explained) continue;
    const std::string_view device = device_of(asked.name);
    const bool is_wrong = has_no_such_gpu(facts, device);
    const auto& title = is_wrong ? msg::kC1NoGpu : msg::kC1Title;
    hits.push_back({fmt::format(fmt::runtime(title), asked.who, asked.name, device),
                    {asked.evidence},
                    {},
                    unresolvable(asked.name)});
    if (!is_wrong) continue;
    hits.back().remedy = fmt::format(msg::kC1NoGpuRemedy, numbers_of_gpus(facts));
    hits.back().fix = Fix::guide;
  }
  if (hits.empty() && has_no_way(facts, view)) {
    hits.push_back({fmt::format(msg::kC1NoSpec, joined(view.dirs)),
                    {},
                    {},
                    unresolvable("nvidia.com/gpu=all")});
    for (const std::string& dir : view.dirs) {
      hits.back().evidence.push_back({Evidence::Source::host, dir, 0, {}});
    }
  }
  return hits;
}

// One hit a file: its devices share the fault.
std::vector<Hit> find_c2(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  const bool knows_dirs = facts.engine.cdi_known && !facts.engine.cdi_dirs.empty();
  if (!knows_dirs) return hits;
  std::set<const CdiFile*> told;
  for (const auto& [name, files] : view.elsewhere) {
    const bool is_missed =
        is_gpu_name(name) && view.devices.count(name) == 0 && view.conflicts.count(name) == 0;
    if (!is_missed || !told.insert(files.front()).second) continue;
    hits.push_back({fmt::format(msg::kC2Title, name, files.front()->path, joined(view.dirs)),
                    {of_file(*files.front())},
                    {},
                    unresolvable(name)});
  }
  return hits;
}

std::vector<Hit> find_c3(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  std::set<std::vector<const CdiFile*>> told;
  for (const auto& [name, files] : view_cdi(facts).conflicts) {
    const bool is_ours = std::any_of(files.begin(), files.end(),
                                     [](const CdiFile* file) { return is_of_nvidia(*file); });
    if (!is_ours || !told.insert(files).second) continue;
    Hit hit{fmt::format(msg::kC3Title, name, files.size()), {}, {}, unresolvable(name)};
    for (const CdiFile* file : files) hit.evidence.push_back(of_file(*file));
    hits.push_back(std::move(hit));
  }
  return hits;
}

std::vector<Hit> find_c4(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : view.too_new) {
    hits.push_back({fmt::format(msg::kC4Title, file->path, file->spec.version, facts.engine.version,
                                view.newest),
                    {of_file(*file, 0, "cdiVersion: " + file->spec.version)},
                    {},
                    {}});
  }
  return hits;
}

std::vector<Hit> find_c5(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : view.broken) {
    hits.push_back({fmt::format(msg::kC5Title, file->path, file->error),
                    {of_file(*file, file->error_line, file->error)},
                    {},
                    {}});
  }
  for (const CdiFile* file : view.ignored) {
    hits.push_back({fmt::format(msg::kC5Ignored, file->path), {of_file(*file)}, {}, {}});
  }
  return hits;
}

std::vector<Hit> find_c6(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const CdiFile* file : view_cdi(facts).unreadable) {
    hits.push_back({fmt::format(msg::kC6Title, file->path), {of_file(*file)}, {}, {}});
  }
  return hits;
}

std::vector<Hit> find_c7(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  if (view.is_off) return hits;
  std::set<std::string, std::less<>> told;
  for (const CdiAsked& asked : asked_for(facts)) {
    if (!is_about_mig(facts, asked.name)) continue;
    told.insert(asked.name);
    const auto& text = is_gone(facts, device_of(asked.name)) ? msg::kC7Gone : msg::kC7Whole;
    hits.push_back({fmt::format(fmt::runtime(text), asked.who, asked.name),
                    {asked.evidence},
                    {},
                    unresolvable(asked.name)});
  }
  for (const auto& [name, seen] : view.devices) {
    const bool is_stale = is_about_mig(facts, name) && told.count(name) == 0;
    if (!is_stale) continue;
    const auto& text = is_gone(facts, device_of(name)) ? msg::kC7Stale : msg::kC7StaleWhole;
    hits.push_back(
        {fmt::format(fmt::runtime(text), seen.file->path, name), {of_file(*seen.file)}, {}, {}});
  }
  return hits;
}

std::vector<Hit> find_c14(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiAsked& asked : unresolved(facts, view)) {
    if (!asked.name.starts_with(kManagement) || device_of(asked.name) == "all") continue;
    hits.push_back({fmt::format(msg::kC14Title, asked.who, asked.name),
                    {asked.evidence},
                    {},
                    unresolvable(asked.name)});
  }
  return hits;
}

constexpr Rule kRules[] = {
    make_rule("C1", Severity::error, msg::kC1Text, Fix::automatic, find_c1),
    make_rule("C2", Severity::error, msg::kC2Text, Fix::automatic, find_c2),
    make_rule("C3", Severity::error, msg::kC3Text, Fix::automatic, find_c3),
    make_rule("C4", Severity::error, msg::kC4Text, Fix::automatic, find_c4),
    make_rule("C5", Severity::error, msg::kC5Text, Fix::automatic, find_c5),
    make_rule("C6", Severity::error, msg::kC6Text, Fix::automatic, find_c6),
    make_rule("C7", Severity::error, msg::kC7Text, Fix::automatic, find_c7),
    make_rule("C8", Severity::error, msg::kC8Text, Fix::automatic, find_stale_mounts),
    make_rule("C9", Severity::error, msg::kC9Text, Fix::automatic, find_frozen_numbers),
    make_rule("C10", Severity::error, msg::kC10Text, Fix::automatic, find_missing_hooks),
    make_rule("C11", Severity::error, msg::kC11Text, Fix::automatic, find_incomplete_specs),
    make_rule("C12", Severity::error, msg::kC12Text, Fix::automatic, find_missing_spec_nodes),
    make_rule("C13", Severity::error, msg::kC13Text, Fix::automatic, find_missing_sockets),
    make_rule("C14", Severity::error, msg::kC14Text, Fix::guide, find_c14),
    make_rule("C15", Severity::info, msg::kC15Text, Fix::automatic, find_chmod_hooks),
};

}  // namespace

std::span<const Rule> cdi_rules() {
  return kRules;
}

}  // namespace estiva::decide
