// Attaching to a machine, keeping its time, playing faults, counting. Everything lives in this
// file's statics, which start afresh when the library file is loaded again; nothing here has a
// thread or outlives dlclose.
#include "sim/lib/runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/core/engine.h"

namespace __gnu_cxx {
// NOLINTNEXTLINE(bugprone-reserved-identifier): libstdc++'s name for it
void __freeres();  // of our own, static copy of the C++ runtime
}  // namespace __gnu_cxx

namespace estiva::sim {
namespace {

constexpr std::int64_t kTickNs = 1'000'000;  // without a host, time moves on at most this often

struct Statics {
  State* state = nullptr;
  bool ours = false;  // no host: we let time pass ourselves
  ino_t inode = 0;
  char version[32] = "";
  int references = 0;
  bool init_failed = false;
  std::int64_t epoch_ns = 0;
  std::int64_t last_tick_ns = 0;
  Scenario* scenario = nullptr;
};
Statics statics;
std::atomic_flag lock = ATOMIC_FLAG_INIT;
Handle handles[kMaxGpus][kMaxInstances + 1];

class Locked {
 public:
  Locked() {
    while (lock.test_and_set(std::memory_order_acquire)) __builtin_ia32_pause();
  }
  ~Locked() { lock.clear(std::memory_order_release); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
};

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void nap(std::int64_t ns) {
  const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
  ::nanosleep(&time, nullptr);
}

// When this process started, on CLOCK_BOOTTIME: a time line then survives a reload of the library.
std::int64_t process_start_ns() {
  char text[2048];
  const int fd = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return clock_ns(CLOCK_BOOTTIME);
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return clock_ns(CLOCK_BOOTTIME);
  text[size] = '\0';
  const char* at = std::strrchr(text, ')');  // the name may hold blanks
  for (int field = 2; at != nullptr && field < 22; ++field) at = std::strchr(at + 1, ' ');
  if (at == nullptr) return clock_ns(CLOCK_BOOTTIME);
  return std::atoll(at + 1) * (1'000'000'000LL / ::sysconf(_SC_CLK_TCK));
}

void detach() {
  if (statics.state != nullptr) ::munmap(statics.state, sizeof(State));
  delete statics.scenario;
  statics.state = nullptr;
  statics.scenario = nullptr;
}

Return complain(const std::string& what) {
  std::fprintf(stderr, "simulated libnvidia-ml: %s\n", what.c_str());
  return kUnknown;
}

Return attach_host(const char* dir) {
  const std::string path = std::string(dir) + "/machine";
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return kDriverNotLoaded;  // as a machine whose driver is not there (yet)
  struct stat info {};
  const bool whole = ::fstat(fd, &info) == 0 && info.st_size >= static_cast<off_t>(sizeof(State));
  if (whole && statics.state != nullptr && statics.inode == info.st_ino) {
    ::close(fd);
    return kSuccess;
  }
  detach();
  void* at = whole ? ::mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                   : MAP_FAILED;
  ::close(fd);
  if (at == MAP_FAILED) return kDriverNotLoaded;
  statics.state = static_cast<State*>(at);
  statics.inode = info.st_ino;
  if (statics.state->magic != kMagic || statics.state->layout != kLayout) {
    detach();
    return complain(path + " was made by another version of the simulator");
  }
  return kSuccess;
}

Return attach_scenario() {
  if (statics.state != nullptr) return kSuccess;
  const char* from = std::getenv("ESTIVA_SIM_SCENARIO");
  LoadedScenario loaded = load_scenario(from != nullptr && *from != '\0' ? from : "workstation-2");
  if (!loaded.error.empty()) return complain(loaded.error);
  void* at =
      ::mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return kMemory;
  statics.state = static_cast<State*>(at);
  statics.ours = true;
  statics.scenario = new Scenario(std::move(loaded.scenario));
  const char* epoch = std::getenv("ESTIVA_SIM_EPOCH");
  statics.epoch_ns = epoch != nullptr ? std::atoll(epoch) : process_start_ns();
  const char* offset = std::getenv("ESTIVA_SIM_TIME");
  if (offset != nullptr) statics.epoch_ns -= static_cast<std::int64_t>(std::atof(offset) * 1e9);
  build(*statics.state, *statics.scenario);
  return kSuccess;
}

void fill_handles() {
  for (unsigned gpu = 0; gpu < kMaxGpus; ++gpu) {
    for (unsigned i = 0; i <= kMaxInstances; ++i) handles[gpu][i] = {gpu, static_cast<int>(i) - 1};
  }
}

void tick_locked() {
  if (!statics.ours) return;
  const std::int64_t now = clock_ns(CLOCK_BOOTTIME) - statics.epoch_ns;
  if (now - statics.last_tick_ns < kTickNs && statics.last_tick_ns != 0) return;
  statics.last_tick_ns = now;
  const Writing writing(*statics.state);
  advance(*statics.state, *statics.scenario, now);
}

Return attach() {
  fill_handles();
  const char* dir = std::getenv("ESTIVA_SIM_DIR");
  const Return result = dir != nullptr && *dir != '\0' ? attach_host(dir) : attach_scenario();
  if (result == kSuccess) tick_locked();
  if (result == kSuccess && statics.version[0] == '\0') {
    std::memcpy(statics.version, statics.state->library_version, sizeof statics.version);
  }
  return result;
}

bool is_init(Fn function) {
  return function == Fn::nvmlInit || function == Fn::nvmlInit_v2 ||
         function == Fn::nvmlInitWithFlags;
}

bool matches(const Fault& fault, Fn function, int gpu) {
  if (fault.gpu >= 0 && fault.gpu != gpu) return false;
  if (fault.function == kInitFunctions) return is_init(function);
  if (fault.function == kAllFunctions) {
    return !is_init(function) && function != Fn::nvmlShutdown && function != Fn::nvmlErrorString;
  }
  return fault.function == static_cast<int>(function);
}

Return play(Fault& fault) {
  switch (fault.kind) {
    case FaultKind::latency:
      nap(fault.latency_ns);
      return kSuccess;
    case FaultKind::error:
      return fault.code;
    case FaultKind::hang:  // until the fault is cleared
      while (fault.kind == FaultKind::hang) {
        nap(2'000'000);
        tick();
      }
      return kSuccess;
    case FaultKind::abort:
      std::abort();
    default:
      return kSuccess;
  }
}

Return play_faults(Fn function, int gpu) {
  for (Fault& fault : statics.state->faults) {
    if (fault.kind == FaultKind::none || !matches(fault, function, gpu)) continue;
    const std::uint64_t seen = fault.seen.fetch_add(1, std::memory_order_relaxed);
    if (seen < fault.after || (fault.times != 0 && seen >= fault.after + fault.times)) continue;
    if (const Return result = play(fault); result != kSuccess) return result;
  }
  return kSuccess;
}

Return check_driver() {
  if (!statics.state->driver_loaded) return kDriverNotLoaded;
  const bool same = std::strncmp(statics.version, statics.state->driver_version, 32) == 0;
  return same ? kSuccess : kLibRmVersionMismatch;
}

// The C++ runtime keeps 71 KiB for exceptions in hard times and gives it back only when asked:
// without this, each reload of the library would leave that much behind.
__attribute__((destructor)) void unload() {
  detach();
  __gnu_cxx::__freeres();
}

}  // namespace

void tick() {
  if (!statics.ours) return;
  const Locked locked;
  tick_locked();
}

bool xids_need_polling() {
  if (!statics.ours) return false;
  const auto& events = statics.scenario->events;
  return std::any_of(events.begin(), events.end(),
                     [](const auto& event) { return event.command.verb == Verb::xid; });
}

State* machine() {
  return statics.state;
}

const char* library_version() {
  const Locked locked;
  if (statics.version[0] == '\0') attach();
  return statics.version;
}

Return runtime_init(Fn function, unsigned /*flags*/) {
  {
    const Locked locked;
    if (const Return result = attach(); result != kSuccess) {
      statics.init_failed = true;
      return result;
    }
    tick_locked();
  }
  Timed timed(function);
  Return result = play_faults(function, -1);
  if (result == kSuccess) result = check_driver();
  const Locked locked;
  if (result == kSuccess)
    ++statics.references;
  else
    statics.init_failed = true;
  return timed.done(result);
}

Return runtime_shutdown() {
  const Locked locked;
  if (statics.references > 0) {
    --statics.references;
    return kSuccess;
  }
  return statics.init_failed ? kSuccess : kUninitialized;  // as driver 550 does [measured]
}

Device handle_of(unsigned gpu, int instance) {
  return reinterpret_cast<Device>(&handles[gpu][instance + 1]);
}

const Handle* resolve(Device device) {
  const auto at = reinterpret_cast<std::uintptr_t>(device);
  const auto first = reinterpret_cast<std::uintptr_t>(&handles[0][0]);
  if (at < first || at >= first + sizeof handles || (at - first) % sizeof(Handle) != 0)
    return nullptr;
  return reinterpret_cast<const Handle*>(device);
}

Return before(Fn function, int gpu) {
  if (statics.references == 0) return kUninitialized;
  tick();
  if (const Return result = play_faults(function, gpu); result != kSuccess) return result;
  return check_driver();
}

void touch(unsigned gpu) {
  Gpu& card = statics.state->gpus[gpu];
  if (card.asleep && card.wake_request.exchange(1, std::memory_order_relaxed) == 0) {
    card.wakes.fetch_add(1, std::memory_order_relaxed);
  }
}

Return before_device(Fn function, const Handle* handle) {
  if (statics.references == 0) return kUninitialized;
  if (handle == nullptr || handle->gpu >= statics.state->gpu_count) return kInvalidArgument;
  if (const Return result = before(function, static_cast<int>(handle->gpu)); result != kSuccess) {
    return result;
  }
  Gpu& gpu = statics.state->gpus[handle->gpu];
  if (!gpu.present || gpu.health == Health::lost) return kGpuIsLost;
  if (gpu.health == Health::reset_required) return kResetRequired;
  if (handle->instance >= static_cast<int>(gpu.instance_count)) return kNotFound;
  touch(handle->gpu);
  return kSuccess;
}

Timed::Timed(Fn function) : function_(function), start_(clock_ns(CLOCK_MONOTONIC)) {}

Timed::~Timed() {
  if (statics.state == nullptr) return;
  FunctionStats& stats = statics.state->stats[static_cast<unsigned>(function_)];
  stats.calls.fetch_add(1, std::memory_order_relaxed);
  stats.ns.fetch_add(static_cast<std::uint64_t>(clock_ns(CLOCK_MONOTONIC) - start_),
                     std::memory_order_relaxed);
  if (result_ != kSuccess) stats.errors.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace estiva::sim
