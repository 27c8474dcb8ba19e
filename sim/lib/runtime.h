// What every exported function passes through: is the library initialised, does the version match,
// does the handle mean a card that is there, is a fault to be played; then the body, on the
// machine's state; and around it the counting of calls and time.
#pragma once
#include <cstring>
#include <string_view>
#include <type_traits>

#include "sim/core/functions.h"
#include "sim/core/state.h"
#include "sim/lib/abi.h"

#define ESTIVA_NVML extern "C" __attribute__((visibility("default"))) int

namespace estiva::sim {

// What a handle points at. Handles stay the same for the life of the library.
struct Handle {
  unsigned gpu;
  int instance;  // -1: the whole card
};

Return runtime_init(Fn function, unsigned flags);
Return runtime_shutdown();

// nullptr before the first Init of this process. The state may be in change: use a Reader.
State* machine();
// The library's own version, fixed when its file was loaded. Attaches if need be.
const char* library_version();

Device handle_of(unsigned gpu, int instance);
// nullptr where it is not one of ours.
const Handle* resolve(Device device);

// Brings simulated time up to date where there is no host that does it.
void tick();
// No host passes time, and the time line has XIDs that only a look at the clock makes happen.
bool xids_need_polling();
// "inside" time of one call, and its result, into the counters.
class Timed {
 public:
  explicit Timed(Fn function);
  ~Timed();
  Return done(Return result) {
    result_ = result;
    return result;
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  Fn function_;
  std::int64_t start_;
  Return result_ = kSuccess;
};

// Everything that comes before a body. `gpu` is -1 for functions of the whole system.
Return before(Fn function, int gpu);
// The same for a handle: also lost, reset required, unplugged; wakes a sleeping card.
Return before_device(Fn function, const Handle* handle);
// A call that attaches to the card: wakes it where it sleeps, and counts that.
void touch(unsigned gpu);

// Runs `body` until no writer was at work meanwhile: it must only read the state and write its
// outputs. Bounded: a host that died in mid-write can't hold us.
template <class Body>
Return consistent(const State& state, Body&& body) {
  Return result = kUnknown;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::uint64_t before_read = state.sequence.load(std::memory_order_acquire);
    if (before_read & 1 && attempt < 999) {
      __builtin_ia32_pause();
      continue;
    }
    result = body();
    std::atomic_thread_fence(std::memory_order_acquire);
    if (state.sequence.load(std::memory_order_relaxed) == before_read) break;
  }
  return result;
}

// A function on the machine: body(const State&).
template <class Body>
Return on_system(Fn function, Body&& body) {
  Timed timed(function);
  if (const Return wrong = before(function, -1); wrong != kSuccess) return timed.done(wrong);
  const State& state = *machine();
  return timed.done(consistent(state, [&] { return body(state); }));
}

// A function on a card or a MIG instance of one: body(const Gpu&, const Handle&).
template <class Body>
Return on_device(Fn function, Device device, Body&& body) {
  Timed timed(function);
  const Handle* handle = resolve(device);
  if (const Return wrong = before_device(function, handle); wrong != kSuccess)
    return timed.done(wrong);
  const State& state = *machine();
  const Gpu& gpu = state.gpus[handle->gpu];
  return timed.done(consistent(state, [&]() -> Return {
    if constexpr (std::is_invocable_v<Body, const Gpu&, const Handle&, const State&>) {
      return body(gpu, *handle, state);
    } else {
      return body(gpu, *handle);
    }
  }));
}

// A function that MIG instances do not have: body(const Gpu&).
template <class Body>
Return on_gpu(Fn function, Device device, Body&& body) {
  return on_device(function, device, [&](const Gpu& gpu, const Handle& handle) -> Return {
    return handle.instance >= 0 ? kNotSupported : body(gpu);
  });
}

// Copies a string into a caller's buffer.
inline Return put(char* to, unsigned length, std::string_view text) {
  if (to == nullptr) return kInvalidArgument;
  if (length < text.size() + 1) return kInsufficientSize;
  std::memcpy(to, text.data(), text.size());
  to[text.size()] = '\0';
  return kSuccess;
}
template <class T, class U>
Return put(T* to, U value) {
  if (to == nullptr) return kInvalidArgument;
  *to = static_cast<T>(value);
  return kSuccess;
}
// The value where the card has it.
template <class T, class U>
Return put_if(bool has, T* to, U value) {
  if (to == nullptr) return kInvalidArgument;
  return has ? put(to, value) : kNotSupported;
}

}  // namespace estiva::sim
