#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_health.h"
#include "decide/health/track.h"

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

struct Limit {
  double at;
  std::string_view name;
};

class SampleLook : public Look {
 public:
  SampleLook(const HealthPolicy& policy, Track& track, const Gpu& gpu, SteadyTime now)
      : Look(track, now), policy_(policy), gpu_(gpu) {}

  void run() {
    judge_state();
    judge_temperature();
    judge_memory_temperature();
    judge_slowdown();
    judge_memory_errors();
    judge_link();
    judge_fan();
    judge_power();
  }

 private:
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

  // Memory chips are hotter than the core, and get their own limit from the device.
  void judge_memory_temperature() {
    if (!gpu_.sample.memory_temperature || !gpu_.identity.memory_max) return;
    judging("memory_temperature");
    const double value = gpu_.sample.memory_temperature->value;
    const double limit = gpu_.identity.memory_max->value;
    const auto over_by = [&](Latch& latch, double at, Nanoseconds hold) {
      return latch.update(says(value >= at, value < at - kCooledBy), now_, hold, 0s);
    };
    const bool is_hot = over_by(track_.memory_hot, limit, kHotFor);
    const bool is_warm = over_by(track_.memory_warm, limit - kWarnBelow, 0s);
    if (!is_hot && !is_warm) return;
    add("memory_temperature", is_hot ? HealthState::degraded : HealthState::warn,
        is_hot ? track_.memory_hot : track_.memory_warm,
        fmt::format(msg::kHealthMemoryHot, value, limit), msg::kHealthHotRemedy);
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
  const Gpu& gpu_;
};

}  // namespace

void judge_sample(const HealthPolicy& policy, Track& track, const Gpu& gpu, SteadyTime now) {
  SampleLook(policy, track, gpu, now).run();
}

}  // namespace estiva::decide
