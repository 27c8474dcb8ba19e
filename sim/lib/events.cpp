// Event sets: XIDs of the cards that a client registered, from the moment it did so.
#include <algorithm>
#include <time.h>

#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

namespace {

constexpr unsigned kSets = 64;
constexpr unsigned long long kXidBit = 0x8;
constexpr unsigned long long kGeforceBits = 0x4 | 0x8 | 0x10, kDatacentreBits = 0x1f;
// Where time passes inside this process and its time line has an XID: nobody else would wake us.
constexpr std::int64_t kPollNs = 20'000'000;

struct Set {
  bool open;
  std::uint64_t seen;            // XIDs up to this one are past
  std::uint64_t mask[kMaxGpus];  // event bits by card
};
Set sets[kSets];

Set* resolve_set(EventSet handle) {
  const auto at = reinterpret_cast<std::uintptr_t>(handle);
  const auto first = reinterpret_cast<std::uintptr_t>(&sets[0]);
  if (at < first || at >= first + sizeof sets || (at - first) % sizeof(Set) != 0) return nullptr;
  Set* set = reinterpret_cast<Set*>(handle);
  return set->open ? set : nullptr;
}

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// The oldest XID after set.seen on a card that is watched.
bool take(Set& set, const State& state, EventData& data) {
  if (state.xid_sequence > set.seen + kMaxXids) set.seen = state.xid_sequence - kMaxXids;
  while (set.seen < state.xid_sequence) {
    const XidRecord& record = state.xids[set.seen % kMaxXids];
    ++set.seen;
    if ((set.mask[record.gpu] & kXidBit) == 0) continue;
    data = {handle_of(record.gpu, -1), kXidBit, record.code, 0xffffffff, 0xffffffff};
    return true;
  }
  return false;
}

Return wait(Fn function, EventSet handle, EventData* data, unsigned timeout_ms) {
  Timed timed(function);
  if (const Return wrong = before(function, -1); wrong != kSuccess) return timed.done(wrong);
  Set* set = resolve_set(handle);
  if (set == nullptr || data == nullptr) return timed.done(kInvalidArgument);
  const std::int64_t end = now_ns() + timeout_ms * 1'000'000LL;
  for (;;) {
    tick();
    if (take(*set, *machine(), *data)) return timed.done(kSuccess);
    const std::int64_t left = end - now_ns();
    if (left <= 0) return timed.done(kTimeout);
    wait_for_xid(*machine(), set->seen, xids_need_polling() ? std::min(left, kPollNs) : left);
  }
}

}  // namespace

ESTIVA_NVML nvmlEventSetCreate(EventSet* handle) {
  return on_system(Fn::nvmlEventSetCreate, [&](const State& state) -> Return {
    if (handle == nullptr) return kInvalidArgument;
    for (Set& set : sets) {
      if (set.open) continue;
      set = {};
      set.open = true;
      set.seen = state.xid_sequence;
      *handle = reinterpret_cast<EventSet>(&set);
      return kSuccess;
    }
    return kMemory;
  });
}
ESTIVA_NVML nvmlDeviceGetSupportedEventTypes(Device device, unsigned long long* types) {
  return on_gpu(Fn::nvmlDeviceGetSupportedEventTypes, device, [&](const Gpu& gpu) {
    return put(types, gpu.card.datacentre ? kDatacentreBits : kGeforceBits);
  });
}
ESTIVA_NVML nvmlDeviceRegisterEvents(Device device, unsigned long long types, EventSet handle) {
  return on_device(Fn::nvmlDeviceRegisterEvents, device,
                   [&](const Gpu& gpu, const Handle& which) -> Return {
                     Set* set = resolve_set(handle);
                     if (set == nullptr) return kInvalidArgument;
                     const auto known = gpu.card.datacentre ? kDatacentreBits : kGeforceBits;
                     if ((types & ~known) != 0) return kNotSupported;  // and none is registered
                     set->mask[which.gpu] |= types;
                     return kSuccess;
                   });
}
ESTIVA_NVML nvmlEventSetWait(EventSet handle, EventData* data, unsigned timeout_ms) {
  return wait(Fn::nvmlEventSetWait, handle, data, timeout_ms);
}
ESTIVA_NVML nvmlEventSetWait_v2(EventSet handle, EventData* data, unsigned timeout_ms) {
  return wait(Fn::nvmlEventSetWait_v2, handle, data, timeout_ms);
}
ESTIVA_NVML nvmlEventSetFree(EventSet handle) {
  const Timed timed(Fn::nvmlEventSetFree);
  Set* set = resolve_set(handle);
  if (set == nullptr) return kInvalidArgument;
  set->open = false;
  return kSuccess;
}
