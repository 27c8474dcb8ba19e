// One random schedule of residency: a machine, its models, clients that come and hang up, people,
// strangers and faults; made of its seed alone.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "residency/machine_room.h"

namespace estiva::residency_test {

struct Outcome {
  std::vector<std::string> violations;
  std::uint64_t steps = 0, requests = 0, served = 0, refused = 0, timed_out = 0, hung_up = 0,
                cut = 0, evictions = 0, sleeps = 0, loads = 0, failed = 0;
  // Of schedules with clients only, and engines that keep to their times.
  std::uint64_t calm_requests = 0, calm_timed_out = 0;
  std::uint64_t fingerprint = 0;  // of all that happened
};

Outcome run_schedule(std::uint64_t seed, Bug bug = Bug::none);

}  // namespace estiva::residency_test
