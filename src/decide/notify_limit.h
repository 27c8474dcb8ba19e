// How much is told to the outside: each change once, nothing that flaps again and again, and at
// most so many in an hour; what is held back is counted and said with the next one. Pure.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/clock.h"
#include "model/health.h"

namespace estiva::decide {

class NotifyLimit {
 public:
  // `from`: the mildest state that is told.
  NotifyLimit(HealthState from, unsigned per_hour) : from_(from), per_hour_(per_hour) {}

  // Whether it is told now that `key` became `state` (ok: it is over). An end is told where the
  // beginning was; what became milder is not.
  bool tells(const std::string& key, HealthState state, SteadyTime now);
  // How many were held back since this was last asked.
  std::uint64_t held_back();

  // The same state of the same thing is not told again so soon.
  static constexpr Nanoseconds kSame = std::chrono::minutes(10);

 private:
  bool is_worth_it(const std::string& key, HealthState state, SteadyTime now);

  HealthState from_;
  unsigned per_hour_;
  std::map<std::string, std::map<HealthState, SteadyTime>> last_;  // by key: told when
  std::map<std::string, HealthState> open_;                        // told, and not told to be over
  std::deque<SteadyTime> sent_;                                    // of the last hour
  std::uint64_t held_back_ = 0;
};

}  // namespace estiva::decide
