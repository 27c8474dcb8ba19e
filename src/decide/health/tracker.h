// Judges the health of each GPU from what the driver says of it, one reading after the other. Pure:
// time arrives with the reading. Thresholds are the device's own where it has them (decisions
// 0008, 0015); a reading that is missing judges nothing, so what was open stays open.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "decide/health/track.h"
#include "decide/health/xid_book.h"
#include "decide/placement/readings.h"
#include "model/gpu.h"
#include "model/health.h"

namespace estiva::decide {

class HealthTracker {
 public:
  explicit HealthTracker(HealthPolicy policy = {}) : policy_(policy) {}

  // `now` is when the reading was taken; an older one than the last is ignored.
  void observe(const DriverStatus& driver, const std::vector<Gpu>& gpus, SteadyTime now);
  // An error by number, whoever reports it. Returns how many of the report's are new: each is told
  // by several sources. Judged at once, also while the driver does not answer.
  std::uint64_t observe_xid(const XidReport& report, SteadyTime now);

  // What outlives the daemon. `changes` counts whenever any of it became another.
  std::uint64_t changes() const { return changes_; }
  std::vector<KnownGpu> known_gpus() const;
  std::vector<XidMemory> xid_memory() const;
  // At the start, before the first reading: GPUs that were known are missing until they are listed.
  void recall(const std::vector<KnownGpu>& gpus, const std::vector<XidMemory>& xids);
  // The user says that what is wrong is over: a GPU that was taken out for good, and what XIDs said
  // of one that is there. False where nothing was wrong with a device of that key.
  bool forget(const std::string& device, SteadyTime now);

  // In the order of the last reading's GPUs, then those that are missing, then the slots whose GPU
  // was never listed ("PCI:0000:01:00").
  const std::vector<GpuHealth>& health() const { return health_; }
  // One a slot that ever had an XID, by slot.
  std::vector<GpuXids> xids() const;

 private:
  void judge(const Gpu& gpu, Track& track, SteadyTime now);
  void settle_xids(const Gpu& gpu, const Track& track);
  bool forget_xids(const std::string& slot);
  void sum_up(SteadyTime now);

  HealthPolicy policy_;
  std::map<std::string, Track> tracks_;   // by DeviceId::key()
  std::vector<std::string> listed_;       // keys, in the order of the last reading
  std::map<std::string, XidBook> books_;  // by slot
  bool driver_was_gone_ = false;
  std::uint64_t changes_ = 0;
  std::vector<GpuHealth> health_;
  SteadyTime last_;
};

// The worst state of all; ok when there is none.
HealthState worst_of(const std::vector<GpuHealth>& health);
// Those where nothing more may be placed, each with the worst reason.
std::vector<UnfitGpu> unfit_gpus(const std::vector<GpuHealth>& health);

}  // namespace estiva::decide
