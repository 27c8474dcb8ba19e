#include "engines/checkpoint_unit.h"

#include <algorithm>
#include <dlfcn.h>
#include <fmt/format.h>
#include <optional>

#include "base/clock.h"
#include "base/messages/engines_checkpoint.h"
#include "host/process.h"

namespace estiva::engines {
namespace {

using std::chrono::milliseconds;

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

std::string code_text(int code) {
  switch (code) {
    case cuda::kInvalidValue:
      return "no CUDA process";
    case cuda::kOutOfMemory:
      return "out of memory";
    case cuda::kIllegalState:
      return "illegal state";
    case cuda::kNotReady:
      return "not ready in time";
    case cuda::kNotSupported:
      return "not supported";
    default:
      return fmt::format("CUDA error {}", code);
  }
}

// One freeze or thaw.
class Unit {
 public:
  Unit(const CheckpointLibrary& driver, const UnitReport& report)
      : driver_(driver), report_(report) {}

  // Those that use CUDA and are in `wanted`; nullopt, with `outcome` set, where one is in another
  // state or is a stranger.
  std::optional<std::vector<UnitProcess>> those_in(cuda::State wanted,
                                                   const std::vector<UnitProcess>& unit) {
    std::vector<UnitProcess> found;
    for (const UnitProcess& process : unit) {
      int state = cuda::kRunning;
      const int code = driver_.state(process.pid, &state);
      if (code == cuda::kInvalidValue || code == cuda::kNotInitialized) continue;
      if (code != cuda::kSuccess || state != wanted) {
        const bool is_broken = code == cuda::kSuccess && state == cuda::kFailed;
        end(is_broken ? UnitEnd::broken : UnitEnd::unchanged,
            fmt::format(msg::kCheckpointState, process.pid,
                        code == cuda::kSuccess ? state_text(state) : code_text(code)));
        return std::nullopt;
      }
      found.push_back(process);
    }
    if (found.empty()) {
      end(UnitEnd::unchanged, std::string(msg::kCheckpointNoCuda));
      return std::nullopt;
    }
    return found;
  }

  int lock(const UnitProcess& process, milliseconds time) {
    cuda::LockArgs args{};
    args.timeout_ms = static_cast<unsigned>(std::max<milliseconds::rep>(1, time.count()));
    return call("lock", process, [&] { return driver_.lock(process.pid, &args); });
  }
  int checkpoint(const UnitProcess& process) {
    cuda::CheckpointArgs args{};
    return call("checkpoint", process, [&] { return driver_.checkpoint(process.pid, &args); });
  }
  int restore(const UnitProcess& process) {
    cuda::RestoreArgs args{};
    return call("restore", process, [&] { return driver_.restore(process.pid, &args); });
  }
  int unlock(const UnitProcess& process) {
    cuda::UnlockArgs args{};
    return call("unlock", process, [&] { return driver_.unlock(process.pid, &args); });
  }
  bool is_in(cuda::State wanted, const UnitProcess& process) const {
    int state = cuda::kFailed;
    return driver_.state(process.pid, &state) == cuda::kSuccess && state == wanted;
  }

  UnitOutcome end(UnitEnd how, std::string why, int code = cuda::kSuccess) {
    outcome_ = {how, code == cuda::kOutOfMemory, std::move(why)};
    return outcome_;
  }
  UnitOutcome failed(std::string_view verb, const UnitProcess& process, int code, UnitEnd how) {
    return end(how, fmt::format(msg::kCheckpointCall, verb, process.pid, code_text(code)), code);
  }
  const UnitOutcome& outcome() const { return outcome_; }

 private:
  static std::string state_text(int state) {
    constexpr std::string_view kNames[] = {"running", "locked", "checkpointed", "failed"};
    return state >= 0 && state <= 3 ? std::string(kNames[state]) : fmt::format("state {}", state);
  }

  // A stranger that was given the number is not touched.
  template <class Call>
  int call(std::string_view verb, const UnitProcess& process, Call make) {
    static const auto root = host::Root::open("/");
    const auto started = root ? host::start_ticks_of(*root, process.pid)
                              : Result<std::uint64_t>(Failure(root.error()));
    const bool is_it = started && *started == process.start_ticks;
    const int code = is_it ? make() : cuda::kInvalidValue;
    report_(verb, process.pid, code);
    return code;
  }

  const CheckpointLibrary& driver_;
  const UnitReport& report_;
  UnitOutcome outcome_;
};

using Processes = std::vector<UnitProcess>;

bool unlock_in_reverse(Unit& work, const Processes& locked) {
  return std::all_of(locked.rbegin(), locked.rend(), [&](const UnitProcess& process) {
    return work.unlock(process) == cuda::kSuccess;
  });
}

// Back to running: the first `checkpointed` of the locked ones are restored before that.
bool roll_back(Unit& work, const Processes& locked, std::size_t checkpointed) {
  for (std::size_t i = checkpointed; i-- > 0;) {
    if (work.restore(locked[i]) != cuda::kSuccess) return false;
  }
  return unlock_in_reverse(work, locked);
}

}  // namespace

std::string_view to_name(UnitEnd end) {
  switch (end) {
    case UnitEnd::done:
      return "done";
    case UnitEnd::unchanged:
      return "unchanged";
    case UnitEnd::broken:
      break;
  }
  return "broken";
}

Result<CheckpointLibrary> open_checkpoint_library(const std::string& name) {
  void* const library = ::dlopen(name.c_str(), RTLD_NOW);
  const auto refuse = [](std::string why) {
    return fail(ErrorKind::refused, std::move(why), std::string(msg::kCheckpointDriverRemedy));
  };
  if (library == nullptr) return refuse(fmt::format(msg::kCheckpointNoLibrary, name));
  CheckpointLibrary found;
  const bool is_whole = find(library, "cuInit", found.init) &&
                        find(library, "cuCheckpointProcessGetState", found.state) &&
                        find(library, "cuCheckpointProcessLock", found.lock) &&
                        find(library, "cuCheckpointProcessCheckpoint", found.checkpoint) &&
                        find(library, "cuCheckpointProcessRestore", found.restore) &&
                        find(library, "cuCheckpointProcessUnlock", found.unlock);
  if (!is_whole) return refuse(fmt::format(msg::kCheckpointOldLibrary, name));
  (void)find(library, "cuCheckpointProcessGetRestoreThreadId", found.restore_thread);
  if (const int code = found.init(0); code != cuda::kSuccess)
    return refuse(fmt::format(msg::kCheckpointNoInit, code));
  return found;
}

UnitOutcome freeze_unit(const CheckpointLibrary& driver, const Processes& unit,
                        milliseconds lock_limit, const UnitReport& report) {
  Unit work(driver, report);
  const auto processes = work.those_in(cuda::kRunning, unit);
  if (!processes) return work.outcome();
  const SteadyTime deadline = steady_now() + lock_limit;
  Processes locked;
  for (const UnitProcess& process : *processes) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_now());
    const int code = work.lock(process, left);
    if (code == cuda::kSuccess) {
      locked.push_back(process);
      continue;
    }
    // One that is gone leaves the others without it: no unit any more.
    const bool is_as_before =
        work.is_in(cuda::kRunning, process) && unlock_in_reverse(work, locked);
    return work.failed("lock", process, code, is_as_before ? UnitEnd::unchanged : UnitEnd::broken);
  }
  for (std::size_t i = 0; i < locked.size(); ++i) {
    const int code = work.checkpoint(locked[i]);
    if (code == cuda::kSuccess) continue;
    const bool is_as_before = work.is_in(cuda::kLocked, locked[i]) && roll_back(work, locked, i);
    return work.failed("checkpoint", locked[i], code,
                       is_as_before ? UnitEnd::unchanged : UnitEnd::broken);
  }
  return work.end(UnitEnd::done, {});
}

UnitOutcome thaw_unit(const CheckpointLibrary& driver, const Processes& unit,
                      const UnitReport& report) {
  Unit work(driver, report);
  const auto processes = work.those_in(cuda::kCheckpointed, unit);
  if (!processes) return work.outcome();
  for (std::size_t i = processes->size(); i-- > 0;) {
    const int code = work.restore((*processes)[i]);
    if (code == cuda::kSuccess) continue;
    bool is_as_before = work.is_in(cuda::kCheckpointed, (*processes)[i]);
    for (std::size_t k = i + 1; is_as_before && k < processes->size(); ++k)
      is_as_before = work.checkpoint((*processes)[k]) == cuda::kSuccess;
    return work.failed("restore", (*processes)[i], code,
                       is_as_before ? UnitEnd::unchanged : UnitEnd::broken);
  }
  for (std::size_t i = processes->size(); i-- > 0;) {
    const int code = work.unlock((*processes)[i]);
    if (code != cuda::kSuccess)
      return work.failed("unlock", (*processes)[i], code, UnitEnd::broken);
  }
  return work.end(UnitEnd::done, {});
}

}  // namespace estiva::engines
