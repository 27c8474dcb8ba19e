#include "daemon/grant_reason.h"

#include <fmt/format.h>

#include "base/messages/api.h"
#include "base/units.h"

namespace estiva::daemon {
namespace {

const decide::GpuAccount* account_of(const decide::Ledger& ledger, const DeviceId& device) {
  for (const decide::GpuAccount& account : ledger.accounts()) {
    if (account.id == device) return &account;
  }
  return nullptr;
}

std::string for_new(const decide::Ledger& ledger, const decide::AssignRequest& request,
                    const decide::Decision& decision) {
  if (decision.lease.shares.size() != 1) {
    return fmt::format(msg::kWhySeveral, decision.lease.shares.size());
  }
  const Share& share = decision.lease.shares[0];
  const decide::GpuAccount* chosen = account_of(ledger, share.device);
  if (chosen == nullptr) return {};
  const std::string free = to_text(decide::admissible(*chosen, ledger.policy()));
  if (request.shares[0].gpu != "auto") return fmt::format(msg::kWhyAsked, chosen->index, free);
  std::size_t with_room = 0;
  std::size_t usable = 0;
  for (const decide::GpuAccount& account : ledger.accounts()) {
    if (!decide::takes_more(account)) continue;
    ++usable;
    if (decide::admissible(account, ledger.policy()) >= share.bytes) ++with_room;
  }
  if (with_room == 1) return fmt::format(msg::kWhyOnlyOne, chosen->index, free);
  const bool packed = request.choice == decide::Choice::pack ||
                      (request.choice == decide::Choice::by_gpu_count && usable > 1);
  return fmt::format(fmt::runtime(packed ? msg::kWhyPacked : msg::kWhyLeastBusy), chosen->index,
                     with_room, free);
}

}  // namespace

std::string grant_reason(const decide::Ledger& ledger, const decide::AssignRequest& request,
                         const decide::Decision& decision) {
  switch (decision.verdict) {
    case decide::Verdict::granted:
      return for_new(ledger, request, decision);
    case decide::Verdict::grown:
      return msg::kWhyGrown;
    case decide::Verdict::bound:
      return msg::kWhyBound;
    case decide::Verdict::already_assigned:
      return msg::kWhySame;
    default:
      return {};
  }
}

}  // namespace estiva::daemon
