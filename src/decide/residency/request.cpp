// What a model asks of the ledger, and what it has of it.
#include <algorithm>

#include "decide/residency/machine.h"

namespace estiva::decide::residency {

std::vector<Held> claim_of(const AssignRequest& request, const std::vector<std::uint32_t>& accounts,
                           const Ledger& ledger) {
  std::vector<Held> claim;
  for (std::size_t i = 0; i < accounts.size(); ++i)
    claim.push_back({ledger.accounts()[accounts[i]].id.key(), request.shares[i].bytes});
  return claim;
}

std::vector<Held> unseen_claim(const Entry& entry, const Ledger& ledger) {
  const LeaseEntry* lease = ledger.find_model(entry.spec.name);
  if (!lease) return entry.claim;
  const bool grows = entry.state == Residency::reserving ? entry.waking : is_asleep(entry);
  if (!grows || lease->uses.empty()) return {};
  return lease->uses.front().declared < need_of(entry).value_or(Bytes{}) ? entry.claim
                                                                         : std::vector<Held>{};
}

std::optional<std::vector<ShareWanted>> shares_of(const Entry& entry, const Ledger& ledger) {
  const auto need = need_of(entry);
  if (!need) return std::nullopt;
  const LeaseEntry* lease = is_asleep(entry) ? ledger.find_model(entry.spec.name) : nullptr;
  const std::size_t count = lease ? lease->uses.size() : std::max(1U, entry.spec.gpus);
  std::vector<ShareWanted> shares(count, ShareWanted{entry.spec.gpu, *need});
  for (std::size_t i = 0; i < count; ++i) {
    if (lease)
      shares[i].gpu = ledger.accounts()[lease->uses[i].account].id.key();
    else if (is_asleep(entry) && i < entry.held.size())
      shares[i].gpu = entry.held[i].device;
    else if (i < entry.alone_on.size())
      shares[i].gpu = entry.alone_on[i];
  }
  return shares;
}

std::optional<AssignRequest> request_of(const Entry& entry, const Ledger& ledger) {
  auto shares = shares_of(entry, ledger);
  if (!shares) return std::nullopt;
  AssignRequest request;
  request.model = entry.spec.name;
  request.shares = std::move(*shares);
  const LeaseEntry* lease = is_asleep(entry) ? ledger.find_model(entry.spec.name) : nullptr;
  for (std::size_t i = 0; lease && i < lease->uses.size(); ++i) {
    const Use& use = lease->uses[i];
    request.shares[i].bytes = request.shares[i].bytes - std::max(use.declared, use.measured) -
                              ledger.policy().context_allowance;
  }
  return request;
}

Holdings all_holdings(const Entry& entry, const Ledger& ledger) {
  Holdings all;
  if (ledger.find_model(entry.spec.name)) all = holdings_of(entry, ledger);
  for (const Holding& held : as_holdings(ledger, unseen_claim(entry, ledger))) all.push_back(held);
  return all;
}

Bytes bytes_on(const Entry& entry, const Ledger& ledger, std::string_view device) {
  Bytes sum;
  for (const Holding& held : holdings_of(entry, ledger))
    if (ledger.accounts()[held.account].id.key() == device) sum += held.bytes;
  return sum;
}

}  // namespace estiva::decide::residency
