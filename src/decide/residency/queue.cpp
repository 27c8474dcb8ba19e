// Who waits, in which order, and until when. A request is admitted with a bound: what it was told
// holds whatever comes later.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"
#include "decide/residency/timetable.h"

namespace estiva::decide {

using namespace residency;

namespace {

constexpr int kMostPriority = 10;
// From the load's end to the answer, in the bound.
constexpr Nanoseconds kToOpen = std::chrono::seconds(1);

SteadyTime desired_key(const Entry& entry, int priority, SteadyTime now, Nanoseconds step) {
  const int steps = std::clamp(entry.spec.priority, -kMostPriority, kMostPriority) +
                    std::clamp(priority, -kMostPriority, kMostPriority);
  return now + -steps * step;
}

void find_first_bound(Entry& entry) {
  for (std::size_t i = 0; i < entry.queue.size(); ++i)
    entry.first_bound =
        i == 0 ? entry.queue[i].bound : std::min(entry.first_bound, entry.queue[i].bound);
}

// The waiter takes effect on the order only through its key.
class Trial {
 public:
  Trial(Entry& entry, SteadyTime key) : entry_(entry) {
    entry_.queue.push_back({0, false, {}, key, {}});
  }
  ~Trial() { entry_.queue.pop_back(); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

 private:
  Entry& entry_;
};

using Times = std::vector<std::optional<SteadyTime>>;

Times book_all(const std::vector<const Entry*>& order, Timetable timetable) {
  Times times;
  for (const Entry* entry : order) times.push_back(timetable.book(*entry));
  return times;
}

}  // namespace

namespace residency {

SteadyTime key_of(const Entry& entry) {
  SteadyTime key{INT64_MAX};
  for (const Waiter& waiter : entry.queue) key = std::min(key, waiter.key);
  return key;
}

bool goes_first(const Entry& a, const Entry& b) {
  if ((a.committed > 0) != (b.committed > 0)) return a.committed > 0;
  if (a.committed != b.committed) return a.committed < b.committed;
  const SteadyTime ka = key_of(a), kb = key_of(b);
  return ka != kb ? ka < kb : a.spec.name < b.spec.name;
}

}  // namespace residency

std::vector<const Entry*> ResidencyMachine::Impl::in_order() const {
  std::vector<const Entry*> order;
  for (const auto& [name, entry] : models)
    if (is_wanted(entry) && !is_coming(entry) && entry.state != Residency::resident)
      order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return goes_first(*a, *b); });
  return order;
}

void ResidencyMachine::Impl::on(const Arrived& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->removed) {
    effects.push_back(Refuse{event.ticket,
                             ErrorKind::not_found,
                             fmt::format(msg::kNoSuchModel, event.model),
                             std::string(msg::kListModels),
                             {}});
    return;
  }
  if (tickets.contains(event.ticket)) return;
  if (entry->open) {  // it opened while the question was on its way
    if (event.wants_load) effects.push_back(Done{event.ticket});
    return;
  }
  if (auto refusal = refusal_at_arrival(*entry, event.ticket)) {
    effects.push_back(std::move(*refusal));
    return;
  }
  admit(*entry, event);
}

std::optional<Refuse> ResidencyMachine::Impl::refusal_at_arrival(const Entry& entry,
                                                                 Ticket ticket) const {
  if (entry.queue.size() >= entry.spec.queue_limit)
    return Refuse{ticket,
                  ErrorKind::refused,
                  fmt::format(msg::kQueueFull, entry.queue.size(), entry.spec.name),
                  {},
                  std::max(entry.first_bound - now, Nanoseconds::zero())};
  const bool pausing = entry.retry_at > now && (entry.state == Residency::failed ||
                                                entry.after_release == Residency::failed);
  if (pausing) {
    const Nanoseconds left = entry.retry_at - now;
    return Refuse{ticket,
                  ErrorKind::failed,
                  fmt::format(msg::kLoadFailedPause, entry.spec.name, to_words(left), entry.why),
                  {},
                  left};
  }
  return std::nullopt;
}

// The key that the ticket gets: the one that its priority asks for, or a later one where that would
// push somebody past what was promised.
SteadyTime ResidencyMachine::Impl::settle_key(Entry& entry, SteadyTime wanted) {
  const auto timetable = [&] { return Timetable(*ledger, models, lags, Pace::likely, now); };
  const auto before = in_order();
  const bool overtakes = std::any_of(before.begin(), before.end(), [&](const Entry* other) {
    return other != &entry && wanted < key_of(*other);
  });
  if (!overtakes || key_of(entry) <= wanted) return wanted;
  std::map<const Entry*, std::optional<SteadyTime>> promised;
  const Times as_is = book_all(before, timetable());
  for (std::size_t i = 0; i < before.size(); ++i) promised[before[i]] = as_is[i];
  for (std::size_t tries = 0; tries <= before.size(); ++tries) {
    const Trial trial(entry, wanted);
    const auto order = in_order();
    const Times times = book_all(order, timetable());
    std::optional<SteadyTime> behind;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Entry& other = *order[i];
      if (&other == &entry || other.queue.empty() || !times[i]) continue;
      const auto as_before = promised[&other];
      const bool later = as_before && *times[i] > *as_before;
      if (later && *times[i] + kToOpen > other.first_bound) behind = key_of(other);
    }
    if (!behind) return wanted;
    wanted = *behind + Nanoseconds(1);
  }
  return wanted;
}

void ResidencyMachine::Impl::admit(Entry& entry, const Arrived& event) {
  const SteadyTime key =
      settle_key(entry, desired_key(entry, event.priority, now, settings.priority_step));
  const auto loaded_by = [&](Pace pace) { return arrival_time(entry, key, pace); };
  const SteadyTime latest = now + entry.spec.wait_limit;
  const SteadyTime judged = loaded_by(Pace::likely_worst).value_or(now) + kToOpen;
  if (judged > latest) {
    const Nanoseconds expected = loaded_by(Pace::expected).value_or(now) - now;
    effects.push_back(
        Refuse{event.ticket, ErrorKind::refused,
               fmt::format(msg::kWaitTooLong, entry.spec.name, to_words(judged - now),
                           fmt::format(msg::kMoreThanWaitLimit, to_words(entry.spec.wait_limit))),
               std::string(msg::kRaiseWaitLimit), expected});
    return;
  }
  const auto worst = loaded_by(Pace::worst);
  const SteadyTime bound = worst ? std::min(*worst + kToOpen, latest) : latest;
  // What is only being reserved goes on; a load that was cancelled ends first.
  if (entry.state == Residency::reserving) entry.cancelled = false;
  entry.queue.push_back({event.ticket, event.wants_load, now, key, bound});
  tickets[event.ticket] = &entry;
  find_first_bound(entry);
}

// When the model would be loaded with one more waiter of this key.
std::optional<SteadyTime> ResidencyMachine::Impl::arrival_time(Entry& entry, SteadyTime key,
                                                               Pace pace) {
  if (is_coming(entry) && !entry.cancelled) {
    const Nanoseconds gone =
        entry.state == Residency::loading ? now - entry.since : Nanoseconds::zero();
    return now + std::max(load_time(entry, pace) - gone, Nanoseconds::zero());
  }
  if (is_coming(entry)) return now + unload_time(entry, pace) + load_time(entry, pace);
  const Trial trial(entry, key);
  Timetable timetable(*ledger, models, lags, pace, now);
  for (const Entry* other : in_order()) {
    const auto loaded = timetable.book(*other);
    if (other == &entry) return loaded;
  }
  return std::nullopt;
}

void ResidencyMachine::Impl::drop_waiter(Entry& entry, std::size_t place) {
  tickets.erase(entry.queue[place].ticket);
  entry.queue.erase(entry.queue.begin() + static_cast<std::ptrdiff_t>(place));
  find_first_bound(entry);
  needs_plan = true;
  if (entry.queue.empty()) nobody_waits(entry);
}

void ResidencyMachine::Impl::on(const Left& event) {
  const auto found = tickets.find(event.ticket);
  if (found == tickets.end()) return;
  Entry& entry = *found->second;
  for (std::size_t i = 0; i < entry.queue.size(); ++i)
    if (entry.queue[i].ticket == event.ticket) return drop_waiter(entry, i);
}

// The last one left: what was begun for it is taken back as far as that is possible.
void ResidencyMachine::Impl::nobody_waits(Entry& entry) {
  if (must_load(entry)) return;
  entry.committed = 0;
  entry.victims.clear();
  entry.alone_on.clear();
  entry.others_until.reset();
  if (!is_coming(entry)) entry.claim.clear();
  if (is_coming(entry) && !entry.cancelled) {
    entry.cancelled = true;
    if (entry.state == Residency::loading) effects.push_back(Cancel{entry.spec.name});
  }
}

void ResidencyMachine::Impl::refuse_all(Entry& entry, const Refuse& words) {
  for (const Waiter& waiter : entry.queue) {
    tickets.erase(waiter.ticket);
    Refuse refusal = words;
    refusal.ticket = waiter.ticket;
    effects.push_back(std::move(refusal));
  }
  entry.queue.clear();
  needs_plan = true;
  nobody_waits(entry);
}

void ResidencyMachine::Impl::serve_queue(Entry& entry) {
  for (const Waiter& waiter : entry.queue) {
    tickets.erase(waiter.ticket);
    if (waiter.wants_load)
      effects.push_back(Done{waiter.ticket});
    else
      entry.expects_requests = entry.opened_for_requests = true;
  }
  entry.queue.clear();
}

}  // namespace estiva::decide
