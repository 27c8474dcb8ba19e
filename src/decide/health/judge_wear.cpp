// The slow figures: errors that stay with a card, repairs, links, and the driver's own verdict.
#include <fmt/format.h>

#include "base/messages/decide_health.h"
#include "decide/health/track.h"

namespace estiva::decide {
namespace {

using namespace std::chrono_literals;

// nvmlDeviceGpuRecoveryAction.
enum Recovery : unsigned { kNone, kReset, kReboot, kDrainP2p, kDrainAndReset };
// nvmlGpuFabricState.
constexpr unsigned kFabricCompleted = 3;
// The fabric manager of a large machine needs a while after the boot.
constexpr Nanoseconds kFabricPatience = 120s;

// DCGM's limits (dcgm_health): rows remapped after uncorrectable errors, pages retired in all, and
// the number that is a warning.
constexpr unsigned kManyRemaps = 512, kManyRetired = 63, kSomeRetired = 15;
// DCGM's limit of CRC errors a second; of replays and recoveries one is too many.
constexpr double kManyCrcErrors = 100;
constexpr Nanoseconds kLinkCalm = 600s;

class WearLook : public Look {
 public:
  WearLook(Track& track, const Gpu& gpu) : Look(track, gpu.wear.read_at), gpu_(gpu) {}

  void run() {
    judge_lifetime_errors();
    judge_remaps();
    judge_retired_pages();
    judge_recovery();
    judge_link_count();
    judge_link_errors();
    judge_fabric();
  }

 private:
  const GpuWear& wear() const { return gpu_.wear; }
  // A figure that is simply so or not.
  bool is(Latch& latch, bool so) { return latch.update(says(so, !so), now_, 0s, 0s); }

  // Since the driver was loaded is a condition of its own.
  void judge_lifetime_errors() {
    if (!wear().ecc_uncorrected_lifetime) return;
    judging("ecc_lifetime");
    const std::uint64_t errors = *wear().ecc_uncorrected_lifetime;
    const bool fresh = gpu_.sample.ecc_uncorrected && *gpu_.sample.ecc_uncorrected > 0;
    if (!is(track_.uncorrected_once, errors > 0 && !fresh)) return;
    add("ecc_lifetime", HealthState::warn, track_.uncorrected_once,
        fmt::format(msg::kHealthLifetimeErrors, errors), msg::kHealthLifetimeErrorsRemedy);
  }

  void judge_remaps() {
    if (wear().remap_pending) {
      judging("row_remap_pending");
      if (is(track_.remap_pending, *wear().remap_pending != 0)) {
        add("row_remap_pending", HealthState::degraded, track_.remap_pending,
            std::string(msg::kHealthRemapPending), msg::kHealthRepairPendingRemedy);
      }
    }
    if (wear().remap_failed) {
      judging("row_remap_failed");
      if (is(track_.remap_failed, *wear().remap_failed != 0)) {
        add("row_remap_failed", HealthState::unhealthy, track_.remap_failed,
            std::string(msg::kHealthRemapFailed), msg::kHealthReplaceRemedy, true);
      }
    }
    if (wear().remapped_uncorrected) {
      judging("row_remaps");
      const unsigned rows = *wear().remapped_uncorrected;
      if (is(track_.many_remaps, rows >= kManyRemaps)) {
        add("row_remaps", HealthState::unhealthy, track_.many_remaps,
            fmt::format(msg::kHealthManyRemaps, rows), msg::kHealthReplaceRemedy);
      }
    }
  }

  void judge_retired_pages() {
    if (wear().retired_pending) {
      judging("retired_pages_pending");
      if (is(track_.retired_pending, *wear().retired_pending != 0)) {
        add("retired_pages_pending", HealthState::degraded, track_.retired_pending,
            std::string(msg::kHealthRetiredPending), msg::kHealthRepairPendingRemedy);
      }
    }
    if (!wear().retired_pages) return;
    judging("retired_pages");
    const unsigned pages = *wear().retired_pages;
    const bool many = is(track_.many_retired, pages >= kManyRetired);
    const bool some = is(track_.some_retired, pages >= kSomeRetired);
    if (many) {
      add("retired_pages", HealthState::unhealthy, track_.many_retired,
          fmt::format(msg::kHealthRetiredPages, pages, kManyRetired), msg::kHealthReplaceRemedy,
          true);
    } else if (some) {
      add("retired_pages", HealthState::warn, track_.some_retired,
          fmt::format(msg::kHealthRetiredPages, pages, kManyRetired), msg::kHealthReplaceRemedy);
    }
  }

  // What the driver itself says has to be done.
  void judge_recovery() {
    const Reading<unsigned>& said =
        wear().recovery_action ? wear().recovery_action : track_.recovery_said;
    if (!said) return;
    judging("recovery_action");
    const unsigned action = *said;
    if (!is(track_.recovery, action != kNone)) return;
    switch (action) {
      case kReset:
      case kDrainAndReset:
        return add("recovery_action", HealthState::unhealthy, track_.recovery,
                   std::string(msg::kHealthReset), msg::kHealthResetRemedy, true);
      case kReboot:
        return add("recovery_action", HealthState::unhealthy, track_.recovery,
                   std::string(msg::kHealthWantsReboot), msg::kHealthRebootRemedy, true);
      case kDrainP2p:
        return add("recovery_action", HealthState::warn, track_.recovery,
                   std::string(msg::kHealthWantsDrain), msg::kHealthWantsDrainRemedy);
      default:
        return add("recovery_action", HealthState::degraded, track_.recovery,
                   fmt::format(msg::kHealthWantsUnknown, action), msg::kHealthWantsUnknownRemedy);
    }
  }

  // A card without a bridge has links that were never active: only what was there can be missed.
  void judge_link_count() {
    if (!wear().nvlinks_active) return;
    judging("nvlink_down");
    const unsigned active = *wear().nvlinks_active;
    track_.most_links = std::max(track_.most_links, active);
    if (!is(track_.link_down, active < track_.most_links)) return;
    add("nvlink_down", HealthState::degraded, track_.link_down,
        fmt::format(msg::kHealthLinkDown, active, track_.most_links), msg::kHealthLinksRemedy);
  }

  void judge_link_errors() {
    if (!wear().nvlink_errors || !wear().nvlink_crc_errors) return;
    judging("nvlink_errors");
    const std::uint64_t errors = *wear().nvlink_errors, crc = *wear().nvlink_crc_errors;
    const bool known = track_.last_link_errors && track_.wear_read_at < now_;
    const double seconds = static_cast<double>((now_ - track_.wear_read_at).count()) / 1e9;
    const bool more = known && errors > *track_.last_link_errors;
    const bool many =
        known && crc > *track_.last_crc_errors &&
        static_cast<double>(crc - *track_.last_crc_errors) >= kManyCrcErrors * seconds;
    track_.last_link_errors = errors;
    track_.last_crc_errors = crc;
    if (!track_.link_errors.update(says(more || many, !more && !many), now_, 0s, kLinkCalm)) return;
    add("nvlink_errors", HealthState::degraded, track_.link_errors,
        fmt::format(msg::kHealthLinkErrors, errors, crc), msg::kHealthLinksRemedy);
  }

  // Not there at all on a machine without NVSwitch.
  void judge_fabric() {
    if (!wear().fabric_state || !wear().fabric_error) return;
    judging("fabric");
    const bool failed = *wear().fabric_state == kFabricCompleted && *wear().fabric_error != 0;
    const bool well = *wear().fabric_state == kFabricCompleted && !failed;
    const Nanoseconds hold = failed ? Nanoseconds(0s) : kFabricPatience;
    if (!track_.fabric_down.update(says(!well, well), now_, hold, 0s)) return;
    add("fabric", HealthState::unhealthy, track_.fabric_down,
        failed ? fmt::format(msg::kHealthFabricFailed, *wear().fabric_error)
               : std::string(msg::kHealthFabricMissing),
        msg::kHealthFabricRemedy, true);
  }

  const Gpu& gpu_;
};

}  // namespace

void judge_wear(Track& track, const Gpu& gpu) {
  if (gpu.wear.read_at <= track.wear_read_at) return;
  WearLook(track, gpu).run();
  track.wear_read_at = gpu.wear.read_at;
}

}  // namespace estiva::decide
