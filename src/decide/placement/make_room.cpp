#include "decide/placement/make_room.h"

#include <algorithm>

#include "decide/placement/choose.h"

namespace estiva::decide {
namespace {

// What was given back already and waits to be looked at is as good as free here.
std::vector<Bytes> pending(const Ledger& ledger) {
  std::vector<Bytes> freed;
  for (const GpuAccount& account : ledger.accounts()) freed.push_back(account.credit_pending);
  return freed;
}

void add_yield(std::vector<Bytes>& freed, const Ledger& ledger, const Yielder& yielder) {
  const LeaseEntry* entry = ledger.find(yielder.lease_id);
  if (entry == nullptr || entry->lease.state == LeaseState::releasing) return;
  for (std::size_t i = 0; i < entry->uses.size(); ++i) {
    const Use& use = entry->uses[i];
    const Bytes kept = i < yielder.kept.size() ? yielder.kept[i] : Bytes{};
    freed[use.account] += use.charge - kept;  // never below nothing
  }
}

// The model has its lease, on the GPUs where it is: the rest of what it wants has to fit there.
bool grows_there(const Ledger& ledger, const LeaseEntry& entry, const AssignRequest& request,
                 const std::vector<Bytes>& freed) {
  if (entry.uses.size() != request.shares.size()) return false;
  for (std::size_t i = 0; i < entry.uses.size(); ++i) {
    const Use& use = entry.uses[i];
    const Bytes extra = request.shares[i].bytes - use.charge;
    if (extra > Bytes{} && room_on(ledger, use.account, freed) < extra) return false;
  }
  return true;
}

bool fits(const Ledger& ledger, const AssignRequest& request, const std::vector<Bytes>& freed) {
  if (const LeaseEntry* entry = ledger.find_model(request.model))
    return grows_there(ledger, *entry, request, freed);
  return choose_gpus(ledger, request, freed).cause == Cause::none;
}

bool fits_with(const Ledger& ledger, const AssignRequest& request,
               const std::vector<Yielder>& asked) {
  std::vector<Bytes> freed = pending(ledger);
  for (const Yielder& yielder : asked) add_yield(freed, ledger, yielder);
  return fits(ledger, request, freed);
}

}  // namespace

std::vector<std::string> whom_to_ask(const Ledger& ledger, const AssignRequest& request,
                                     const std::vector<Yielder>& in_order) {
  std::vector<Yielder> asked;
  for (const Yielder& yielder : in_order) {
    if (fits_with(ledger, request, asked)) break;
    asked.push_back(yielder);
  }
  if (!fits_with(ledger, request, asked)) return {};
  // On several GPUs the first ones may have been asked in vain.
  for (std::size_t i = 0; i < asked.size();) {
    std::vector<Yielder> without = asked;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    if (fits_with(ledger, request, without)) {
      asked = std::move(without);
    } else {
      ++i;
    }
  }
  std::vector<std::string> ids;
  for (const Yielder& yielder : asked) ids.push_back(yielder.lease_id);
  return ids;
}

}  // namespace estiva::decide
