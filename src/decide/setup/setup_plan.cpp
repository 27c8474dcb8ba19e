#include "decide/setup/setup_plan.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include "base/messages/decide_plans.h"
#include "base/messages/decide_setup_plan.h"
#include "decide/cdi/check.h"
#include "decide/readiness/engine_look.h"
#include "decide/setup/daemon_json.h"
#include "decide/setup/dockerd_keys.h"
#include "decide/setup/engine_unit.h"
#include "decide/setup/units.h"
#include "format/cdi_rules.h"
#include "format/engine_version.h"
#include "format/sha256.h"

namespace estiva::decide {
namespace {

constexpr unsigned kNvidia = 0x10de;
// Podman takes CDI names for --device (containers/podman, release notes of 4.1.0).
constexpr format::EngineVersion kPodmanHasCdi{4, 1};
constexpr std::string_view kVendorKind = "nvidia.com/gpu";
constexpr std::string_view kOwnSpec = "/var/run/cdi/estiva.yaml";
// The name that nvidia-cdi-refresh.service writes to: whoever writes last wins, and there is one.
constexpr std::string_view kSharedSpec = "/var/run/cdi/nvidia.yaml";
constexpr std::string_view kPersistenceUnit = "nvidia-persistenced.service";
constexpr std::string_view kSuspendUnits[] = {"nvidia-suspend.service", "nvidia-hibernate.service",
                                              "nvidia-resume.service"};
// The daemon after its sockets, which are there before it.
constexpr std::array<std::string_view, 5> kOwnUnits = {
    "estiva-control.socket", "estiva-lease.socket", "estiva-launch.socket", "estiva.service",
    "estiva-gateway.service"};
constexpr std::string_view kVendorUnits[] = {"nvidia-cdi-refresh.path",
                                             "nvidia-cdi-refresh.service"};

bool has_gpu(const ReadinessFacts& facts) {
  const auto& pci = facts.kernel.pci;
  return facts.kernel.has_dxg || !facts.kernel.module_version.empty() ||
         std::any_of(pci.begin(), pci.end(), [](const PciFact& one) {
           return one.vendor == kNvidia && one.pci_class >> 16 == 0x03;
         });
}

const UnitFact* find_unit(const ReadinessFacts& facts, std::string_view name) {
  const auto found = std::find_if(facts.units.begin(), facts.units.end(),
                                  [&](const UnitFact& unit) { return unit.name == name; });
  return found == facts.units.end() ? nullptr : &*found;
}

bool is_docker(const EngineFacts& engine) {
  return engine.kind == EngineKind::docker || engine.kind == EngineKind::docker_snap;
}

bool is_same_folder(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view folder) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.remove_suffix(1);
    return folder.starts_with("/var/run/") ? folder.substr(4) : folder;  // a link on every system
  };
  return bare(a) == bare(b);
}

// "features.cdi = true, log-driver = \"json-file\"".
std::string in_words(const std::vector<DaemonJsonChange>& changes) {
  std::vector<std::string> words;
  for (const DaemonJsonChange& change : changes)
    words.push_back(
        fmt::format("{} = {}", change.path,
                    change.after.empty() ? msg::kTakenAway : std::string_view(change.after)));
  return fmt::format("{}", fmt::join(words, ", "));
}

class Planner {
 public:
  Planner(const ReadinessFacts& facts, const SetupWish& wish) : facts_(facts), wish_(wish) {
    result_.plan.id = "setup";
  }

  Result<SetupPlan> all() {
    if (!has_gpu(facts_))
      return fail(ErrorKind::refused, std::string(msg::kSetupNoGpu),
                  std::string(msg::kSetupNoGpuRemedy));
    // Units can't reach home folders (ProtectHome=), and what lies there goes with its user.
    for (const std::string_view home : {"/home", "/root", "/run/user"})
      if (wish_.program.starts_with(home) && wish_.program.substr(home.size()).starts_with('/'))
        return fail(ErrorKind::refused, fmt::format(msg::kSetupAtHome, wish_.program),
                    std::string(msg::kSetupAtHomeRemedy));
    choose_policy();
    plan_units();
    plan_spec();
    plan_persistence();
    plan_service();
    if (auto ok = plan_daemon(); !ok) return Failure(ok.error());
    return std::move(result_);
  }

 private:
  Step& add(StepKind kind, std::string_view target, std::string_view reason, std::string effect,
            std::string_view undo) {
    Step step;
    step.kind = kind;
    step.target = target;
    step.reason = reason;
    step.effect = std::move(effect);
    step.undo = undo;
    result_.plan.steps.push_back(std::move(step));
    return result_.plan.steps.back();
  }
  void write(const std::string& path, std::string content, std::string_view reason) {
    Step& step = add(StepKind::write_file, path, reason, fmt::format(msg::kEffectWritten, path),
                     msg::kUndoFile);
    step.content = std::move(content);
    step.mode = 0644;
  }
  void enable(std::string_view unit, std::string_view reason) {
    const UnitFact* known = find_unit(facts_, unit);
    if (known != nullptr && known->is_enabled) return;
    add(StepKind::enable_unit, unit, reason, fmt::format(msg::kEffectEnable, unit), msg::kUndoUnit);
  }
  void start(std::string_view unit) {
    const UnitFact* known = find_unit(facts_, unit);
    if (known != nullptr && known->is_active.value_or(false)) return;
    add(StepKind::start_unit, unit, msg::kReasonStart, fmt::format(msg::kEffectStart, unit),
        msg::kUndoNothing);
  }

  // Files of others that declare nvidia.com/gpu and count.
  std::vector<const CdiFile*> vendor_files() const {
    std::vector<const CdiFile*> files;
    for (const CdiFile& file : facts_.cdi.files) {
      const bool counts = file.error.empty() && !file.is_ignored && file.spec.kind == kVendorKind;
      if (counts && !is_ours(file)) files.push_back(&file);
    }
    return files;
  }
  // Written by estiva earlier: our unit names it.
  bool is_ours(const CdiFile& file) const {
    const UnitFact* unit = find_unit(facts_, "estiva-cdi.service");
    return unit != nullptr && unit->text.find(" -o " + file.path) != std::string::npos;
  }
  // The first error of a specification against this machine; nothing where it is healthy.
  std::optional<std::string> fault_of(const CdiFile& file) const {
    const std::string newest(
        format::newest_version_of_engine(facts_.engine.kind, facts_.engine.version));
    const CdiHost host{facts_.cdi.hosts, facts_.driver.files, newest};
    for (const CdiProblem& problem : check_cdi(file.spec, host))
      if (problem.severity == Severity::error) return problem.text;
    return std::nullopt;
  }

  void choose_policy() {
    const auto vendor = vendor_files();
    const bool takes = vendor.empty() || wish_.take_over;
    kind_ = takes ? kVendorKind : kOwnKind;
    spec_ = takes ? kSharedSpec : kOwnSpec;
    if (!takes) {
      for (const CdiFile* file : vendor) {
        const auto fault = fault_of(*file);
        result_.notes.push_back(fault ? fmt::format(msg::kNoteAdoptedSick, file->path, *fault)
                                      : fmt::format(msg::kNoteAdopted, file->path, kOwnKind));
      }
      return;
    }
    result_.notes.push_back(fmt::format(msg::kNoteTakenOver, kVendorKind, kSharedSpec));
    if (wish_.take_over) silence_vendor(vendor);
  }

  void silence_vendor(const std::vector<const CdiFile*>& files) {
    for (const std::string_view unit : kVendorUnits) {
      const UnitFact* known = find_unit(facts_, unit);
      if (known == nullptr) continue;
      const auto reason = fmt::format(msg::kReasonVendorOff, kVendorKind);
      if (known->is_enabled)
        add(StepKind::disable_unit, unit, reason, fmt::format(msg::kEffectVendorOff, unit),
            msg::kUndoUnit);
      // The service does its work once and ends; started by the undo it would write its file anew.
      // No file says whether a path unit runs: where it does not, the step is left out later.
      if (unit.ends_with(".path"))
        add(StepKind::stop_unit, unit, reason, fmt::format(msg::kEffectVendorStop, unit),
            msg::kUndoStop);
    }
    for (const CdiFile* file : files) {
      if (file->path == kSharedSpec) continue;  // ours takes its place
      add(StepKind::remove_file, file->path, msg::kReasonVendorSpec,
          fmt::format(msg::kEffectRemoved, file->path), msg::kUndoFile);
    }
  }

  UnitNeeds unit_needs() const {
    UnitNeeds needs;
    needs.program = wish_.program;
    needs.engine = unit_of_engine(facts_.engine);
    needs.kind = kind_;
    needs.spec = spec_;
    for (const std::string_view name : kSuspendUnits) {
      const UnitFact* unit = find_unit(facts_, name);
      if (unit != nullptr && !unit->is_masked) needs.suspend_units.emplace_back(name);
    }
    // The daemon's unit, user and folders come with its installation; here they are only enabled.
    needs.wants_daemon = false;
    for (const DriverLibrary& library : facts_.driver.files.libraries)
      for (const std::string& link : library.links)
        if (link.ends_with("/libcuda.so.1")) needs.watched.push_back(link);
    return needs;
  }

  void plan_units() {
    const SetupUnits units = plan_setup_units(unit_needs(), facts_.units);
    for (const SetupFile& file : units.files) write(file.path, file.content, file.reason);
    add(StepKind::reload_units, "", msg::kReasonReload, std::string(msg::kEffectReload),
        msg::kUndoNothing);
    for (const std::string& unit : units.enable) enable(unit, msg::kReasonEnable);
    result_.notes.insert(result_.notes.end(), units.left_out.begin(), units.left_out.end());
    for (const UnitCycle& cycle : units.cycles)
      result_.notes.push_back(fmt::format(msg::kNoteCycle, to_sentence(cycle)));
  }

  void plan_spec() {
    add(StepKind::run_generator, spec_, fmt::format(msg::kReasonSpec, kind_),
        fmt::format(msg::kEffectSpec, spec_), msg::kUndoFile)
        .content = kind_;
    start("estiva-cdi.path");
  }

  void plan_persistence() {
    const UnitFact* unit = find_unit(facts_, kPersistenceUnit);
    if (unit == nullptr || unit->is_masked) return;
    enable(kPersistenceUnit, msg::kReasonPersistence);
    if (!facts_.driver.persistence_running) start(kPersistenceUnit);
  }

  // estiva's own daemon.
  void plan_service() {
    if (!wish_.daemon) return;
    if (find_unit(facts_, kOwnUnits.back()) == nullptr) {
      result_.notes.emplace_back(msg::kNoteNoService);
      return;
    }
    for (const std::string_view unit : kOwnUnits) enable(unit, msg::kReasonEnable);
    for (const std::string_view unit : kOwnUnits) start(unit);
  }

  // What is said of an engine that has no daemon.json to edit; nothing where it has.
  std::optional<std::string> without_daemon_json() const {
    const EngineFacts& engine = facts_.engine;
    const bool is_podman = engine.kind == EngineKind::podman;
    const auto version = format::parse_engine_version(engine.version);
    if (is_podman && version && *version < kPodmanHasCdi)
      return fmt::format(msg::kNotePodmanOld, engine.version);
    if (is_podman || (engine.kind == EngineKind::none && engine.cli_is_podman))
      return std::string(msg::kNotePodman);
    if (engine.kind == EngineKind::docker_desktop)
      return std::string(facts_.kernel.in_wsl ? msg::kNoteDesktopWsl : msg::kNoteDesktop);
    if (!is_docker(engine)) return std::string(msg::kNoteNoDocker);
    return std::nullopt;
  }

  // Only a file that is not there may be taken for an empty one.
  Result<DaemonJsonInput> daemon_json_input() const {
    const EngineFacts& engine = facts_.engine;
    DaemonJsonInput input;
    if (!engine.daemon_json.path.empty()) input.file = engine.daemon_json.path;
    if (engine.daemon_json.text) {
      input.text = *engine.daemon_json.text;
    } else if (engine.daemon_json.text.why() != Missing::not_supported) {
      const bool is_denied = engine.daemon_json.text.why() == Missing::not_permitted;
      return fail(is_denied ? ErrorKind::denied : ErrorKind::refused,
                  fmt::format(msg::kDaemonJsonUnread, input.file),
                  std::string(is_denied ? msg::kDaemonJsonDeniedHow : msg::kDaemonJsonUnreadHow));
    }
    input.engine_version = engine.version;
    input.arguments = dockerd_arguments(facts_);
    input.wish.log_rotation = wish_.log_rotation;
    input.wish.unset_default_runtime = wish_.unset_default_runtime;
    // A snap does not see the host's programs, and NVIDIA's hook can't work for a user's engine.
    const bool can_hook = engine.kind == EngineKind::docker && !engine.is_rootless;
    const auto runtime = facts_.toolkit.programs.find("nvidia-container-runtime");
    if (can_hook && runtime != facts_.toolkit.programs.end())
      input.wish.nvidia_runtime = runtime->second.path;
    return input;
  }

  void check_folder_is_read() {
    const EngineFacts& engine = facts_.engine;
    const std::string_view folder = spec_.substr(0, spec_.rfind('/'));
    const bool is_read =
        std::any_of(engine.cdi_dirs.begin(), engine.cdi_dirs.end(),
                    [&](const std::string& one) { return is_same_folder(one, folder); });
    if (engine.cdi_dirs.empty() || is_read) return;
    result_.notes.push_back(fmt::format(msg::kNoteNotRead, fmt::join(engine.cdi_dirs, ", "), spec_,
                                        folder, engine.daemon_json.path));
  }

  Result<void> plan_daemon() {
    if (const auto said = without_daemon_json()) {
      result_.notes.push_back(*said);
      return {};
    }
    if (facts_.engine.kind == EngineKind::docker_snap)
      result_.notes.push_back(fmt::format(msg::kNoteSnap, facts_.engine.daemon_json.path));
    check_folder_is_read();
    const auto asked = daemon_json_input();
    if (!asked) return Failure(asked.error());
    const DaemonJsonInput& input = *asked;
    if (auto fault =
            fault_of_daemon_json(input.text.value_or(""), input.file, input.engine_version))
      return Failure(std::move(*fault));
    auto edited = plan_daemon_json(input);
    if (!edited) return Failure(edited.error());
    for (const DaemonJsonNote& note : edited->notes)
      result_.notes.push_back(note.remedy.empty() ? note.text
                                                  : fmt::format("{}. {}", note.text, note.remedy));
    if (edited->changes.empty()) return {};
    // A user's folder may lead anywhere, and what root writes there the user can't change.
    if (facts_.engine.is_rootless)
      result_.notes.push_back(
          fmt::format(msg::kNoteRootless, input.file, in_words(edited->changes)));
    else
      write_daemon_json(input, *edited);
    return {};
  }

  void write_daemon_json(const DaemonJsonInput& input, DaemonJsonPlan& edited) {
    std::vector<std::string> paths;
    for (const DaemonJsonChange& change : edited.changes) paths.push_back(change.path);
    const std::string what = fmt::format("{}", fmt::join(paths, ", "));
    write(input.file, std::move(edited.text), fmt::format(msg::kReasonDaemonJson, what));
    // It was edited as it was read; whoever prepares the plan looks whether it still is so.
    result_.plan.steps.back().expects = input.text ? format::sha256_hex(*input.text) : "absent";
    const Takes takes = edited.takes();
    const std::string_view unit = unit_of_engine(facts_.engine);
    std::string& effect = result_.plan.steps.back().effect;
    if (takes == Takes::reload) effect = fmt::format(msg::kEffectReloaded, unit);
    if (takes == Takes::restart && !wish_.restart_engine)
      effect = fmt::format(msg::kEffectRestarted, unit);
    if (takes == Takes::reload) result_.notes.push_back(fmt::format(msg::kNoteReload, what, unit));
    if (takes == Takes::restart) restart_engine(what);
  }

  void restart_engine(const std::string& what) {
    const std::string_view unit = unit_of_engine(facts_.engine);
    std::vector<std::string> running;
    for (const ContainerFact& container : facts_.containers)
      if (container.state == "running") running.push_back(container.name);
    if (!wish_.restart_engine) {
      const std::string stops = running.empty() ? std::string(msg::kNothingRuns)
                                                : fmt::format("{}", fmt::join(running, ", "));
      result_.notes.push_back(fmt::format(msg::kNoteRestart, what, unit, stops));
      return;
    }
    Step& step = add(StepKind::restart_unit, unit, fmt::format(msg::kReasonRestart, what),
                     fmt::format(msg::kEffectRestart, unit), msg::kUndoRestart);
    step.risk = Risk::interrupts;
    step.stops = std::move(running);
  }

  const ReadinessFacts& facts_;
  const SetupWish& wish_;
  std::string_view kind_, spec_;  // of our own specification
  SetupPlan result_;
};

}  // namespace

Result<SetupPlan> plan_setup(const ReadinessFacts& facts, const SetupWish& wish) {
  return Planner(facts, wish).all();
}

std::vector<std::string> left_to_do(const Plan& plan) {
  std::vector<std::string> phrases;
  for (const Step& step : plan.steps) {
    const bool is_settings =
        step.kind == StepKind::write_file && step.target.ends_with("/daemon.json");
    if (is_settings && step.effect != fmt::format(msg::kEffectWritten, step.target))
      phrases.push_back(step.effect);
  }
  return phrases;
}

std::vector<std::string> still_to_do(const Plan& plan, const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  if (!engine.started_at || engine.daemon_json.modified_at <= *engine.started_at) return {};
  std::vector<std::string> phrases = left_to_do(plan);
  const bool has_runtime = std::ranges::find(engine.runtimes, "nvidia") != engine.runtimes.end();
  const std::string reload = fmt::format(msg::kEffectReloaded, unit_of_engine(engine));
  if (has_runtime) std::erase(phrases, reload);
  return phrases;
}

}  // namespace estiva::decide
