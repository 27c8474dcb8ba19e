// When a model could be loaded, if all that wait come in one after the other: the bound that a
// request is promised, and the time that it is told to expect. Each GPU is taken to be held by one
// of them at a time once what is in now has to leave, which is never too early.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decide/residency/what_if.h"

namespace estiva::decide::residency {

class Timetable {
 public:
  Timetable(const Ledger& ledger, const Models& models, const std::vector<Lag>& lags, Pace pace,
            SteadyTime now);

  // Loaded by then; those that are booked later come after it. Nothing where it fits nowhere, even
  // without all that may be evicted. O(GPUs log GPUs).
  std::optional<SteadyTime> book(const Entry& entry);

 private:
  struct Gpu {
    std::uint32_t account = 0;
    SteadyTime free_at;  // all that may leave it has left
    Bytes room_now, room_then;
  };
  std::vector<Gpu*> allowed(const Entry& entry, Bytes need);
  SteadyTime group_free_at(const Entry& entry) const;
  void occupy(const Entry& entry);

  const Ledger& ledger_;
  Pace pace_;
  SteadyTime now_;
  std::vector<Gpu> gpus_;
  std::map<std::string, SteadyTime, std::less<>> groups_;
};

}  // namespace estiva::decide::residency
