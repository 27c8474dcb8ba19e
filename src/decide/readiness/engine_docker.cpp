// K1 to K6, K12 to K14 and K32: the engine, its version, and what was there when it started.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_doctor_engine.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/finders.h"
#include "decide/readiness/unit_look.h"
#include "decide/setup/unit_graph.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kHook = "nvidia-container-runtime-hook";
constexpr std::string_view kCdiHook = "nvidia-cdi-hook";
// From these on: --gpus tries CDI first (and knows nvidia-cdi-hook); CDI at all; CDI by default,
// and registered before containers are restored.
constexpr std::string_view kCdiFirst = "29.2", kCdiOptional = "25.0", kCdiDefault = "28.2";
constexpr std::string_view kPodmanGpus = "5.0";  // --gpus has no effect in Podman 4

// The program that makes Docker offer '--gpus'; null: none is installed.
const ProgramFact* gpus_program(const ReadinessFacts& facts) {
  const auto& programs = facts.toolkit.programs;
  if (const auto hook = programs.find(std::string(kHook)); hook != programs.end())
    return &hook->second;
  const auto cdi = programs.find(std::string(kCdiHook));
  const bool knows_it = docker_is_at_least(facts, kCdiFirst).value_or(true);
  return cdi != programs.end() && knows_it ? &cdi->second : nullptr;
}

// Where dockerd's PATH is not known, it is taken to be the usual one.
bool is_on_path(const ReadinessFacts& facts, const ProgramFact& program) {
  const std::string& path = facts.engine.search_path;
  const std::string folder = program.path.substr(0, program.path.rfind('/'));
  return path.empty() || (":" + path + ":").find(":" + folder + ":") != std::string::npos;
}

bool has_cdi_device(const ReadinessFacts& facts) {
  return std::ranges::any_of(facts.engine.discovered, [](const std::string& name) {
    return name.starts_with("nvidia.com/gpu");
  });
}

// A Docker of its own on this machine that answered, and a GPU for it.
bool is_native_docker(const ReadinessFacts& facts) {
  return facts.engine.kind == EngineKind::docker && engine_answered(facts) && has_gpu(facts) &&
         sees_engine_host(facts);
}

bool starts_by_itself(const ContainerFact& container) {
  return container.restart_policy == "always" || container.restart_policy == "unless-stopped";
}

std::vector<const ContainerFact*> cdi_restarters(const ReadinessFacts& facts) {
  auto found = containers_where(facts, [](const GpuRequest& one) { return one.by_cdi; });
  std::erase_if(found, [](const ContainerFact* one) { return !starts_by_itself(*one); });
  return found;
}

std::vector<Evidence> policies(std::span<const ContainerFact* const> containers) {
  std::vector<Evidence> evidence;
  for (const ContainerFact* one : containers) {
    evidence.push_back(engine_evidence(fmt::format(msg::kDoctorContainer, one->name),
                                       fmt::format(msg::kRestartPolicy, one->restart_policy)));
  }
  return evidence;
}

// Whether somebody relies on CDI here.
bool wants_cdi(const ReadinessFacts& facts) {
  const auto users = containers_where(facts, [](const GpuRequest& one) { return one.by_cdi; });
  return !users.empty() || declares_cdi(facts);
}

Hit cdi_off_hit(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  Hit hit{.evidence = {engine_evidence(msg::kDockerVersion, engine.version),
                       engine_evidence(msg::kDockerInfo, msg::kNoCdiDirs)}};
  if (!docker_is_at_least(facts, kCdiOptional).value_or(true)) {
    hit.title = fmt::format(msg::kDockerTooOld, engine.version);
    hit.remedy = msg::kUpgradeDocker;
    hit.evidence.pop_back();
  } else if (declares_cdi(facts)) {
    hit.title = fmt::format(msg::kCdiNotStarted, engine.daemon_json.path);
    hit.remedy = msg::kRestartDocker;
    hit.evidence.push_back(file_evidence(engine.daemon_json, "\"cdi\""));
  } else if (docker_is_at_least(facts, kCdiDefault).value_or(false)) {
    hit.title = fmt::format(msg::kCdiSwitchedOff, engine.version);
    hit.remedy = fmt::format(msg::kRemoveCdiOff, engine.daemon_json.path);
    if (engine.daemon_json.text.known())
      hit.evidence.push_back(file_evidence(engine.daemon_json, "\"cdi"));
  } else {
    hit.title = fmt::format(msg::kCdiOptIn, engine.version);
  }
  return hit;
}

// Makes a spec that is gone after a boot: another place than /etc, or none is named.
bool makes_spec_at_boot(const UnitFact& unit) {
  if (!unit.is_enabled || !unit.name.ends_with(".service")) return false;
  if (unit.name == "nvidia-cdi-refresh.service") return true;
  return std::ranges::any_of(unit_commands(unit, "ExecStart"), [](const std::string& command) {
    return command.find("cdi generate") != command.npos && command.find("/etc/") == command.npos;
  });
}

bool has_lasting_spec(const ReadinessFacts& facts) {
  return std::ranges::any_of(gpu_specs(facts),
                             [](const CdiFile* one) { return one->path.starts_with("/etc/"); });
}

}  // namespace

Hits find_no_gpu_driver(const ReadinessFacts& facts) {
  if (!is_native_docker(facts)) return {};
  const ProgramFact* program = gpus_program(facts);
  if (program != nullptr && is_on_path(facts, *program)) return {};
  const auto users = containers_where(facts, [](const GpuRequest& one) { return one.by_flag; });
  // A machine that uses CDI alone needs nothing of NVIDIA's toolkit.
  if (users.empty() && !facts.engine.cdi_dirs.empty() && !gpu_specs(facts).empty()) return {};
  Hit hit;
  if (program != nullptr) {
    hit.title = fmt::format(msg::kHookOffPath, program->path);
    hit.evidence = {host_evidence(msg::kDockerdPath, facts.engine.search_path)};
  } else {
    hit.title = users.empty() ? std::string(msg::kToolkitMissing)
                              : fmt::format(msg::kToolkitMissingUsed, names_of(users));
    hit.evidence = {host_evidence(msg::kDockerdPath, msg::kHookLookedFor)};
    hit.remedy = pick(facts, msg::kInstallToolkit);
  }
  return {hit};
}

Hits find_toolkit_after_start(const ReadinessFacts& facts) {
  if (!is_native_docker(facts) || !facts.engine.started_at) return {};
  const std::int64_t started = *facts.engine.started_at;
  const ProgramFact* program = gpus_program(facts);
  if (program == nullptr || !is_on_path(facts, *program) || program->changed_at <= started)
    return {};
  // An upgrade renews the program too. Its configuration is written once, at the installation.
  const TextFile& config = facts.toolkit.config;
  if (config.exists() && config.modified_at > 0 && config.modified_at <= started) return {};
  const bool works = std::ranges::any_of(facts.containers, [&](const ContainerFact& one) {
    return gpu_request(one).by_flag && one.started_at > started;
  });
  if (works) return {};
  return {{.title = fmt::format(msg::kToolkitIsNewer, program->path),
           .evidence = {host_evidence(
               program->path, fmt::format(msg::kChangedAt, program->changed_at, started))}}};
}

Hits find_cdi_off(const ReadinessFacts& facts) {
  if (!is_native_docker(facts)) return {};
  const bool is_too_old = !docker_is_at_least(facts, kCdiOptional).value_or(true);
  if (!is_too_old && (!facts.engine.cdi_known || !facts.engine.cdi_dirs.empty())) return {};
  Hit hit = cdi_off_hit(facts);
  if (wants_cdi(facts)) return {hit};
  // Older engines have it off unless somebody asks: nothing is wrong where nobody uses it.
  if (!docker_is_at_least(facts, kCdiDefault).value_or(false)) {
    hit.severity = Severity::info;
  } else if (gpus_program(facts) != nullptr) {
    hit.severity = Severity::warning;
  }
  return {hit};
}

Hits find_restart_loses_cdi(const ReadinessFacts& facts) {
  if (!is_native_docker(facts) || docker_is_at_least(facts, kCdiDefault).value_or(true) ||
      !docker_is_at_least(facts, kCdiOptional).value_or(false))
    return {};
  const UnitFact* unit = find_unit(facts.units, kCdiRestartUnit);
  if (unit != nullptr && unit->is_enabled) return {};
  const auto users = cdi_restarters(facts);
  if (users.empty()) return {};
  std::vector<Evidence> evidence = {engine_evidence(msg::kDockerVersion, facts.engine.version)};
  for (Evidence& one : policies(users)) evidence.push_back(std::move(one));
  return {{.title = fmt::format(msg::kWontRestart, facts.engine.version, names_of(users)),
           .evidence = std::move(evidence)}};
}

Hits find_boot_race(const ReadinessFacts& facts) {
  const UnitFact* docker = find_unit(facts.units, "docker.service");
  if (!is_native_docker(facts) || docker == nullptr || !docker->is_enabled ||
      has_lasting_spec(facts))
    return {};
  Hits hits;
  const auto users = cdi_restarters(facts);
  for (const UnitFact& unit : facts.units) {
    if (!makes_spec_at_boot(unit) || is_ordered_before(unit, docker, "docker.service")) continue;
    Hit hit{.title = fmt::format(msg::kNotBeforeDocker, unit.name),
            .evidence = {{Evidence::Source::file, unit.path, 0, {}}},
            .remedy = fmt::format(msg::kOrderUnit, unit.name)};
    if (users.empty()) hit.severity = Severity::info;
    for (Evidence& one : policies(users)) hit.evidence.push_back(std::move(one));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits find_unit_cycle(const ReadinessFacts& facts) {
  Hits hits;
  for (const UnitCycle& cycle : find_unit_cycles(build_unit_graph(facts.units))) {
    std::vector<Evidence> evidence;
    for (const UnitOrder& order : cycle.orders) {
      const UnitFact* unit = find_unit(facts.units, order.written_in);
      if (unit != nullptr)
        evidence.push_back({Evidence::Source::file, unit->path, 0, order.directive});
    }
    hits.push_back({.title = to_sentence(cycle), .evidence = std::move(evidence)});
  }
  return hits;
}

Hits find_snap_docker(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  if (engine.kind != EngineKind::docker_snap || !engine_answered(facts) || !has_gpu(facts))
    return {};
  const bool has_runtime = std::ranges::find(engine.runtimes, "nvidia") != engine.runtimes.end();
  if (has_runtime || has_cdi_device(facts)) return {};
  return {{.title = fmt::format(msg::kSnapWithoutGpu, engine.version),
           .evidence = {engine_evidence(msg::kDockerInfo, engine.version)}}};
}

Hits find_docker_desktop(const ReadinessFacts& facts) {
  // Docker Desktop on WSL has the GPU.
  if (facts.engine.kind != EngineKind::docker_desktop || !is_host(facts) || !has_gpu(facts) ||
      has_cdi_device(facts))
    return {};
  return {{.title = std::string(msg::kDesktopWithoutGpu),
           .evidence = {engine_evidence(msg::kDockerInfo, "Docker Desktop")}}};
}

Hits find_podman_as_docker(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  if (!engine.cli_is_podman || engine.kind != EngineKind::podman || engine.version.empty() ||
      !has_gpu(facts) || compare_versions(engine.version, kPodmanGpus) >= 0)
    return {};
  return {{.title = fmt::format(msg::kPodmanIgnoresGpus, engine.version),
           .evidence = {host_evidence(msg::kDockerVersion, "podman " + engine.version)}}};
}

Hits find_silent_fallback(const ReadinessFacts& facts) {
  if (!is_native_docker(facts) || !docker_is_at_least(facts, kCdiFirst).value_or(false) ||
      !facts.engine.cdi_known || has_cdi_device(facts) ||
      !facts.toolkit.programs.contains(std::string(kCdiHook)))
    return {};
  const auto users = containers_where(facts, [](const GpuRequest& one) { return one.by_flag; });
  if (users.empty()) return {};
  return {{.title = fmt::format(msg::kFallsBack, facts.engine.version, names_of(users)),
           .evidence = {engine_evidence(msg::kDockerInfo, msg::kNoCdiDevice)}}};
}

}  // namespace estiva::decide
