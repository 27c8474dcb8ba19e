#include "decide/readiness/fixes.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_fixes.h"
#include "decide/cdi/effective.h"
#include "decide/readiness/compose_mend.h"
#include "decide/readiness/look.h"
#include "decide/setup/setup_plan.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kModulesFile = "/etc/modules-load.d/estiva-nvidia.conf";
constexpr std::string_view kSysctlFile = "/etc/sysctl.d/99-estiva.conf";
constexpr std::string_view kPersistenceUnit = "nvidia-persistenced.service";
constexpr std::string_view kSharedSpec = "/var/run/cdi/nvidia.yaml";
constexpr std::string_view kVendorKind = "nvidia.com/gpu";

Step make_step(StepKind kind, std::string target, std::string reason, std::string effect,
               std::string_view undo) {
  Step step;
  step.kind = kind;
  step.target = std::move(target);
  step.reason = std::move(reason);
  step.effect = std::move(effect);
  step.undo = undo;
  return step;
}

Step write_step(std::string_view path, std::string content, std::string reason) {
  Step step = make_step(StepKind::write_file, std::string(path), std::move(reason),
                        fmt::format(msg::kFixFileEffect, path), msg::kFixFileUndo);
  step.content = std::move(content);
  step.mode = 0644;
  return step;
}

using Steps = std::vector<Step>;
struct Fixing {
  const ReadinessFacts& facts;
  const Finding& finding;
  const std::string& program;
};

Steps load_modules(const Fixing& fix) {
  Steps steps;
  for (const char* module : {"nvidia", "nvidia_uvm"}) {
    if (is_loaded(fix.facts, module)) continue;
    steps.push_back(make_step(StepKind::load_module, module, std::string(msg::kFixLoads),
                              fmt::format(msg::kFixLoadsEffect, module), msg::kFixLoadsUndo));
  }
  steps.push_back(write_step(kModulesFile,
                             "# Written by estiva doctor --fix.\nnvidia\nnvidia_uvm\n",
                             std::string(msg::kFixLoadsAtBoot)));
  return steps;
}

// "c 195 0" where the evidence of D13 names the node; its number is the kernel's for that driver.
Steps renumber_nodes(const Fixing& fix) {
  Steps steps;
  std::vector<DeviceNode> nodes = fix.facts.driver.files.nodes;
  nodes.insert(nodes.end(), fix.facts.driver.odd_nodes.begin(), fix.facts.driver.odd_nodes.end());
  for (const Evidence& one : fix.finding.evidence) {
    const auto node = std::ranges::find(nodes, one.path, &DeviceNode::path);
    if (node == nodes.end()) continue;
    const bool is_uvm = one.path.starts_with("/dev/nvidia-uvm");
    const auto major = fix.facts.kernel.majors.find(is_uvm ? "nvidia-uvm" : "nvidia-frontend");
    const auto other = fix.facts.kernel.majors.find("nvidia");
    const auto& majors = fix.facts.kernel.majors;
    if (major == majors.end() && (is_uvm || other == majors.end())) continue;
    const unsigned number = major == majors.end() ? other->second : major->second;
    const std::string device = fmt::format("c {} {}", number, node->minor);
    Step step = make_step(StepKind::make_node, one.path, fmt::format(msg::kFixNode, device),
                          std::string(msg::kFixNodeEffect), msg::kFixNodeUndo);
    step.content = device;
    step.mode = node->mode;
    steps.push_back(std::move(step));
  }
  return steps;
}

Steps start_persistence(const Fixing& fix) {
  const auto& units = fix.facts.units;
  if (std::ranges::find(units, kPersistenceUnit, &UnitFact::name) == units.end()) return {};
  return {make_step(StepKind::enable_unit, std::string(kPersistenceUnit),
                    std::string(msg::kFixPersistence),
                    fmt::format(msg::kFixEnableEffect, kPersistenceUnit), msg::kFixUnitUndo),
          make_step(StepKind::start_unit, std::string(kPersistenceUnit),
                    std::string(msg::kFixPersistence),
                    fmt::format(msg::kFixStartEffect, kPersistenceUnit), msg::kFixUnitUndo)};
}

Steps allow_overcommit(const Fixing&) {
  Step now =
      make_step(StepKind::set_sysctl, "vm.overcommit_memory", std::string(msg::kFixOvercommit),
                std::string(msg::kFixOvercommitEffect), msg::kFixOvercommitUndo);
  now.content = "0";
  return {now,
          write_step(kSysctlFile, "# Written by estiva doctor --fix.\nvm.overcommit_memory = 0\n",
                     std::string(msg::kFixAtBoot))};
}

Step make_spec(std::string path, std::string_view kind) {
  Step step = make_step(StepKind::run_generator, path, fmt::format(msg::kFixSpec, path),
                        fmt::format(msg::kFixSpecEffect, path, kind), msg::kFixFileUndo);
  step.content = kind;
  return step;
}

const CdiFile* file_of(const Fixing& fix) {
  for (const Evidence& one : fix.finding.evidence) {
    const auto& files = fix.facts.cdi.files;
    const auto found = std::ranges::find(files, one.path, &CdiFile::path);
    if (found != files.end()) return &*found;
  }
  return nullptr;
}

// The specification that the finding is about, in its own place. Only NVIDIA's GPUs and ours: what
// another vendor's or another class's file says is not ours to make.
Steps renew_spec(const Fixing& fix) {
  const CdiFile* file = file_of(fix);
  if (file == nullptr) return {};
  const bool is_readable = file->error.empty();
  const std::string& kind = file->spec.kind;
  if (is_readable && kind != kVendorKind && kind != "estiva.dev/gpu") return {};
  const bool is_named_so = file->path.find("nvidia") != std::string::npos ||
                           file->path.find("estiva") != std::string::npos;
  if (!is_readable && (!is_named_so || file->is_ignored)) return {};
  const bool is_ours = file->path.find("estiva") != std::string::npos;
  return {make_spec(file->path, is_readable ? std::string_view(kind)
                                : is_ours   ? "estiva.dev/gpu"
                                            : kVendorKind)};
}

// Into the folder that counts most among those that the engine reads.
Steps make_missing_spec(const Fixing& fix) {
  const auto& dirs = fix.facts.cdi.dirs;
  std::string path(kSharedSpec);
  if (!dirs.empty()) path = fmt::format("{}/nvidia.yaml", dirs.back());
  return {make_spec(std::move(path), kVendorKind)};
}

// All but one of the files of one folder that declare a device; the one that NVIDIA's own unit
// writes stays, else the newest.
Steps remove_doubles(const Fixing& fix) {
  std::vector<const CdiFile*> files;
  for (const Evidence& one : fix.finding.evidence)
    for (const CdiFile& file : fix.facts.cdi.files)
      if (file.path == one.path && std::ranges::find(files, &file) == files.end())
        files.push_back(&file);
  if (files.size() < 2) return {};
  const auto keeps = std::ranges::max_element(files, [](const CdiFile* a, const CdiFile* b) {
    const bool a_first = a->path == kSharedSpec, b_first = b->path == kSharedSpec;
    return a_first != b_first ? b_first : a->modified_at < b->modified_at;
  });
  Steps steps;
  for (const CdiFile* file : files) {
    if (file == *keeps) continue;
    steps.push_back(make_step(StepKind::remove_file, file->path,
                              fmt::format(msg::kFixDouble, (*keeps)->path),
                              fmt::format(msg::kFixDoubleEffect, file->path), msg::kFixFileUndo));
  }
  return steps;
}

Steps make_readable(const Fixing& fix) {
  Steps steps;
  for (const Evidence& one : fix.finding.evidence) {
    if (one.source != Evidence::Source::file || !one.path.starts_with('/')) continue;
    Step step = make_step(StepKind::set_mode, one.path, std::string(msg::kFixReadable),
                          std::string(msg::kFixReadableEffect), msg::kFixReadableUndo);
    step.mode = 0644;
    steps.push_back(std::move(step));
  }
  return steps;
}

// One line of the toolkit's config.toml; every other byte stays.
Steps set_toolkit(const Fixing& fix, std::string_view key, std::string_view value) {
  const TextFile& config = fix.facts.toolkit.config;
  if (!config.text) return {};
  std::string edited;
  bool found = false;
  std::string_view rest = *config.text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end);
    const std::size_t equals = line.find('=');
    const bool is_it =
        !found && equals != std::string_view::npos && format::trim(line.substr(0, equals)) == key;
    if (!is_it) {
      edited += line;
      continue;
    }
    found = true;
    const std::size_t blanks = line.find_first_not_of(' ');
    edited += fmt::format("{}{} = {}{}", line.substr(0, blanks), key, value,
                          line.ends_with('\n') ? "\n" : "");
  }
  if (!found) return {};
  return {
      write_step(config.path, std::move(edited),
                 fmt::format(msg::kFixToolkit, fmt::format("{} = {}", key, value), config.path))};
}

Steps allow_cgroups(const Fixing& fix) {
  return set_toolkit(fix, "no-cgroups", "false");
}
Steps forbid_cgroups(const Fixing& fix) {
  return set_toolkit(fix, "no-cgroups", "true");
}
Steps right_ldconfig(const Fixing& fix) {
  // Debian and Ubuntu wrap it (ldconfig.real on Ubuntu); everywhere else it is this one.
  const bool is_ubuntu = distribution_of(fix.facts.release) == Distribution::ubuntu;
  return set_toolkit(fix, "ldconfig",
                     is_ubuntu ? "\"@/sbin/ldconfig.real\"" : "\"@/sbin/ldconfig\"");
}

// What the set-up does anyway, as far as it concerns this finding.
Steps of_setup(const Fixing& fix, bool (*concerns)(const Step&, const ReadinessFacts&)) {
  SetupWish wish;
  wish.program = fix.program;
  const auto setup = plan_setup(fix.facts, wish);
  if (!setup) return {};
  Steps steps;
  for (const Step& step : setup->plan.steps)
    if (concerns(step, fix.facts)) steps.push_back(step);
  return steps;
}
Steps write_daemon_json(const Fixing& fix) {
  return of_setup(fix, [](const Step& step, const ReadinessFacts& facts) {
    const std::string& path = facts.engine.daemon_json.path;
    return step.target == (path.empty() ? "/etc/docker/daemon.json" : path);
  });
}
Steps order_units(const Fixing& fix) {
  return of_setup(fix, [](const Step& step, const ReadinessFacts&) {
    return step.target.find("-cdi") != std::string::npos || step.kind == StepKind::reload_units;
  });
}

std::string compose_reason(const ComposeMend& mend) {
  std::string reason;
  for (const format::ComposeChange& one : mend.changes) {
    if (!reason.empty()) reason += "; ";
    reason += one.devices.empty()
                  ? fmt::format(msg::kFixComposeKeeps, one.service)
                  : fmt::format(msg::kFixComposeAsks, one.service, fmt::join(one.devices, ", "));
  }
  return reason;
}

std::string compose_effect(const ReadinessFacts& facts, const ComposeFact& file,
                           const ComposeMend& mend) {
  const std::string effect =
      fmt::format(msg::kFixComposeEffect, recreate_command(facts, file, mend.changes));
  std::vector<const ContainerFact*> stop;
  for (const format::ComposeChange& one : mend.changes)
    for (const ContainerFact* container : containers_of(facts, file, one.service))
      if (container->state == "running") stop.push_back(container);
  return stop.empty() ? effect : fmt::format(msg::kFixComposeStops, effect, names_of(stop));
}

// One step a file, whichever finding comes first: all services that can be rewritten in it.
Steps rewrite_compose(const Fixing& fix) {
  Steps steps;
  for (const Evidence& one : fix.finding.evidence) {
    const auto file = std::ranges::find(fix.facts.compose, one.path, &ComposeFact::path);
    if (one.source != Evidence::Source::file || file == fix.facts.compose.end()) continue;
    ComposeMend mend = mend_compose(fix.facts, *file);
    if (mend.changes.empty()) continue;
    Step step = make_step(StepKind::write_file, file->path, compose_reason(mend),
                          compose_effect(fix.facts, *file, mend), msg::kFixComposeUndo);
    step.content = std::move(mend.text);
    steps.push_back(std::move(step));
  }
  return steps;
}

struct Row {
  std::string_view rule;
  Steps (*make)(const Fixing&);
  Fix most = Fix::automatic;  // Fix::asks: the yes to the plan is what is asked for
};
constexpr Row kFixes[] = {
    {"D2", load_modules},
    {"D11", load_modules},
    {"D13", renumber_nodes},
    {"D16", start_persistence},
    {"D19", allow_overcommit},
    {"C1", make_missing_spec},
    {"C2", make_missing_spec},
    {"C3", remove_doubles},
    {"C5", renew_spec},
    {"C6", make_readable},
    {"C7", renew_spec},
    {"C8", renew_spec},
    {"C9", renew_spec},
    {"C10", renew_spec},
    {"C11", renew_spec},
    {"C12", renew_spec},
    {"C13", renew_spec},
    {"C15", renew_spec},
    {"D12", renew_spec},
    {"K5", order_units},
    {"K9", write_daemon_json},
    {"K11", write_daemon_json},
    {"K15", forbid_cgroups},
    {"K16", allow_cgroups},
    {"K19", right_ldconfig},
    {"P2", rewrite_compose},
    {"P3", rewrite_compose},
    {"P4", rewrite_compose},
    {"P14", rewrite_compose, Fix::asks},
};

bool is_same_effect(const Step& a, const Step& b) {
  return a.kind == b.kind && a.target == b.target;
}

}  // namespace

bool has_fix(std::string_view rule) {
  return std::ranges::find(kFixes, rule, &Row::rule) != std::end(kFixes);
}

Plan plan_fixes(const ReadinessFacts& facts, const std::vector<Finding>& findings,
                const std::string& program) {
  Plan plan;
  plan.id = "doctor";
  for (const Finding& finding : findings) {
    const auto row = std::ranges::find(kFixes, finding.id, &Row::rule);
    if (row == std::end(kFixes)) continue;
    if (finding.remedy.fix != Fix::automatic && finding.remedy.fix != row->most) continue;
    for (Step& step : row->make({facts, finding, program})) {
      step.reason = fmt::format("{}: {}", finding.id, step.reason);
      const bool is_there = std::ranges::any_of(
          plan.steps, [&](const Step& one) { return is_same_effect(one, step); });
      if (!is_there) plan.steps.push_back(std::move(step));
    }
  }
  return plan;
}

}  // namespace estiva::decide
