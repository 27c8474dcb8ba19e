// The way in: reserving, loading, opening, and what becomes of loads that fail.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace {

// So often a plan is tried anew that the ledger would not have, and so long after each.
constexpr unsigned kMostNotReserved = 3;
constexpr Nanoseconds kAfterNotReserved = std::chrono::milliseconds(100);

Nanoseconds pause_of(unsigned failures, const ResidencySettings& settings) {
  Nanoseconds pause = settings.first_pause;
  for (unsigned i = 1; i < failures && pause < settings.longest_pause; ++i) pause *= 2;
  return std::min(pause, settings.longest_pause);
}

// Shares with the names of the GPUs that were chosen for them.
void name_gpus(std::vector<ShareWanted>& shares, const std::vector<Held>& claim) {
  for (std::size_t i = 0; i < shares.size() && i < claim.size(); ++i)
    shares[i].gpu = claim[i].device;
}

}  // namespace

void ResidencyMachine::Impl::reserve(Entry& entry, std::vector<Held> claim, bool by_name) {
  auto shares = shares_of(entry, *ledger);
  if (by_name) name_gpus(*shares, claim);
  entry.waking = is_asleep(entry);
  if (entry.waking) entry.asleep_as = entry.state;
  entry.claim = std::move(claim);
  entry.cancelled = false;
  become(entry, Residency::reserving);
  effects.push_back(Reserve{entry.spec.name, std::move(*shares)});
}

void ResidencyMachine::Impl::load(Entry& entry) {
  entry.claim.clear();
  entry.victims.clear();
  entry.committed = 0;
  entry.others_until.reset();
  entry.not_reserved = 0;
  entry.look_again = {};
  become(entry, Residency::loading);
  effects.push_back(Load{entry.spec.name, entry.waking});
}

void ResidencyMachine::Impl::on(const Reserved& event) {
  Entry* entry = find(event.model);
  if (!entry) return;
  if (entry->state != Residency::reserving) {  // its engine died meanwhile
    effects.push_back(Forgo{entry->spec.name});
    return become(*entry, Residency::unloading);
  }
  if (!entry->cancelled) return load(*entry);
  entry->claim.clear();
  if (entry->waking) {  // its lease has grown for nothing: it sleeps on in what it is charged
    become(*entry, entry->asleep_as);
    return leave(*entry, Leaving::stop);
  }
  entry->after_release = Residency::absent;
  become(*entry, Residency::unloading);
  effects.push_back(Forgo{entry->spec.name});
}

void ResidencyMachine::Impl::on(const NotReserved& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->state != Residency::reserving) return;
  entry->claim.clear();
  become(*entry, entry->waking ? entry->asleep_as : Residency::absent);
  if (entry->cancelled || entry->removed) {
    entry->cancelled = false;
    if (entry->state == Residency::absent) become_absent(*entry);
    return;
  }
  entry->why = event.why;
  if (event.no_room && ++entry->not_reserved < kMostNotReserved) {
    entry->look_again = now + kAfterNotReserved * entry->not_reserved;
    return;
  }
  entry->not_reserved = 0;
  entry->preload_wanted = false;
  refuse_all(*entry,
             {0, event.no_room ? ErrorKind::no_room : ErrorKind::refused, event.why, {}, {}});
}

void ResidencyMachine::Impl::on(const Loaded& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->state != Residency::loading) return;
  entry->preload_wanted = false;
  ++entry->starts;
  entry->raised = entry->alone_on.empty() ? entry->raised : need_of(*entry).value_or(Bytes{});
  entry->alone_on.clear();
  entry->why.clear();
  // Too late to cancel: it is here now, and leaves when somebody needs its room.
  entry->cancelled = false;
  entry->opened_at = now;
  entry->has_served = entry->opened_for_requests = false;
  open(*entry);
  if (entry->removed) begin_leave(*entry, LeavesFor::removed);
}

void ResidencyMachine::Impl::open(Entry& entry) {
  become(entry, Residency::resident);
  entry.open = true;
  entry.leaves_for = LeavesFor::nothing;
  effects.push_back(Open{entry.spec.name});
  serve_queue(entry);
}

void ResidencyMachine::Impl::pause_after_failure(Entry& entry) {
  ++entry.failures;
  entry.retry_at = now + pause_of(entry.failures, settings);
  entry.after_release = Residency::failed;
}

// Ran out of memory: more is asked for, and everything else on those GPUs goes.
bool ResidencyMachine::Impl::tries_once_more(Entry& entry, const LoadFailed& event) {
  const auto need = need_of(entry);
  if (!event.out_of_memory || !entry.alone_on.empty() || !must_load(entry) || !need) return false;
  for (const Held& held : entry.held) entry.alone_on.push_back(held.device);
  if (entry.alone_on.empty()) return false;
  entry.raised = {need->value + need->value / 8};
  tell(entry, fmt::format(msg::kToldOutOfMemory, to_text(*need), to_text(entry.raised)));
  return true;
}

void ResidencyMachine::Impl::on(const LoadFailed& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->state != Residency::loading) return;
  entry->held = as_held(*ledger, holdings_of(*entry, *ledger));
  entry->after_release = Residency::absent;
  const bool was_cancelled = event.is_cancelled && entry->cancelled;
  entry->cancelled = false;
  if (!was_cancelled && !tries_once_more(*entry, event)) {
    entry->alone_on.clear();
    entry->why = event.why;
    entry->preload_wanted = false;
    pause_after_failure(*entry);
    const Nanoseconds pause = entry->retry_at - now;
    tell(*entry, fmt::format(msg::kToldFailed, to_words(pause), event.why));
    refuse_all(*entry, {0,
                        ErrorKind::failed,
                        fmt::format(msg::kLoadFailed, entry->spec.name, event.why),
                        {},
                        pause});
  }
  // What failed to wake may be anything: it is stopped. Of what failed to start nothing is left.
  if (entry->waking) return leave(*entry, Leaving::stop);
  become(*entry, Residency::unloading);
  effects.push_back(Forgo{entry->spec.name});
}

}  // namespace estiva::decide
