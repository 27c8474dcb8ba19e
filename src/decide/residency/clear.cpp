// What can't come in is told so at once, and what may not stay leaves.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/placement/decide.h"
#include "decide/placement/explain.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

// Nothing that may be evicted is enough: that is said at once, with the ledger's words.
void ResidencyMachine::Impl::cannot_fit(Entry& entry, const AssignRequest& request) {
  if (is_asleep(entry)) {  // not where it sleeps; perhaps elsewhere
    tell(entry, std::string(msg::kLeavesMoved));
    return leave(entry, Leaving::stop);
  }
  if (is_leaving(entry)) return;
  if (const Entry* mate = pinned_mate(entry))
    return refuse_all(entry, {0,
                              ErrorKind::refused,
                              fmt::format(msg::kGroupIsPinned, entry.spec.group, mate->spec.name),
                              fmt::format(msg::kUnpinIt, mate->spec.name),
                              {}});
  if (!paused.empty()) {
    const Round unpaused = new_round(Pauses::ignored);
    if (choose_eviction(entry, unpaused, request)) return refuse_paused(entry);
  }
  if (waits_for_others(entry, request)) return;
  AssignRequest asked = request;
  asked.requested_at = *ledger->read_at();
  const Decision decision = decide_assign(*ledger, asked);
  Explanation words;
  if (decision.verdict == Verdict::refused || decision.verdict == Verdict::needs_fresh_reading)
    words = explain_refusal(*ledger, asked, decision);
  else
    words.reason = fmt::format(msg::kNothingToEvict, entry.spec.name);
  std::string remedy = words.remedy;
  if (remedy.empty() && !words.would_fit_if.empty())
    remedy = fmt::format(msg::kWouldFitIf, words.would_fit_if.front());
  refuse_all(entry, {0, words.kind, std::move(words.reason), std::move(remedy), {}});
}

// Once for all that wait for it now, and as long as that takes them.
bool ResidencyMachine::Impl::waits_for_others(Entry& entry, const AssignRequest& request) {
  if (!entry.others_until) {
    entry.others_until = std::min(now + kWaitForOthers, entry.first_bound);
    effects.push_back(AskOthers{entry.spec.name, request.shares});
  }
  if (*entry.others_until <= now) return false;
  plan_not_before(*entry.others_until);
  return true;
}

void ResidencyMachine::Impl::on(const NobodyYields& event) {
  Entry* entry = find(event.model);
  if (entry && entry->others_until) entry->others_until = now;
}

void ResidencyMachine::Impl::refuse_paused(Entry& entry) {
  std::optional<SteadyTime> until;
  std::string where;
  bool for_ever = false;
  for (const auto& [device, end] : paused) {
    where += (where.empty() ? "" : ", ") + (device.empty() ? std::string(msg::kEveryGpu) : device);
    if (!end)
      for_ever = true;
    else if (!until || *end < *until)
      until = end;
  }
  std::optional<Nanoseconds> left;
  if (until && !for_ever) left = *until - now;
  const std::string rest = left ? fmt::format(msg::kPausedUntil, to_words(*left)) : std::string();
  refuse_all(entry,
             {0, ErrorKind::refused, fmt::format(msg::kModelPaused, entry.spec.name, where, rest),
              std::string(msg::kResumeIt), left});
}

void ResidencyMachine::Impl::empty_paused() {
  for (auto& [name, entry] : models) {
    if (!uses_gpus(entry) || entry.leaves_for == LeavesFor::pause) continue;
    bool on_paused = false;
    for (const Holding& held : all_holdings(entry, *ledger))
      on_paused = on_paused || is_paused(ledger->accounts()[held.account].id.key());
    if (!on_paused) continue;
    if (entry.state == Residency::resident || is_asleep(entry) ||
        entry.state == Residency::draining)
      begin_leave(entry, LeavesFor::pause);
    else if (is_coming(entry) && !entry.cancelled) {
      entry.cancelled = true;
      if (entry.state == Residency::loading) effects.push_back(Cancel{name});
    }
  }
}

// I8: idle models leave a GPU that holds more than it should, the cheapest first, until it does
// not.
void ResidencyMachine::Impl::relieve_overcommitted() {
  const Freed leaving = leaving_of(*ledger, models, lags);
  for (std::size_t i = 0; i < leaving.size(); ++i) {
    const GpuAccount& account = ledger->accounts()[i];
    const std::string& device = account.id.key();
    if (!overcommitted.contains(device)) continue;
    // What was given back and not read again is no part of what is committed.
    Bytes over = committed(account) - account.capacity - (leaving[i] - account.credit_pending);
    std::vector<std::pair<double, Entry*>> idle;
    for (auto& [name, entry] : models) {
      const Bytes bytes = bytes_on(entry, *ledger, device);
      if (bytes == Bytes{}) continue;
      if (entry.state == Residency::draining && !leaves_for_sure(entry))
        over -= bytes;
      else if ((is_idle(entry) || is_asleep(entry)) && !is_pinned(entry))
        idle.emplace_back(eviction_cost(entry, settings, now), &entry);
    }
    std::stable_sort(idle.begin(), idle.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [cost, entry] : idle) {
      if (over == Bytes{}) break;
      over -= bytes_on(*entry, *ledger, device);
      begin_leave(*entry, LeavesFor::overcommitted);
    }
  }
}

}  // namespace estiva::decide
