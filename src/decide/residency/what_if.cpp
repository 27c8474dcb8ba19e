// Hypotheses about the ledger.
#include "decide/residency/what_if.h"

#include <algorithm>

namespace estiva::decide::residency {
namespace {

// Why nothing is placed there; nobody sees it.
constexpr std::string_view kPausedMark = "paused";

// The accounts alone: a choice of GPUs looks at no lease.
Ledger accounts_of(const Ledger& ledger, const WhatIf::IsPaused& is_paused) {
  LedgerState state;
  state.policy = ledger.policy();
  state.driver = ledger.driver();
  state.read_at = ledger.read_at();
  state.accounts = ledger.accounts();
  for (GpuAccount& account : state.accounts)
    if (is_paused(account.id.key())) account.unfit = kPausedMark;
  return Ledger(std::move(state));
}

std::optional<std::uint32_t> account_of(const Ledger& ledger, std::string_view device) {
  const auto& accounts = ledger.accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i)
    if (accounts[i].id.key() == device) return i;
  return std::nullopt;
}

Holdings holdings_of(const LeaseEntry& lease) {
  Holdings held;
  held.reserve(lease.uses.size());
  for (const Use& use : lease.uses)
    held.push_back({use.account, std::max(use.charge, use.measured)});
  return held;
}

// What left and is not seen free counts as foreign until it falls.
void add_lags(Freed& freed, const Ledger& ledger, const std::vector<Lag>& lags) {
  Freed lagging(freed.size());
  for (const Lag& lag : lags)
    if (const auto account = account_of(ledger, lag.device)) lagging[*account] += lag.bytes;
  for (std::size_t i = 0; i < freed.size(); ++i)
    freed[i] += std::min(lagging[i], ledger.accounts()[i].foreign);
}

}  // namespace

WhatIf::WhatIf(const Ledger& ledger, const IsPaused& is_paused)
    : ledger_(accounts_of(ledger, is_paused)) {}

void WhatIf::promise(const std::string& model, const std::vector<Held>& held) {
  Decision decision;
  decision.verdict = Verdict::granted;
  decision.lease.model = model;
  for (const Holding& holding : as_holdings(ledger_, held))
    decision.lease.shares.push_back({ledger_.accounts()[holding.account].id, holding.bytes});
  if (!decision.lease.shares.empty()) ledger_.apply(decision);
}

Holdings holdings_of(const Entry& entry, const Ledger& ledger) {
  if (const LeaseEntry* lease = ledger.find_model(entry.spec.name)) return holdings_of(*lease);
  return as_holdings(ledger, entry.claim);
}

void add(Freed& freed, const Holdings& holdings) {
  for (const Holding& holding : holdings) freed[holding.account] += holding.bytes;
}

Freed credits_of(const Ledger& ledger) {
  Freed freed;
  freed.reserve(ledger.accounts().size());
  for (const GpuAccount& account : ledger.accounts()) freed.push_back(account.credit_pending);
  return freed;
}

Freed leaving_of(const Ledger& ledger, const Models& models, const std::vector<Lag>& lags) {
  Freed freed = credits_of(ledger);
  std::vector<std::string_view> releasing;
  for (const auto& [id, lease] : ledger.entries()) {
    if (lease.lease.state != LeaseState::releasing) continue;
    add(freed, holdings_of(lease));
    releasing.push_back(lease.lease.model);
  }
  // Of several that left the ledger at one read only the first was told so far.
  std::vector<Lag> all_lags = lags;
  for (const auto& [name, entry] : models)
    if (leaves_for_sure(entry)) {
      const LeaseEntry* lease = ledger.find_model(name);
      const bool is_gone =
          !lease && std::find(releasing.begin(), releasing.end(), name) == releasing.end();
      if (lease) add(freed, holdings_of(*lease));
      if (is_gone)
        for (const Held& held : entry.held) all_lags.push_back({held.device, held.bytes, {}});
    }
  add_lags(freed, ledger, all_lags);
  return freed;
}

std::vector<Held> as_held(const Ledger& ledger, const Holdings& holdings) {
  std::vector<Held> held;
  for (const Holding& holding : holdings)
    held.push_back({ledger.accounts()[holding.account].id.key(), holding.bytes});
  return held;
}

Holdings as_holdings(const Ledger& ledger, const std::vector<Held>& held) {
  Holdings holdings;
  for (const Held& one : held)
    if (const auto account = account_of(ledger, one.device))
      holdings.push_back({*account, one.bytes});
  return holdings;
}

}  // namespace estiva::decide::residency
