#include "decide/health/tracker.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "base/messages/decide_health.h"

namespace estiva::decide {
namespace {

using namespace std::chrono_literals;
using Says = Latch::Says;

// Where a device names no limit: the figure of seed 002.
constexpr Celsius kAssumedLimit{90};
// Reference table of health signals: warn this close to the limit, give up this close to the end.
constexpr double kWarnBelow = 5, kCriticalBelow = 3, kCooledBy = 3;
constexpr Nanoseconds kHotFor = 30s;

// NVML's bits (nvmlClocksEventReason...): thermal slowdown and power brake by the hardware, thermal
// slowdown by the driver. The general hardware bit (0x8) is left out: NVML sets it at every change
// of clocks too. A power cap, an idle clock or a clock that the user set is nobody's illness.
constexpr std::uint64_t kHardwareSlowdown = 0x40 | 0x80;
constexpr std::uint64_t kSoftwareThermal = 0x20;
constexpr double kThrottledShare = 0.05, kBadlyThrottledShare = 0.5, kShareCalmed = 0.8;

// A link is judged only while the card works: at rest drivers narrow and slow it to save power.
constexpr unsigned kWorkingState = 2;  // P0 to P2
constexpr double kWorkingLoad = 0.3;
constexpr Nanoseconds kLoadedFor = 60s;

constexpr double kFanNeededAt = 80;
constexpr double kOverPower = 1.25;  // draws above the limit for a moment are normal
constexpr Nanoseconds kStrangeFor = 30s, kWellFor = 10s;

Says says(bool sign, bool clear) {
  return sign ? Says::sign : clear ? Says::clear : Says::neither;
}

struct Limit {
  double at;
  std::string_view name;
};

}  // namespace

// One look at one GPU.
class HealthTracker::Judge {
 public:
  Judge(const HealthPolicy& policy, Track& track, const Gpu& gpu, SteadyTime now)
      : policy_(policy), track_(track), gpu_(gpu), now_(now) {}

  void run() {
    judge_state();
    judge_temperature();
    judge_slowdown();
    judge_memory_errors();
    judge_link();
    judge_fan();
    judge_power();
  }

 private:
  void add(std::string_view id, HealthState state, const Latch& latch, std::string reason,
           std::string_view remedy, bool blocks = false) {
    track_.open.push_back(
        {std::string(id), state, blocks, latch.since(), std::move(reason), std::string(remedy)});
  }

  // What is judged anew: its last verdict goes, and add() puts the next one down.
  void judging(std::string_view id) {
    std::erase_if(track_.open, [id](const Condition& open) { return open.id == id; });
  }

  void judge_state() {
    for (const char* id : {"lost", "reset_required", "no_answer"}) judging(id);
    const GpuState state = gpu_.sample.state;
    const bool bad =
        state == GpuState::lost || state == GpuState::reset_required || state == GpuState::failed;
    if (!track_.out_of_reach.update(says(bad, !bad), now_, 0s, 0s)) return;
    if (state == GpuState::lost) {
      add("lost", HealthState::unhealthy, track_.out_of_reach, std::string(msg::kHealthLost),
          msg::kHealthLostRemedy, true);
    } else if (state == GpuState::reset_required) {
      add("reset_required", HealthState::unhealthy, track_.out_of_reach,
          std::string(msg::kHealthReset), msg::kHealthResetRemedy, true);
    } else {
      add("no_answer", HealthState::unknown, track_.out_of_reach, std::string(msg::kHealthFailed),
          msg::kHealthFailedRemedy, true);
    }
  }

  std::optional<Limit> slowdown_limit() const {
    if (policy_.max_temperature || !gpu_.identity.slowdown_at) return std::nullopt;
    return Limit{gpu_.identity.slowdown_at->value, msg::kLimitSlowdown};
  }
  // At or above it nothing more is placed here.
  std::optional<Limit> critical_limit() const {
    if (policy_.max_temperature) return Limit{policy_.max_temperature->value, msg::kLimitMax};
    if (gpu_.identity.shutdown_at) {
      return Limit{gpu_.identity.shutdown_at->value, msg::kLimitShutdown};
    }
    if (gpu_.identity.slowdown_at) return std::nullopt;
    return Limit{kAssumedLimit.value, msg::kLimitAssumed};
  }

  bool over(Latch& latch, double at, Nanoseconds hold) {
    const double value = gpu_.sample.temperature->value;
    return latch.update(says(value >= at, value < at - kCooledBy), now_, hold, 0s);
  }

  void judge_temperature() {
    if (!gpu_.sample.temperature) return;
    judging("temperature");
    const auto slowdown = slowdown_limit();
    const auto critical = critical_limit();
    // The shutdown itself comes too late; a limit that somebody chose is meant as it stands.
    const bool early = critical && critical->name == msg::kLimitShutdown;
    const bool is_critical =
        critical && over(track_.critical, critical->at - (early ? kCriticalBelow : 0), 0s);
    const bool is_hot = slowdown && over(track_.hot, slowdown->at, kHotFor);
    const auto nearest = slowdown ? slowdown : critical;
    const bool is_warm = nearest && over(track_.warm, nearest->at - kWarnBelow, 0s);
    const auto told = [this](const Limit& limit) {
      return fmt::format(msg::kHealthHot, gpu_.sample.temperature->value, limit.name, limit.at);
    };
    if (is_critical) {
      add("temperature", HealthState::unhealthy, track_.critical, told(*critical),
          msg::kHealthHotRemedy, true);
    } else if (is_hot) {
      add("temperature", HealthState::degraded, track_.hot, told(*slowdown), msg::kHealthHotRemedy);
    } else if (is_warm) {
      add("temperature", HealthState::warn, track_.warm, told(*nearest), msg::kHealthHotRemedy);
    }
  }

  bool share_over(Latch& latch, double share, double limit) {
    return latch.update(says(share > limit, share < limit * kShareCalmed), now_, 0s, 0s);
  }

  void judge_slowdown() {
    if (!gpu_.sample.clock_event_reasons) return;
    judging("hardware_slowdown");
    judging("thermal_slowdown");
    const std::uint64_t reasons = *gpu_.sample.clock_event_reasons;
    track_.hardware_slowdown.add((reasons & kHardwareSlowdown) != 0, now_);
    track_.software_thermal.add((reasons & kSoftwareThermal) != 0, now_);
    const double hard = track_.hardware_slowdown.share();
    const double soft = track_.software_thermal.share();
    const bool badly = share_over(track_.throttled_badly, hard, kBadlyThrottledShare);
    const bool somewhat = share_over(track_.throttled, hard, kThrottledShare);
    if (badly || somewhat) {
      add("hardware_slowdown", badly ? HealthState::unhealthy : HealthState::degraded,
          badly ? track_.throttled_badly : track_.throttled,
          fmt::format(msg::kHealthThrottled, hard * 100), msg::kHealthThrottledRemedy);
    }
    if (share_over(track_.throttled_by_software, soft, kThrottledShare)) {
      add("thermal_slowdown", HealthState::warn, track_.throttled_by_software,
          fmt::format(msg::kHealthSoftThermal, soft * 100), msg::kHealthHotRemedy);
    }
  }

  void judge_memory_errors() {
    if (!gpu_.sample.ecc_uncorrected) return;
    judging("ecc_uncorrected");
    const std::uint64_t errors = *gpu_.sample.ecc_uncorrected;
    if (!track_.uncorrected.update(says(errors > 0, errors == 0), now_, 0s, 0s)) return;
    add("ecc_uncorrected", HealthState::unhealthy, track_.uncorrected,
        fmt::format(msg::kHealthUncorrected, errors), msg::kHealthUncorrectedRemedy, true);
  }

  void judge_link() {
    const GpuSample& sample = gpu_.sample;
    const bool works = sample.performance_state && *sample.performance_state <= kWorkingState &&
                       sample.utilization && sample.utilization->value > kWorkingLoad;
    const auto judge = [&](Latch& latch, const Reading<unsigned>& now,
                           const Reading<unsigned>& most, std::string_view id, HealthState state,
                           std::string_view sentence) {
      // Without load nothing is known: the last thing that was seen under it stands.
      if (!now || !most || !works) return (void)latch.update(Says::neither, now_, 0s, 0s);
      judging(id);
      if (!latch.update(says(*now < *most, *now >= *most), now_, kLoadedFor, kWellFor)) return;
      add(id, state, latch, fmt::format(fmt::runtime(sentence), *now, *most),
          msg::kHealthLinkRemedy);
    };
    judge(track_.narrow_link, sample.pcie_width, gpu_.identity.pcie_max_width, "pcie_width",
          HealthState::degraded, msg::kHealthNarrowLink);
    judge(track_.slow_link, sample.pcie_generation, gpu_.identity.pcie_max_generation,
          "pcie_generation", HealthState::warn, msg::kHealthSlowLink);
  }

  void judge_fan() {
    if (!gpu_.sample.fan || !gpu_.sample.temperature) return;
    judging("fan");
    const bool still = gpu_.sample.fan->value <= 0;
    const double heat = gpu_.sample.temperature->value;
    const Says word = says(still && heat > kFanNeededAt, !still || heat < kFanNeededAt - kCooledBy);
    if (!track_.dead_fan.update(word, now_, kStrangeFor, kWellFor)) return;
    add("fan", HealthState::warn, track_.dead_fan, fmt::format(msg::kHealthFan, heat),
        msg::kHealthFanRemedy);
  }

  void judge_power() {
    if (!gpu_.sample.power || !gpu_.identity.power_limit) return;
    const double draw = gpu_.sample.power->value, limit = gpu_.identity.power_limit->value;
    if (limit <= 0) return;
    judging("power");
    const Says word = says(draw > limit * kOverPower, draw <= limit);
    if (!track_.over_power.update(word, now_, kStrangeFor, kWellFor)) return;
    add("power", HealthState::warn, track_.over_power, fmt::format(msg::kHealthPower, draw, limit),
        msg::kHealthPowerRemedy);
  }

  const HealthPolicy& policy_;
  Track& track_;
  const Gpu& gpu_;
  SteadyTime now_;
};

namespace {

GpuHealth summed_up(std::string device, std::vector<Condition> conditions) {
  std::sort(conditions.begin(), conditions.end(), [](const Condition& a, const Condition& b) {
    return a.state != b.state ? a.state > b.state : a.id < b.id;
  });
  const HealthState state = conditions.empty() ? HealthState::ok : conditions.front().state;
  return {std::move(device), state, std::move(conditions)};
}

}  // namespace

void HealthTracker::observe(const DriverStatus& driver, const std::vector<Gpu>& gpus,
                            SteadyTime now) {
  if (driver.state != DriverState::ready && driver.state != DriverState::partial) return;
  if (now <= last_) return;
  last_ = now;
  for (auto& [key, track] : tracks_) track.listed = false;
  health_.clear();
  for (const Gpu& gpu : gpus) {
    Track& track = tracks_[gpu.identity.id.key()];
    track.listed = true;
    track.whole = gpu.identity.id.instance.empty();
    track.index = gpu.identity.index;
    track.pci_bus_id = gpu.identity.pci_bus_id;
    Judge(policy_, track, gpu, now).run();
    health_.push_back(summed_up(gpu.identity.id.key(), track.open));
  }
  std::erase_if(tracks_,
                [](const auto& item) { return !item.second.listed && !item.second.whole; });
  for (auto& [key, track] : tracks_) {
    if (track.listed) continue;
    track.out_of_reach.update(Says::sign, now, 0s, 0s);
    health_.push_back(
        summed_up(key, {{"missing", HealthState::unhealthy, true, track.out_of_reach.since(),
                         fmt::format(msg::kHealthMissing, track.index, track.pci_bus_id),
                         std::string(msg::kHealthMissingRemedy)}}));
  }
}

std::vector<UnfitGpu> unfit_gpus(const std::vector<GpuHealth>& health) {
  std::vector<UnfitGpu> unfit;
  for (const GpuHealth& one : health) {
    const auto blocking = std::find_if(one.conditions.begin(), one.conditions.end(),
                                       [](const Condition& c) { return c.blocks_placement; });
    if (blocking != one.conditions.end()) unfit.push_back({one.device, blocking->reason});
  }
  return unfit;
}

HealthState worst_of(const std::vector<GpuHealth>& health) {
  HealthState worst = HealthState::ok;
  for (const GpuHealth& one : health) worst = std::max(worst, one.state);
  return worst;
}

}  // namespace estiva::decide
