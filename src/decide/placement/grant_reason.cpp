#include "decide/placement/grant_reason.h"

#include <fmt/format.h>

#include "base/messages/decide.h"
#include "base/units.h"

namespace estiva::decide {
namespace {

const GpuAccount* account_of(const Ledger& ledger, const DeviceId& device) {
  for (const GpuAccount& account : ledger.accounts()) {
    if (account.id == device) return &account;
  }
  return nullptr;
}

std::string for_new(const Ledger& ledger, const AssignRequest& request, const Decision& decision) {
  if (decision.lease.shares.size() != 1) {
    return fmt::format(msg::kWhySeveral, decision.lease.shares.size());
  }
  const Share& share = decision.lease.shares[0];
  const GpuAccount* chosen = account_of(ledger, share.device);
  if (chosen == nullptr) return {};
  const std::string free = to_text(admissible(*chosen, ledger.policy()));
  if (request.shares[0].gpu != "auto") return fmt::format(msg::kWhyAsked, chosen->index, free);
  std::size_t with_room = 0;
  std::size_t usable = 0;
  for (const GpuAccount& account : ledger.accounts()) {
    if (!takes_more(account)) continue;
    ++usable;
    if (admissible(account, ledger.policy()) >= share.bytes) ++with_room;
  }
  if (with_room == 1) return fmt::format(msg::kWhyOnlyOne, chosen->index, free);
  const bool packed =
      request.choice == Choice::pack || (request.choice == Choice::by_gpu_count && usable > 1);
  return fmt::format(fmt::runtime(packed ? msg::kWhyPacked : msg::kWhyLeastBusy), chosen->index,
                     with_room, free);
}

}  // namespace

std::string grant_reason(const Ledger& ledger, const AssignRequest& request,
                         const Decision& decision) {
  switch (decision.verdict) {
    case Verdict::granted:
      return for_new(ledger, request, decision);
    case Verdict::grown:
      return msg::kWhyGrown;
    case Verdict::bound:
      return msg::kWhyBound;
    case Verdict::already_assigned:
      return msg::kWhySame;
    default:
      return {};
  }
}

}  // namespace estiva::decide
