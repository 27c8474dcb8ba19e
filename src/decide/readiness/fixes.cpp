#include "decide/readiness/fixes.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_fixes.h"
#include "base/messages/decide_plans.h"
#include "decide/readiness/compose_mend.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/finders.h"
#include "decide/readiness/fix_parts.h"
#include "decide/readiness/look.h"
#include "decide/setup/setup_plan.h"
#include "format/sha256.h"
#include "format/text.h"

namespace estiva::decide {

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
                        fmt::format(msg::kEffectWritten, path), msg::kUndoFile);
  step.content = std::move(content);
  step.mode = 0644;
  return step;
}

Step reload_step() {
  return make_step(StepKind::reload_units, "", std::string(msg::kFixReload),
                   std::string(msg::kFixReloadEffect), msg::kFixUnitUndo);
}

namespace {

constexpr std::string_view kModulesFile = "/etc/modules-load.d/estiva-nvidia.conf";
// Behind 99-sysctl.conf, Debian's name of /etc/sysctl.conf: the last one that names a value wins.
constexpr std::string_view kSysctlFile = "/etc/sysctl.d/99-zz-estiva.conf";
constexpr std::string_view kPersistenceUnit = "nvidia-persistenced.service";
constexpr std::string_view kSharedSpec = "/var/run/cdi/nvidia.yaml";

// As the module was told to make them, but for their group.
mode_t mode_of_nodes(const ReadinessFacts& facts) {
  const auto& params = facts.kernel.nvidia_params;
  const auto mode = params.find("DeviceFileMode");
  const auto number = mode == params.end() ? std::nullopt : format::parse_u64(mode->second);
  return number ? static_cast<mode_t>(*number) & 0666 : 0666;
}

Step node_step(const std::string& path, const NodeNumbers& numbers, mode_t mode) {
  const std::string device = fmt::format("c {} {}", numbers.major, numbers.minor);
  Step step = make_step(StepKind::make_node, path, fmt::format(msg::kFixNode, device),
                        std::string(msg::kFixNodeEffect), msg::kFixNodeUndo);
  step.content = device;
  step.mode = mode;
  return step;
}

// The nodes of a module that is loaded only now have numbers that nobody knows before.
Steps load_modules(const Fixing& fix) {
  Steps steps;
  for (const char* module : {"nvidia", "nvidia_uvm"}) {
    if (is_loaded(fix.facts, module)) continue;
    steps.push_back(make_step(StepKind::load_module, module, std::string(msg::kFixLoads),
                              fmt::format(msg::kFixLoadsEffect, module), msg::kFixLoadsUndo));
  }
  for (const std::string& path : fix.facts.driver.missing_nodes)
    if (const auto numbers = right_numbers(fix.facts, path))
      steps.push_back(node_step(path, *numbers, mode_of_nodes(fix.facts)));
  steps.push_back(write_step(kModulesFile,
                             "# Written by estiva doctor --fix.\nnvidia\nnvidia_uvm\n",
                             std::string(msg::kFixLoadsAtBoot)));
  return steps;
}

// "c 195 0" where the evidence of D13 names the node; it keeps its mode.
Steps renumber_nodes(const Fixing& fix) {
  Steps steps;
  if (fix.facts.kernel.in_container) return steps;  // its node is the engine's to make
  std::vector<DeviceNode> nodes = fix.facts.driver.files.nodes;
  nodes.insert(nodes.end(), fix.facts.driver.odd_nodes.begin(), fix.facts.driver.odd_nodes.end());
  for (const Evidence& one : fix.finding.evidence) {
    const auto node = std::ranges::find(nodes, one.path, &DeviceNode::path);
    const auto right = right_numbers(fix.facts, one.path);
    if (node == nodes.end() || !right) continue;
    steps.push_back(node_step(one.path, *right, node->mode));
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

bool declares_all_of(const CdiFile& file, const CdiFile& other) {
  return file.spec.kind == other.spec.kind &&
         std::ranges::all_of(other.spec.devices, [&](const CdiDevice& device) {
           return std::ranges::find(file.spec.devices, device.name, &CdiDevice::name) !=
                  file.spec.devices.end();
         });
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
    if (!declares_all_of(**keeps, *file)) return {};  // a person may want what only it has
    steps.push_back(make_step(StepKind::remove_file, file->path,
                              fmt::format(msg::kFixDouble, (*keeps)->path),
                              fmt::format(msg::kFixDoubleEffect, file->path), msg::kUndoFile));
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
// Mode csv is a Jetson's, and does not work on any other machine. What else stands there was
// chosen.
Steps leave_csv(const Fixing& fix) {
  const bool is_csv = toolkit_setting(fix.facts, "mode").value_or("") == "csv";
  if (fix.facts.kernel.is_tegra || !is_csv) return {};
  return set_toolkit(fix, "mode", "\"auto\"");
}
Steps right_ldconfig(const Fixing& fix) {
  const std::string& path = fix.facts.toolkit.ldconfig;
  return path.empty() ? Steps{} : set_toolkit(fix, "ldconfig", fmt::format("\"@{}\"", path));
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

// What the services had of the driver beside compute and the specification does not give; with the
// command that makes one that does.
std::string capabilities_note(const ReadinessFacts& facts, const ComposeFact& file,
                              const ComposeMend& mend) {
  const auto lacks = lacking_capabilities(facts, file, mend);
  if (lacks.services.empty()) return {};
  return fmt::format(msg::kFixComposeLacks, joined(lacks.services), joined(lacks.capabilities),
                     fmt::join(lacks.generate, ","), lacks.spec);
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
    step.effect += capabilities_note(fix.facts, *file, mend);
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
// What is not here stays a guide, or asks:
//   D3 D15 D17 K1 K2 K3 K20  stop or restart what runs
//   D6 D7 D9 D18             want a package, the kernel's first files or a reboot
//   D1 D5 D8 D10 D22, K12 to K14, K18, K22 to K24, K26, K27, K29, K30, K32
//                            are somebody else's program, image, host or hardware
//   P1, P5 to P13            are containers, images and programs
// Of those that are here, a maker says beside itself which cases it leaves to a person.
constexpr Row kFixes[] = {
    {"D2", load_modules},
    {"D4", hold_driver},
    {"D11", load_modules},
    {"D12", renew_spec},
    {"D13", renumber_nodes},
    {"D14", give_group},
    {"D16", start_persistence},
    {"D19", allow_overcommit},
    {"D20", share_gpus},
    {"D21", renew_spec},
    {"C1", make_missing_spec},
    {"C2", make_missing_spec},
    {"C3", remove_doubles},
    {"C4", renew_spec},
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
    {"K4", start_what_docker_left},
    {"K5", order_units},
    {"K6", break_cycle},
    {"K7", mend_daemon_json},
    {"K8", drop_doubled_keys},
    {"K9", declare_runtime},
    {"K10", restore_features},
    {"K11", right_runtime},
    {"K15", forbid_cgroups},
    {"K16", allow_cgroups},
    {"K17", link_nodes},
    {"K19", right_ldconfig},
    {"K21", renew_spec},  // ours has no hooks
    {"K25", renew_spec},  // nor that one
    {"K28", leave_csv},
    {"K31", allow_devices},
    {"P2", rewrite_compose},
    {"P3", rewrite_compose},
    {"P4", rewrite_compose},
    {"P14", rewrite_compose, Fix::asks},
};

// What other verbs do, which show what they stop and ask.
struct CommandRow {
  std::string_view rule, command;
};
constexpr CommandRow kCommands[] = {
    {"D3", "estiva recover"},
    {"K2", "estiva recover --restart-docker"},
    {"K3", "estiva setup apply --restart-docker"},
    {"P8", "estiva setup apply --unset-default-runtime --restart-docker"},
    {"P11", "estiva recover --recreate"},
};

const Row* row_of(const Finding& finding) {
  const auto row = std::ranges::find(kFixes, finding.id, &Row::rule);
  const bool is_ours = row != std::end(kFixes) &&
                       (finding.remedy.fix == Fix::automatic || finding.remedy.fix == row->most);
  return is_ours ? &*row : nullptr;
}

// The files that several fixes change, each as the ones before it leave it.
TextFile* shared_file(ReadinessFacts& facts, const Step& step) {
  if (step.kind != StepKind::write_file) return nullptr;
  for (TextFile* file : {&facts.engine.daemon_json, &facts.toolkit.config})
    if (!file->path.empty() && file->path == step.target) return file;
  return nullptr;
}

// The text that a fix was made from; null: it was none of these.
const std::string* text_read(const ReadinessFacts& facts, std::string_view path) {
  for (const TextFile* file : {&facts.engine.daemon_json, &facts.toolkit.config})
    if (file->path == path && file->text) return &*file->text;
  const auto unit = std::ranges::find(facts.units, path, &UnitFact::path);
  if (unit != facts.units.end()) return &unit->text;
  const auto compose = std::ranges::find(facts.compose, path, &ComposeFact::path);
  return compose != facts.compose.end() && compose->text ? &*compose->text : nullptr;
}

// One step for one thing. A file that an earlier fix writes gets the later one's content, which
// was made from the earlier one's.
void add_step(Plan& plan, Step step) {
  const auto same = std::ranges::find_if(plan.steps, [&](const Step& one) {
    return one.kind == step.kind && one.target == step.target;
  });
  if (same == plan.steps.end()) {
    plan.steps.push_back(std::move(step));
  } else if (step.kind == StepKind::write_file && same->content != step.content) {
    same->content = std::move(step.content);
    same->reason = fmt::format("{}; {}", same->reason, step.reason);
  }
}

}  // namespace

bool has_fix(std::string_view rule) {
  return std::ranges::find(kFixes, rule, &Row::rule) != std::end(kFixes);
}

std::string_view command_for(std::string_view rule) {
  const auto row = std::ranges::find(kCommands, rule, &CommandRow::rule);
  return row == std::end(kCommands) ? std::string_view() : row->command;
}

bool can_fix(const ReadinessFacts& facts, const Finding& finding) {
  const Row* row = row_of(finding);
  return row != nullptr && !row->make({facts, finding, "/usr/bin/estiva"}).empty();
}

Plan plan_fixes(const ReadinessFacts& facts, const std::vector<Finding>& findings,
                const std::string& program) {
  Plan plan;
  plan.id = "doctor";
  ReadinessFacts now = facts;
  for (const Finding& finding : findings) {
    const Row* row = row_of(finding);
    if (row == nullptr) continue;
    for (Step& step : row->make({now, finding, program})) {
      if (TextFile* file = shared_file(now, step)) file->text = step.content;
      step.reason = fmt::format("{}: {}", finding.id, step.reason);
      const std::string* text = text_read(facts, step.target);
      if (step.kind == StepKind::write_file && text != nullptr)
        step.expects = format::sha256_hex(*text);
      add_step(plan, std::move(step));
    }
  }
  return plan;
}

}  // namespace estiva::decide
