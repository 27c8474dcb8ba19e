#include "decide/placement/replay.h"

#include "decide/placement/decide.h"
#include "decide/placement/explain.h"
#include "decide/placement/grant_reason.h"

namespace estiva::decide {
namespace {

std::optional<Differs> compare(const Outcome& then, const Outcome& now) {
  if (then.granted != now.granted) return Differs::verdict;
  if (then.shares != now.shares) return Differs::placement;
  if (then.words != now.words) return Differs::words;
  return std::nullopt;
}

std::vector<Placed> placed(const Lease& lease) {
  std::vector<Placed> shares;
  for (const Share& share : lease.shares) shares.push_back({share.device.key(), share.bytes});
  return shares;
}

}  // namespace

std::string_view to_name(Differs differs) {
  switch (differs) {
    case Differs::verdict:
      return "verdict";
    case Differs::placement:
      return "placement";
    case Differs::words:
      return "words";
  }
  return "unknown";
}

std::string_view to_name(Skipped skipped) {
  switch (skipped) {
    case Skipped::no:
      return "no";
    case Skipped::not_kept:
      return "not_kept";
    case Skipped::no_chain:
      return "no_chain";
  }
  return "unknown";
}

Outcome Replay::decide_again(const AssignRequest& request) {
  Decision decision = decide_assign(*ledger_, request);
  if (changes_ledger(decision.verdict)) {
    Outcome outcome{true, {}, grant_reason(*ledger_, request, decision)};
    outcome.shares = placed(ledger_->apply(decision).lease);
    return outcome;
  }
  if (decision.verdict == Verdict::already_assigned) {
    return {true, placed(decision.lease), grant_reason(*ledger_, request, decision)};
  }
  // Room was given back all the time and taken by others: what was answered in the end is "no
  // room".
  if (decision.verdict == Verdict::needs_fresh_reading) {
    decision.verdict = Verdict::refused;
    decision.cause = Cause::no_room;
  }
  return {false, {}, explain_refusal(*ledger_, request, decision).reason};
}

// A journal that is read in pages tells the base of a chain again where a page begins.
bool Replay::is_same_base(const LedgerState& state) const {
  return base_ && base_->sequence == state.sequence && base_->read_at == state.read_at &&
         base_->driver == state.driver && base_->boot_epoch == state.boot_epoch;
}

Replay::Step Replay::take(const PastDecision& past) {
  if (past.before && !(ledger_ && is_same_base(*past.before))) {
    ledger_.emplace(*past.before);
    base_ = past.before;
  }
  if (!past.request) {
    ledger_.reset();  // what it changed is not known, so nothing can stand on it
    return {Skipped::not_kept, std::nullopt};
  }
  if (!ledger_ || ledger_->sequence() != past.sequence) return {Skipped::no_chain, std::nullopt};
  const Outcome now = decide_again(*past.request);
  const auto differs = compare(past.outcome, now);
  if (!differs) return {};
  if (*differs != Differs::words) ledger_.reset();
  return {Skipped::no, Difference{past.position, past.model, *differs, past.outcome, now}};
}

}  // namespace estiva::decide
