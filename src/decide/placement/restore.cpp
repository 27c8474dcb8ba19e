// I7: after a crash the ledger is the journal intersected with reality. What the journal says of
// another boot is void, whatever it was; a holder that is gone starts its lease's release; nothing
// can be granted before the first read of the GPUs, which finds out what is really held.
#include <charconv>

#include "base/messages/decide.h"
#include "decide/placement/ledger.h"

namespace estiva::decide {
namespace {

// "l-000000000017" -> 17; 0 for an id of another form.
std::uint64_t number_of(std::string_view id) {
  if (!id.starts_with("l-")) return 0;
  std::uint64_t number = 0;
  std::from_chars(id.data() + 2, id.data() + id.size(), number);
  return number;
}

}  // namespace

std::vector<LedgerChange> Ledger::restore(const std::vector<Recovered>& journal,
                                          std::uint64_t next_number, std::uint64_t sequence,
                                          SteadyTime now) {
  std::vector<LedgerChange> changes;
  next_number_ = std::max(next_number_, next_number);
  sequence_ = std::max(sequence_, sequence);
  for (const Recovered& record : journal) {
    next_number_ = std::max(next_number_, number_of(record.lease.id) + 1);
    sequence_ = std::max(sequence_, record.lease.sequence);
    if (record.lease.boot_epoch != boot_epoch_) {
      changes.push_back(
          {LedgerChange::Kind::gone, record.lease, {}, std::string(msg::kVoidAfterBoot)});
      continue;
    }
    LeaseEntry& entry = insert(record.lease);
    const bool dead = entry.lease.holder && record.holder == HolderCheck::dead;
    entry.holder_gone = dead;
    entry.changed_at = now;
    if (dead && entry.lease.state != LeaseState::releasing)
      changes.push_back(start_releasing(entry, now, msg::kHolderDiedUnwatched));
  }
  return changes;
}

}  // namespace estiva::decide
