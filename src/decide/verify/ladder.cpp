#include "decide/verify/ladder.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <span>

#include "base/messages/decide_verify.h"

namespace estiva::decide {
namespace {

constexpr unsigned kNvidia = 0x10de;

// Which rung a finding of the catalogue belongs to.
std::string_view rung_of(std::string_view rule) {
  struct Row {
    std::string_view rung;
    std::string_view rules;  // each with blanks around it
  };
  static constexpr Row kRows[] = {
      {msg::kRungPci, " D8 D10 K29 "},
      {msg::kRungModule, " D2 D4 D5 D6 D7 D9 "},
      {msg::kRungFiles, " D1 D3 "},
      {msg::kRungNodes, " D11 D12 D13 D14 "},
      {msg::kRungNvml, " D22 "},
      {msg::kRungCuda, " D15 D16 D17 D18 D19 D20 D21 "},
      {msg::kRungContainer, " K22 K23 K24 K25 K26 K27 "},
  };
  for (const Row& row : kRows)
    if (row.rules.find(fmt::format(" {} ", rule)) != std::string_view::npos) return row.rung;
  if (rule.starts_with('C')) return msg::kRungSpec;
  if (rule.starts_with('K')) return msg::kRungEngine;
  return rule.starts_with('P') ? msg::kRungApplication : std::string_view();
}

// In words; to_name's are for programs.
std::string_view words_of(Missing why) {
  switch (why) {
    case Missing::not_supported:
      return msg::kWhyNotSupported;
    case Missing::not_permitted:
      return msg::kWhyNotPermitted;
    case Missing::lost:
      return msg::kWhyLost;
    case Missing::asleep:
      return msg::kWhyAsleep;
    case Missing::unresponsive:
      return msg::kWhyUnresponsive;
    case Missing::failed:
      return msg::kWhyFailed;
    case Missing::not_read:
    case Missing::no_sample:
      return msg::kWhyNotRead;
  }
  return msg::kWhyNotRead;
}

class Climb {
 public:
  Climb(const ReadinessFacts& facts, const std::vector<Finding>& findings,
        const ContainerLook& look)
      : facts_(facts), findings_(findings), look_(look) {}

  Ladder all() {
    pci();
    // Without a card all that follows would fail for that one reason.
    if (!has_gpu_ && !has_driver() && !look_.was_tried) {
      conclude();
      return std::move(ladder_);
    }
    module();
    files();
    nodes();
    nvml();
    cuda();
    spec();
    engine();
    container();
    conclude();
    return std::move(ladder_);
  }

 private:
  // What was seen decides; a finding of the rung makes it worse, and says what to do.
  void add(std::string_view name, RungState state, std::string seen, std::string remedy = {}) {
    Rung rung{std::string(name), state, std::move(seen), {}, std::move(remedy)};
    for (const Finding& finding : findings_) {
      if (rung_of(finding.id) != name || finding.severity == Severity::info) continue;
      const bool is_error = finding.severity == Severity::error;
      const bool said_nothing = rung.state == RungState::passed;
      if (said_nothing) rung.state = is_error ? RungState::failed : RungState::warned;
      if (!rung.rule.empty()) continue;
      rung.rule = finding.id;
      if (said_nothing) rung.seen = finding.title;
      rung.remedy = finding.remedy.text;
    }
    ladder_.rungs.push_back(std::move(rung));
  }
  bool has_driver() const {
    return !facts_.kernel.module_version.empty() || !facts_.driver.files.gpus.empty() ||
           !facts_.driver.files.nodes.empty();
  }
  void add_if(std::string_view name, bool good, std::string seen) {
    add(name, good ? RungState::passed : RungState::failed, std::move(seen));
  }

  void pci() {
    std::vector<std::string> found;
    for (const PciFact& one : facts_.kernel.pci)
      if (one.vendor == kNvidia && one.pci_class >> 16 == 0x03) found.push_back(one.bus_id);
    has_gpu_ = !found.empty() || facts_.kernel.has_dxg || !facts_.driver.gpus.empty();
    if (!found.empty())
      return add(msg::kRungPci, RungState::passed,
                 fmt::format(msg::kPciDevices, found.size(), fmt::join(found, ", ")));
    if (facts_.kernel.has_dxg)
      return add(msg::kRungPci, RungState::passed, std::string(msg::kWslAdapter));
    add(msg::kRungPci, RungState::failed, std::string(msg::kNoNvidiaDevice),
        std::string(msg::kNoNvidiaDeviceRemedy));
  }
  void module() {
    // WSL's driver lives in Windows.
    if (facts_.kernel.has_dxg) return;
    const std::string& version = facts_.kernel.module_version;
    add_if(msg::kRungModule, !version.empty(),
           version.empty() ? std::string(msg::kVerifyNoModule)
                           : fmt::format(msg::kModuleLoaded, version,
                                         facts_.kernel.is_open_module ? msg::kModuleOpen : ""));
  }
  void files() {
    const DriverFiles& files = facts_.driver.files;
    const bool has_cuda = std::any_of(
        files.libraries.begin(), files.libraries.end(),
        [](const DriverLibrary& one) { return one.path.find("/libcuda.so") != std::string::npos; });
    if (has_cuda)
      return add(msg::kRungFiles, RungState::passed,
                 fmt::format(msg::kFilesOfVersion, files.libraries.size(), files.library_version));
    const std::string& version = facts_.kernel.module_version;
    add(msg::kRungFiles, RungState::failed,
        version.empty() ? std::string(msg::kFilesNone) : fmt::format(msg::kFilesMissing, version));
  }
  void nodes() {
    if (facts_.kernel.has_dxg) return;
    const auto& missing = facts_.driver.missing_nodes;
    std::vector<std::string> there;
    for (const DeviceNode& node : facts_.driver.files.nodes) there.push_back(node.path);
    if (missing.empty() && there.empty())
      return add(msg::kRungNodes, RungState::failed, std::string(msg::kInsideNone));
    add_if(msg::kRungNodes, missing.empty(),
           missing.empty() ? fmt::format(msg::kNodesThere, fmt::join(there, ", "))
                           : fmt::format(msg::kVerifyNoNodes, fmt::join(missing, ", ")));
  }
  void nvml() {
    const DriverStatus& status = facts_.driver.status;
    const bool good = can_place(status.state);
    add_if(msg::kRungNvml, good,
           good ? fmt::format(msg::kNvmlSays, facts_.driver.gpus.size(), status.version)
                : status.reason);
  }
  void cuda() {
    const Reading<int>& init = facts_.driver.cuda_init;
    if (!init)
      return add(msg::kRungCuda, RungState::skipped,
                 fmt::format(msg::kNotAsked, words_of(init.why())));
    add_if(msg::kRungCuda, *init == 0,
           *init == 0 ? std::string(msg::kCudaStarts) : fmt::format(msg::kCudaFails, *init));
  }
  void spec() {
    for (auto file = facts_.cdi.files.rbegin(); file != facts_.cdi.files.rend(); ++file) {
      if (!file->error.empty() || file->is_ignored || file->spec.devices.empty()) continue;
      if (!file->spec.kind.starts_with("nvidia.com/")) continue;
      return add(msg::kRungSpec, RungState::passed,
                 fmt::format(msg::kSpecIn, file->path, file->spec.devices.size()));
    }
    add(msg::kRungSpec, RungState::failed, std::string(msg::kSpecNone));
  }
  void engine() {
    const EngineFacts& engine = facts_.engine;
    if (!has_engine())
      return add(msg::kRungEngine, RungState::failed, std::string(msg::kEngineNone),
                 engine.api_error);
    const std::string cdi = engine.cdi_dirs.empty()
                                ? ""
                                : fmt::format(msg::kEngineCdiOn, fmt::join(engine.cdi_dirs, ", "));
    add(msg::kRungEngine, RungState::passed,
        fmt::format(msg::kEngineIs, engine.kind == EngineKind::podman ? "Podman" : "Docker",
                    engine.version, cdi));
  }

  bool has_engine() const {
    return facts_.engine.kind != EngineKind::none && facts_.engine.api_error.empty();
  }

  void container() {
    if (!look_.was_tried)
      return add(msg::kRungContainer, RungState::skipped,
                 has_engine() ? look_.why_not : std::string(msg::kNoEngineNoContainer));
    if (!look_.error.empty()) return add(msg::kRungContainer, RungState::failed, look_.error);
    if (look_.name.empty()) {
      add(msg::kRungContainer, RungState::passed, fmt::format(msg::kStarted, look_.asked_by));
    } else if (!look_.is_running) {
      return add(msg::kRungContainer, RungState::failed, fmt::format(msg::kNotRunning, look_.name),
                 fmt::format(msg::kRunsAgain, look_.name));
    } else {
      add(msg::kRungContainer, RungState::passed,
          look_.asked_by.empty() ? fmt::format(msg::kRunsWithout, look_.name)
                                 : fmt::format(msg::kRuns, look_.name, look_.asked_by));
    }
    inside();
    if (!look_.name.empty()) application();
  }

  void inside() {
    if (!look_.seen)
      return add(msg::kRungInside, RungState::skipped,
                 fmt::format(msg::kNotAsked, words_of(look_.seen.why())));
    const Seen& seen = *look_.seen;
    std::vector<std::string> paths;
    std::string trouble;
    for (const SeenNode& node : seen.nodes) {
      paths.push_back(node.path);
      if (node.error != 0 && trouble.empty())
        trouble = fmt::format(msg::kInsideNode, node.path, node.error);
    }
    if (paths.empty()) trouble = msg::kInsideNone;
    add_if(msg::kRungInside, trouble.empty(),
           trouble.empty() ? fmt::format(msg::kNodesThere, fmt::join(paths, ", ")) : trouble);
    if (!seen.library_error.empty())
      return add(msg::kRungCudaInside, RungState::failed,
                 fmt::format(msg::kInsideNoLibrary, seen.library_error));
    if (!seen.init)
      return add(msg::kRungCudaInside, RungState::skipped,
                 fmt::format(msg::kNotAsked, words_of(seen.init.why())));
    if (*seen.init != 0)
      return add(msg::kRungCudaInside, RungState::failed, fmt::format(msg::kCudaFails, *seen.init));
    add_if(msg::kRungCudaInside, !seen.devices.empty(),
           seen.devices.empty() ? std::string(msg::kInsideNoDevices)
                                : fmt::format(msg::kInsideCuda, fmt::join(seen.devices, ", ")));
  }

  void application() {
    if (!look_.processes_known)
      add(msg::kRungProcesses, RungState::skipped, std::string(msg::kProcessesHidden));
    else if (look_.gpu_processes.empty())
      add(msg::kRungProcesses, RungState::skipped, std::string(msg::kNoProcessOnGpu));
    else
      add(msg::kRungProcesses, RungState::passed,
          fmt::format("{}", fmt::join(look_.gpu_processes, "; ")));
    std::vector<std::string> words;
    if (!look_.compute_line.empty()) words.push_back(look_.compute_line);
    if (!look_.torch.empty()) words.push_back(fmt::format(msg::kTorchSays, look_.torch));
    if (words.empty())
      return add(msg::kRungApplication, RungState::skipped, std::string(msg::kNothingToldBy));
    add_if(msg::kRungApplication, !says_cpu(), fmt::format("{}", fmt::join(words, "; ")));
  }
  bool says_cpu() const { return library_of(look_.compute_line) == "cpu" || look_.torch == "cpu"; }

  const Rung* first_failed() const {
    const auto found =
        std::find_if(ladder_.rungs.begin(), ladder_.rungs.end(),
                     [](const Rung& rung) { return rung.state == RungState::failed; });
    return found == ladder_.rungs.end() ? nullptr : &*found;
  }
  // A program computes there: nothing on the way can matter.
  bool computes() const {
    const bool inside =
        look_.seen && look_.seen->init && *look_.seen->init == 0 && !look_.seen->devices.empty();
    return look_.was_tried && !says_cpu() && (inside || !look_.gpu_processes.empty());
  }
  void say(LadderVerdict verdict, std::string summary) {
    ladder_.verdict = verdict;
    ladder_.summary = std::move(summary);
  }
  void conclude() {
    if (computes())
      return say(LadderVerdict::usable, look_.name.empty()
                                            ? std::string(msg::kUsable)
                                            : fmt::format(msg::kUsableThere, look_.name));
    const Rung* failed = first_failed();
    if (!has_gpu_)
      return say(LadderVerdict::cpu_only, fmt::format(msg::kCpuOnlyHere, msg::kNoNvidiaDevice));
    const bool runs = look_.was_tried && look_.is_running;
    if (runs && (says_cpu() || look_.asked_by.empty()))
      return say(
          LadderVerdict::cpu_only,
          fmt::format(msg::kCpuOnlyHere, says_cpu() ? ladder_.rungs.back().seen
                                                    : fmt::format(msg::kRunsWithout, look_.name)));
    if (failed != nullptr)
      return say(LadderVerdict::broken, fmt::format(msg::kBrokenAt, failed->name, failed->seen));
    say(LadderVerdict::unproven,
        fmt::format(msg::kUnproven, look_.was_tried ? ladder_.rungs.back().seen : look_.why_not));
  }

  const ReadinessFacts& facts_;
  const std::vector<Finding>& findings_;
  const ContainerLook& look_;
  bool has_gpu_ = false;
  Ladder ladder_;
};

}  // namespace

Ladder climb(const ReadinessFacts& facts, const std::vector<Finding>& findings,
             const ContainerLook& look) {
  return Climb(facts, findings, look).all();
}

// time=... level=INFO source=types.go:130 msg="inference compute" id=GPU-... library=cuda ...
std::string_view library_of(std::string_view compute_line) {
  constexpr std::string_view kKey = "library=";
  const std::size_t at = compute_line.find(kKey);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = compute_line.substr(at + kKey.size());
  return rest.substr(0, rest.find(' '));
}

std::string_view to_name(RungState state) {
  switch (state) {
    case RungState::passed:
      return "passed";
    case RungState::warned:
      return "warned";
    case RungState::failed:
      return "failed";
    case RungState::skipped:
      return "skipped";
  }
  return "skipped";
}

std::string_view to_name(LadderVerdict verdict) {
  switch (verdict) {
    case LadderVerdict::usable:
      return "usable";
    case LadderVerdict::cpu_only:
      return "cpu_only";
    case LadderVerdict::unproven:
      return "unproven";
    case LadderVerdict::broken:
      return "broken";
  }
  return "broken";
}

}  // namespace estiva::decide
