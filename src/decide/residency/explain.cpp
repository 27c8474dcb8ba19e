// Where models stand and what requests wait for, in words.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"
#include "decide/residency/timetable.h"

namespace estiva::decide {

using namespace residency;

namespace residency {

std::string to_words(Nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 600) return fmt::format("{:.0f} s", seconds);
  return fmt::format("{:.0f} min", seconds / 60);
}

}  // namespace residency

std::string_view to_name(Residency state) {
  switch (state) {
    case Residency::absent:
      return "absent";
    case Residency::reserving:
      return "reserving";
    case Residency::loading:
      return "loading";
    case Residency::resident:
      return "resident";
    case Residency::draining:
      return "draining";
    case Residency::sleeping:
      return "sleeping";
    case Residency::checkpointed:
      return "checkpointed";
    case Residency::unloading:
      return "unloading";
    case Residency::failed:
      return "failed";
  }
  return {};
}

std::string_view to_name(Leaving how) {
  switch (how) {
    case Leaving::stop:
      return "stop";
    case Leaving::sleep:
      return "sleep";
    case Leaving::checkpoint:
      return "checkpoint";
  }
  return {};
}

namespace {

Bytes bytes_of(const Entry& entry, const Ledger& ledger) {
  Bytes sum;
  for (const Holding& held : all_holdings(entry, ledger)) sum += held.bytes;
  return sum;
}

// "xtts holds 3.42 GiB and may go on for 4.2 s"
std::string words_of_victim(const Entry& victim, SteadyTime now, const Ledger& ledger) {
  std::string until;
  if (is_coming(victim) || victim.state == Residency::absent)
    until = msg::kIsComing;
  else if (victim.state == Residency::resident)
    until = fmt::format(fmt::runtime(msg::kMayServeFor),
                        to_words(std::max(quantum_end(victim) - now, Nanoseconds::zero())));
  else if (victim.state == Residency::draining && victim.in_flight > 0)
    until = fmt::format(msg::kEndsRequests, victim.in_flight,
                        to_words(std::max(victim.cut_at - now, Nanoseconds::zero())));
  else if (is_leaving(victim))
    until = msg::kIsLeaving;
  return fmt::format(msg::kHolds, victim.spec.name, to_text(bytes_of(victim, ledger)), until);
}

}  // namespace

std::string ResidencyMachine::Impl::waits_for(const Entry& entry, SteadyTime at,
                                              const Ledger& as_is) const {
  if (entry.state == Residency::loading) return std::string(msg::kWaitsForItsLoad);
  if (entry.state == Residency::reserving) return std::string(msg::kWaitsForReservation);
  if (is_leaving(entry)) return std::string(msg::kWaitsForItsOwnEnd);
  if (entry.state == Residency::failed) return std::string(msg::kWaitsForRetry);
  if (!as_is.read_at()) return std::string(msg::kWaitsForDriver);
  if (entry.claim.empty() && entry.others_until) return std::string(msg::kWaitsForOthers);
  if (entry.claim.empty()) return std::string(msg::kWaitsForTurn);
  std::string words;
  for (const Entry* victim : entry.victims)
    words += (words.empty() ? "" : "; ") + words_of_victim(*victim, at, as_is);
  return words.empty() ? std::string(msg::kWaitsForBytes) : words;
}

ResidencyView ResidencyMachine::Impl::view_of(const Entry& entry) const {
  ResidencyView view;
  view.spec = &entry.spec;
  view.state = entry.state;
  view.open = entry.open;
  view.pinned = is_pinned(entry);
  view.policy = policy_of(entry);
  view.since = entry.since;
  view.in_flight = entry.in_flight;
  view.waiting = entry.queue.size();
  if (!entry.queue.empty()) view.oldest_wait = entry.queue.front().arrived;
  view.last_used = entry.last_used;
  view.ttl = ttl_of(entry, settings);
  view.leaves_at = unused_until(entry, settings);
  view.need = need_of(entry).value_or(Bytes{});
  view.starts = entry.starts;
  view.why = entry.why;
  return view;
}

TicketView ResidencyMachine::Impl::view_of(const Entry& entry, std::size_t place,
                                           std::optional<SteadyTime> loaded, SteadyTime at,
                                           const Ledger& as_is) const {
  const Waiter& waiter = entry.queue[place];
  TicketView view;
  view.ticket = waiter.ticket;
  view.model = entry.spec.name;
  view.arrived = waiter.arrived;
  view.bound = waiter.bound;
  view.expected = std::max(loaded.value_or(waiter.bound) - at, Nanoseconds::zero());
  view.place = place + 1;
  view.why = waits_for(entry, at, as_is);
  return view;
}

std::vector<TicketView> ResidencyMachine::Impl::waiting(SteadyTime at, const Ledger& as_is,
                                                        std::optional<Ticket> only) const {
  std::vector<TicketView> all;
  const auto show = [&](const Entry& entry, std::optional<SteadyTime> loaded) {
    for (std::size_t i = 0; i < entry.queue.size(); ++i)
      if (!only || entry.queue[i].ticket == *only)
        all.push_back(view_of(entry, i, loaded, at, as_is));
  };
  for (const auto& [name, entry] : models) {
    if (!is_coming(entry) || entry.queue.empty()) continue;
    const Nanoseconds gone =
        entry.state == Residency::loading ? at - entry.since : Nanoseconds::zero();
    show(entry, std::max(at, at + load_time(entry, Pace::expected) + -gone));
  }
  Timetable timetable(as_is, models, lags, Pace::expected, at);
  for (const Entry* entry : in_order()) show(*entry, timetable.book(*entry));
  return all;
}

std::vector<ResidencyView> ResidencyMachine::models() const {
  std::vector<ResidencyView> views;
  for (const auto& [name, entry] : impl_->models) views.push_back(impl_->view_of(entry));
  return views;
}

std::optional<ResidencyView> ResidencyMachine::find(std::string_view model) const {
  const auto found = impl_->models.find(model);
  if (found == impl_->models.end()) return std::nullopt;
  return impl_->view_of(found->second);
}

std::optional<TicketView> ResidencyMachine::explain(Ticket ticket, SteadyTime now,
                                                    const Ledger& ledger) const {
  if (!impl_->tickets.contains(ticket)) return std::nullopt;
  auto found = impl_->waiting(now, ledger, ticket);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<TicketView> ResidencyMachine::waiting(SteadyTime now, const Ledger& ledger) const {
  return impl_->waiting(now, ledger, std::nullopt);
}

}  // namespace estiva::decide
