// What is due by the clock alone.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace residency {

std::optional<Nanoseconds> ttl_of(const Entry& entry, const ResidencySettings& settings) {
  if (is_pinned(entry)) return std::nullopt;
  // Those who asked for it never came.
  if (policy_of(entry) == ResidencyPolicy::always_unload && entry.opened_for_requests)
    return quantum_of(entry);
  if (entry.spec.ttl) return entry.spec.ttl;
  const bool by_default =
      policy_of(entry) == ResidencyPolicy::swap && settings.default_ttl > Nanoseconds::zero();
  return by_default ? std::optional(settings.default_ttl) : std::nullopt;
}

std::optional<SteadyTime> unused_until(const Entry& entry, const ResidencySettings& settings) {
  const auto ttl = ttl_of(entry, settings);
  if (!ttl || !is_idle(entry)) return std::nullopt;
  return std::max(entry.last_used.value_or(entry.opened_at), entry.opened_at) + *ttl;
}

}  // namespace residency

namespace {

std::optional<SteadyTime> due(const Entry& entry, const ResidencySettings& settings) {
  switch (entry.state) {
    case Residency::draining:
      return entry.ram_wait_until != SteadyTime{} ? entry.ram_wait_until : entry.cut_at;
    case Residency::resident:
      return entry.expects_requests ? quantum_end(entry) : unused_until(entry, settings);
    case Residency::failed:
      return entry.retry_at;
    default:
      return std::nullopt;
  }
}

}  // namespace

void ResidencyMachine::Impl::on_time() {
  for (auto& [name, entry] : models) {
    answer_overdue(entry);
    const auto at = due(entry, settings);
    if (at && *at <= now) on_due(entry);
  }
  const auto over = std::erase_if(
      paused, [&](const auto& pause) { return pause.second && *pause.second <= now; });
  needs_plan = needs_plan || over > 0;
}

void ResidencyMachine::Impl::on_due(Entry& entry) {
  switch (entry.state) {
    case Residency::draining:
      return entry.ram_wait_until != SteadyTime{} ? drained(entry) : cut_or_leave(entry);
    case Residency::failed:
      return become(entry, Residency::absent);
    case Residency::resident:
      if (!entry.expects_requests)
        return begin_leave(entry, policy_of(entry) == ResidencyPolicy::always_unload
                                      ? LeavesFor::policy
                                      : LeavesFor::ttl);
      entry.expects_requests = false;  // whoever it was opened for did not come
      needs_plan = true;
      return;
    default:
      return;
  }
}

// Past its bound a request is answered with what it waited for.
void ResidencyMachine::Impl::answer_overdue(Entry& entry) {
  if (entry.queue.empty() || entry.first_bound > now) return;
  for (std::size_t i = entry.queue.size(); i-- > 0;) {
    const Waiter waiter = entry.queue[i];
    if (waiter.bound > now) continue;
    effects.push_back(
        Refuse{waiter.ticket,
               ErrorKind::timed_out,
               fmt::format(msg::kBoundIsPast, entry.spec.name, to_words(now - waiter.arrived),
                           waits_for(entry, now, *ledger)),
               {},
               arrival_time(entry, waiter.key, Pace::expected).value_or(now) - now});
    drop_waiter(entry, i);
  }
}

std::optional<SteadyTime> ResidencyMachine::Impl::next_deadline() const {
  std::optional<SteadyTime> first = plan_at;
  const auto sooner = [&](std::optional<SteadyTime> at) {
    if (at && (!first || *at < *first)) first = at;
  };
  for (const auto& [name, entry] : models) {
    if (!entry.queue.empty()) sooner(entry.first_bound);
    sooner(due(entry, settings));
  }
  for (const auto& [device, until] : paused) sooner(until);
  return first;
}

}  // namespace estiva::decide
