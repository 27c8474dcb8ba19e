// The way out: closed, drained, gone; and back again where nobody needs the room any more.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace {

// An engine that ends so soon after its load is as good as one that failed to load.
constexpr Nanoseconds kDiedSoon = std::chrono::seconds(30);

std::string_view words_for(LeavesFor why) {
  switch (why) {
    case LeavesFor::ttl:
      return msg::kLeavesUnused;
    case LeavesFor::policy:
      return msg::kLeavesAlways;
    case LeavesFor::person:
      return msg::kLeavesByHand;
    case LeavesFor::pause:
      return msg::kLeavesPaused;
    case LeavesFor::removed:
      return msg::kLeavesRemoved;
    case LeavesFor::overcommitted:
      return msg::kLeavesOvercommitted;
    case LeavesFor::nothing:
    case LeavesFor::room:
    case LeavesFor::failure:
      break;
  }
  return {};
}

}  // namespace

void ResidencyMachine::Impl::begin_leave(Entry& entry, LeavesFor why) {
  if (is_leaving(entry)) {  // the stronger reason counts: it is not opened again for less
    entry.leaves_for = std::max(entry.leaves_for, why);
    return;
  }
  entry.leaves_for = why;
  if (const auto words = words_for(why); !words.empty()) tell(entry, std::string(words));
  if (is_asleep(entry)) return leave(entry, Leaving::stop);
  entry.open = false;
  entry.is_cut = false;
  entry.expects_requests = false;
  entry.ram_wait_until = {};
  entry.cut_at = now + entry.spec.drain;
  entry.is_closed = false;
  become(entry, Residency::draining);
  effects.push_back(Close{entry.spec.name});
}

void ResidencyMachine::Impl::on(const Closed& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->state != Residency::draining) return;
  entry->is_closed = true;
  entry->in_flight = event.in_flight;
  if (event.in_flight == 0) drained(*entry);
}

void ResidencyMachine::Impl::drained(Entry& entry) {
  if (const auto how = how_to_leave(entry)) leave(entry, *how);
}

void ResidencyMachine::Impl::leave(Entry& entry, Leaving how) {
  entry.held = as_held(*ledger, holdings_of(entry, *ledger));
  entry.how = how;
  entry.was_asleep = is_asleep(entry) || (is_coming(entry) && entry.waking);
  if (entry.state == Residency::draining) entry.failures = 0;
  if (entry.state != Residency::loading) entry.after_release = Residency::absent;
  become(entry, Residency::unloading);
  effects.push_back(Leave{entry.spec.name, how});
}

// The drain's deadline is past: requests are cut, and a little later it leaves whatever is counted.
void ResidencyMachine::Impl::cut_or_leave(Entry& entry) {
  if (entry.is_cut) return leave(entry, Leaving::stop);
  entry.is_cut = true;
  entry.cut_at = now + kCutGrace;
  const char* words = entry.leaves_for == LeavesFor::room ? msg::kCutForRoom : msg::kCutAtLast;
  effects.push_back(Cut{entry.spec.name, fmt::format(fmt::runtime(words), entry.spec.name,
                                                     to_words(entry.spec.drain))});
}

void ResidencyMachine::Impl::on(const SleepFailed& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->state != Residency::unloading || entry->how == Leaving::stop) return;
  entry->no_sleep = true;
  tell(*entry, fmt::format(msg::kToldSleepFailed, event.why));
  leave(*entry, Leaving::stop);
}

void ResidencyMachine::Impl::on(const Released& event) {
  Entry* entry = find(event.model);
  if (!entry || !is_leaving(*entry)) return;
  const bool left = entry->state == Residency::unloading;
  for (const Held& held : entry->held) lags.push_back({held.device, held.bytes, now + kReleaseLag});
  entry->in_flight = 0;
  entry->open = false;
  if (event.asleep && left && entry->how != Leaving::stop) {
    become(*entry, entry->how == Leaving::sleep ? Residency::sleeping : Residency::checkpointed);
    entry->leaves_for = LeavesFor::nothing;
    if (entry->next_spec || entry->removed) return leave(*entry, Leaving::stop);
    // Meanwhile the budget may have fallen.
    if (ram_used() > settings.host_budget && !is_wanted(*entry))
      stop_sleeper(*entry, msg::kLeavesRam);
    return;
  }
  if (entry->after_release == Residency::failed) return become(*entry, Residency::failed);
  become_absent(*entry);
}

void ResidencyMachine::Impl::become_absent(Entry& entry) {
  entry.leaves_for = LeavesFor::nothing;
  entry.no_sleep = false;
  become(entry, Residency::absent);
  if (entry.next_spec) entry.spec = *std::exchange(entry.next_spec, std::nullopt);
  if (!entry.removed) return;
  for (auto& [name, other] : models) std::erase(other.victims, &entry);
  models.erase(models.find(std::string_view(entry.spec.name)));
}

void ResidencyMachine::Impl::on(const Died& event) {
  Entry* entry = find(event.model);
  if (!entry || entry->state == Residency::absent || entry->state == Residency::failed ||
      entry->state == Residency::loading || entry->state == Residency::unloading)
    return;  // a load that fails says so itself
  tell(*entry, fmt::format(msg::kToldDied, event.why));
  if (entry->open) effects.push_back(Close{entry->spec.name});
  entry->held = as_held(*ledger, holdings_of(*entry, *ledger));
  entry->how = Leaving::stop;
  entry->open = entry->expects_requests = false;
  entry->after_release = Residency::absent;
  entry->leaves_for = LeavesFor::failure;
  entry->why = event.why;
  const bool was_awake = entry->state == Residency::resident || entry->state == Residency::draining;
  if (was_awake && now - entry->opened_at < kDiedSoon)
    pause_after_failure(*entry);
  else
    entry->failures = 0;
  become(*entry, Residency::unloading);
}

void ResidencyMachine::Impl::reopen(Entry& entry) {
  tell(entry, std::string(msg::kStaysAfterAll));
  open(entry);
}

}  // namespace estiva::decide
