// What is remembered of one GPU between two looks at it, and how a look changes it.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decide/health/latch.h"
#include "model/gpu.h"
#include "model/health.h"

namespace estiva::decide {

struct HealthPolicy {
  std::optional<Celsius> max_temperature;  // instead of the device's own thresholds
};

struct Track {
  Latch warm, hot, critical, memory_warm, memory_hot;
  Latch throttled, throttled_badly, throttled_by_software;
  ShareWindow hardware_slowdown, software_thermal;
  Latch uncorrected;
  Latch narrow_link, slow_link;
  Latch dead_fan, over_power;
  Latch out_of_reach;

  SteadyTime wear_read_at;
  Latch uncorrected_once;
  Latch remap_pending, remap_failed, many_remaps;
  Latch retired_pending, some_retired, many_retired;
  Latch recovery, fabric_down, link_down, link_errors;
  unsigned most_links = 0;  // that were active at one time
  Reading<std::uint64_t> last_link_errors, last_crc_errors;

  bool listed = false;
  bool was_away = false;  // lost, to be reset or not listed, and not well again since
  bool whole = true;      // not a part of a split GPU: those come and go as the user likes
  unsigned index = 0;
  std::string pci_bus_id, slot;     // the slot as pci_slot() says it
  Reading<unsigned> recovery_said;  // in the kernel log, for a driver that can't be asked
  std::vector<Condition> open;      // stays where a reading is missing
};

inline Latch::Says says(bool sign, bool clear) {
  return sign ? Latch::Says::sign : clear ? Latch::Says::clear : Latch::Says::neither;
}

// One look: what is judged anew loses its last verdict, and add() puts the next one down.
class Look {
 public:
  Look(Track& track, SteadyTime now) : track_(track), now_(now) {}

 protected:
  void judging(std::string_view id) {
    std::erase_if(track_.open, [id](const Condition& open) { return open.id == id; });
  }
  void add(std::string_view id, HealthState state, const Latch& latch, std::string reason,
           std::string_view remedy, bool blocks = false) {
    track_.open.push_back(
        {std::string(id), state, blocks, latch.since(), std::move(reason), std::string(remedy)});
  }

  Track& track_;
  SteadyTime now_;
};

// Judges what changes from second to second.
void judge_sample(const HealthPolicy& policy, Track& track, const Gpu& gpu, SteadyTime now);
// Judges the slow figures, once a reading of them.
void judge_wear(Track& track, const Gpu& gpu);

}  // namespace estiva::decide
