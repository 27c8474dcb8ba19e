// What the gateway reports of a model's use: how often it is asked, and how soon again.
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace {

void average(std::optional<double>& mean, double sample) {
  mean = mean ? *mean + kNewestSample * (sample - *mean) : sample;
}

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

// A gateway that was started anew counts from 0 again.
std::uint64_t newly_begun(const Entry& entry, const Busy& event) {
  return event.began >= entry.began ? event.began - entry.began : event.began;
}

void note_begun(Entry& entry, std::uint64_t count, SteadyTime now) {
  if (entry.last_begun)
    average(entry.period, seconds_between(*entry.last_begun, now) / static_cast<double>(count));
  // From the end of its last request to this one; not after a load, which nobody chose to wait for.
  if (entry.in_flight == 0 && entry.has_served && entry.last_used)
    average(entry.gap, seconds_between(*entry.last_used, now));
  entry.last_begun = now;
  entry.has_served = true;
  entry.expects_requests = false;
}

}  // namespace

void ResidencyMachine::Impl::on(const Busy& event) {
  Entry* entry = find(event.model);
  if (!entry) return;
  const std::uint64_t begun = newly_begun(*entry, event);
  if (begun > 0) note_begun(*entry, begun, now);
  if (event.in_flight > 0) entry->expects_requests = false;
  const bool ended = event.in_flight < entry->in_flight || (begun > 0 && event.in_flight == 0);
  if (begun > 0 || ended || event.in_flight > 0) entry->last_used = now;
  entry->began = event.began;
  entry->in_flight = event.in_flight;
  if (event.in_flight > 0) return;
  if (entry->state == Residency::draining && entry->is_closed) return drained(*entry);
  if (!ended || entry->state != Residency::resident) return;
  if (policy_of(*entry) == ResidencyPolicy::always_unload && entry->has_served)
    return begin_leave(*entry, LeavesFor::policy);
  needs_plan = true;  // somebody may wait for its room
}

}  // namespace estiva::decide
