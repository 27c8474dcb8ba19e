// What to start next. All that wait are looked at in order; each takes the room that is free, or
// claims what others will leave, so that nobody behind it takes that away.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace {

// Before the first read nobody can say what fits.
bool knows_gpus(const Ledger& ledger) {
  return ledger.read_at() && ledger.driver().state != DriverState::initialising;
}

}  // namespace

void ResidencyMachine::Impl::plan() {
  needs_plan = false;
  plan_at.reset();
  std::erase_if(lags, [&](const Lag& lag) { return lag.until <= now; });
  if (!paused.empty()) empty_paused();
  if (!overcommitted.empty()) relieve_overcommitted();
  const auto order = in_order();
  if (!order.empty()) {
    for (auto& [name, entry] : models)
      if (entry.state != Residency::reserving) entry.claim.clear();
    Round round = new_round(Pauses::heeded);
    for (const Entry* entry : order) consider(*find(entry->spec.name), round);
    if (!lags.empty()) plan_not_before(lags.front().until);
  }
  reopen_needless();
}

Round ResidencyMachine::Impl::new_round(Pauses pauses) const {
  Round round{WhatIf(*ledger,
                     [&](const std::string& device) {
                       return pauses == Pauses::heeded && is_paused(device);
                     }),
              credits_of(*ledger),
              leaving_of(*ledger, models, lags),
              false,
              {}};
  for (const auto& [name, entry] : models)
    if (entry.state == Residency::reserving)
      round.what_if.promise(name, unseen_claim(entry, *ledger));
  return round;
}

// Starts it, or finds out what has to leave for it.
void ResidencyMachine::Impl::consider(Entry& entry, Round& round) {
  const bool can_start = !is_leaving(entry) && entry.look_again <= now;
  if (entry.look_again > now) plan_not_before(entry.look_again);
  if (entry.state == Residency::failed && entry.retry_at > now) return;
  if (!uses_gpus(entry)) {
    if (can_start) load(entry);
    return;
  }
  const auto request = request_of(entry, *ledger);
  if (!request)
    return refuse_all(entry, {0,
                              ErrorKind::failed,
                              fmt::format(msg::kNeedNotKnown, entry.spec.name),
                              std::string(msg::kDeclareVram),
                              {}});
  if (!knows_gpus(*ledger)) return;
  if (entry.queue.empty()) return try_preload(entry, round, *request);
  if (is_held_up(entry)) return evict_for(entry, round, *request);
  const Chosen chosen = choose_gpus(round.what_if.ledger(), *request, round.credits);
  if (chosen.cause != Cause::none) return evict_for(entry, round, *request);
  auto claim = claim_of(*request, chosen.accounts, *ledger);
  round.what_if.promise(entry.spec.name, claim);
  if (can_start) return reserve(entry, std::move(claim), round.has_claims || !paused.empty());
  entry.claim = std::move(claim);
}

// Only where there is room that nobody else has a use for.
void ResidencyMachine::Impl::try_preload(Entry& entry, Round& round, const AssignRequest& request) {
  const Chosen chosen = choose_gpus(round.what_if.ledger(), request, round.credits);
  if (chosen.cause == Cause::none && !is_held_up(entry)) {
    if (is_leaving(entry) || entry.look_again > now) return;
    auto claim = claim_of(request, chosen.accounts, *ledger);
    round.what_if.promise(entry.spec.name, claim);
    return reserve(entry, std::move(claim), round.has_claims || !paused.empty());
  }
  entry.preload_wanted = false;
  tell(entry, fmt::format(msg::kNotPreloaded, msg::kNoFreeRoom));
}

}  // namespace estiva::decide
