// How leases enter, change and leave the ledger, and what that does to the accounts.
#include "decide/placement/ledger.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>

#include "base/messages/decide.h"

namespace estiva::decide {
namespace {

// Something of it was seen on a GPU, or could be there unseen.
bool may_hold_memory(const LeaseEntry& entry) {
  return std::any_of(entry.uses.begin(), entry.uses.end(),
                     [](const Use& use) { return !use.processes.empty() || !use.measured_known; });
}

bool was_seen(const LeaseEntry& entry) {
  return std::any_of(entry.uses.begin(), entry.uses.end(),
                     [](const Use& use) { return !use.processes.empty(); });
}

// Nobody can see whether that was given back: what could be there is foreign from now on.
void leave_to_foreign(GpuAccount& account, Bytes bytes) {
  account.foreign = account.foreign_held =
      std::min(account.used, account.foreign + std::min(bytes, account.used));
}

bool is_smaller(const LeaseEntry& entry, const std::vector<Bytes>& bytes) {
  if (bytes.size() != entry.uses.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] < entry.uses[i].declared) return true;
  return false;
}

std::string lease_id(std::uint64_t number) {
  return fmt::format("l-{:012}", number);
}

}  // namespace

Bytes charge_of(const Use& use, LeaseState state, Bytes device_used, Bytes context_allowance) {
  if (state != LeaseState::releasing)
    return std::max(use.declared, use.measured) + (use.has_context ? Bytes{} : context_allowance);
  if (use.measured_known) return use.measured;
  return std::min(std::max(use.declared, use.measured), device_used);
}

LeaseBytes bytes_of(const LeaseEntry& entry) {
  LeaseBytes sum;
  for (const Use& use : entry.uses) {
    sum.declared += use.declared;
    sum.measured += use.measured;
    sum.charged += use.charge;
  }
  return sum;
}

Ledger::Ledger(LedgerState state)
    : policy_(state.policy),
      node_id_(std::move(state.node_id)),
      boot_epoch_(state.boot_epoch),
      driver_(std::move(state.driver)),
      read_at_(state.read_at),
      sequence_(state.sequence),
      next_number_(state.next_number),
      accounts_(std::move(state.accounts)) {
  for (LeaseEntry& entry : state.entries) {
    const Lease& lease = entry.lease;
    if (lease.state != LeaseState::releasing) live_[lease.model] = lease.id;
    std::string id = lease.id;
    entries_.insert_or_assign(std::move(id), std::move(entry));
  }
}

LedgerState Ledger::state() const {
  LedgerState state{policy_,   node_id_,     boot_epoch_, driver_, read_at_,
                    sequence_, next_number_, accounts_,   {}};
  for (const auto& [id, entry] : entries_) state.entries.push_back(entry);
  return state;
}

std::uint32_t Ledger::account_of(const DeviceId& device) {
  const auto found = std::find_if(accounts_.begin(), accounts_.end(),
                                  [&](const GpuAccount& a) { return a.id == device; });
  if (found != accounts_.end()) return static_cast<std::uint32_t>(found - accounts_.begin());
  accounts_.emplace_back().id = device;
  return static_cast<std::uint32_t>(accounts_.size() - 1);
}

// Adds the entry's charges to its accounts, at what is known of it now.
void Ledger::charge(LeaseEntry& entry) {
  for (Use& use : entry.uses) {
    GpuAccount& account = accounts_[use.account];
    use.charge = charge_of(use, entry.lease.state, account.used, policy_.context_allowance);
    use.remainder = use.charge - use.measured;
    account.measured += use.measured;
    account.charges += use.charge;
    account.remainder += use.remainder;
    account.exact = account.exact && use.measured_known;
  }
}

// `exact` is left as it is: the next read knows.
void Ledger::uncharge(const LeaseEntry& entry) {
  for (const Use& use : entry.uses) {
    GpuAccount& account = accounts_[use.account];
    account.measured -= use.measured;
    account.charges -= use.charge;
    account.remainder -= use.remainder;
  }
}

void Ledger::share_memory(const LeaseEntry& entry) {
  const bool shares = std::any_of(entry.uses.begin(), entry.uses.end(),
                                  [&](const Use& use) { return accounts_[use.account].unified; });
  if (shares) share_unified_memory(accounts_);
}

LeaseEntry& Ledger::insert(Lease lease) {
  LeaseEntry entry;
  for (const Share& share : lease.shares) {
    Use& use = entry.uses.emplace_back();
    use.account = account_of(share.device);
    use.declared = share.bytes;
    use.measured_known = accounts_[use.account].list_known;
  }
  if (lease.state != LeaseState::releasing) live_[lease.model] = lease.id;
  std::string id = lease.id;
  entry.lease = std::move(lease);
  LeaseEntry& placed = entries_.insert_or_assign(std::move(id), std::move(entry)).first->second;
  charge(placed);
  share_memory(placed);
  return placed;
}

void Ledger::erase(std::string_view id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  uncharge(found->second);
  share_memory(found->second);
  const auto live = live_.find(found->second.lease.model);
  if (live != live_.end() && live->second == id) live_.erase(live);
  entries_.erase(found);
}

Applied Ledger::apply(const Decision& decision) {
  assert(changes_ledger(decision.verdict));
  ++sequence_;
  if (decision.verdict == Verdict::granted) {
    Lease lease = decision.lease;
    lease.id = lease_id(next_number_++);
    lease.node_id = node_id_;
    lease.boot_epoch = boot_epoch_;
    lease.sequence = sequence_;
    return {insert(std::move(lease)).lease, std::nullopt};
  }
  LeaseEntry& entry = entries_.find(decision.lease.id)->second;
  Applied applied{{}, entry.lease};
  uncharge(entry);
  entry.lease.holder = decision.lease.holder;
  entry.lease.shares = decision.lease.shares;
  entry.lease.sequence = sequence_;
  for (std::size_t i = 0; i < entry.uses.size(); ++i)
    entry.uses[i].declared = entry.lease.shares[i].bytes;
  charge(entry);
  share_memory(entry);
  applied.lease = entry.lease;
  return applied;
}

void Ledger::roll_back(const Applied& applied) {
  const auto found = entries_.find(applied.lease.id);
  if (found == entries_.end()) return;
  ++sequence_;
  if (!applied.before) return erase(applied.lease.id);
  LeaseEntry& entry = found->second;
  uncharge(entry);
  entry.lease.holder = applied.before->holder;
  entry.lease.shares = applied.before->shares;
  entry.lease.sequence = applied.before->sequence;
  for (std::size_t i = 0; i < entry.uses.size(); ++i)
    entry.uses[i].declared = entry.lease.shares[i].bytes;
  charge(entry);
  share_memory(entry);
}

LedgerChange Ledger::start_releasing(LeaseEntry& entry, SteadyTime now, std::string_view reason) {
  const auto live = live_.find(entry.lease.model);
  if (live != live_.end() && live->second == entry.lease.id) live_.erase(live);
  uncharge(entry);
  for (const Use& use : entry.uses) add_credit(accounts_[use.account], use.remainder, now);
  entry.lease.state = LeaseState::releasing;
  entry.lease.sequence = ++sequence_;
  entry.changed_at = now;
  charge(entry);
  share_memory(entry);
  return {LedgerChange::Kind::releasing, entry.lease, {}, std::string(reason)};
}

LedgerChange Ledger::credit_now(LeaseEntry& entry, SteadyTime now, std::string_view reason) {
  entry.lease.sequence = ++sequence_;
  for (const Use& use : entry.uses) {
    GpuAccount& account = accounts_[use.account];
    add_credit(account, use.remainder, now);
    if (!use.measured_known) leave_to_foreign(account, use.charge);
  }
  LedgerChange change{LedgerChange::Kind::gone, entry.lease, {}, std::string(reason)};
  erase(change.lease.id);
  return change;
}

std::vector<LedgerChange> Ledger::release(std::string_view id, SteadyTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.lease.state == LeaseState::releasing) return {};
  LeaseEntry& entry = found->second;
  if (!may_hold_memory(entry)) return {credit_now(entry, now, msg::kReleasedUnused)};
  if (!was_seen(entry) && !entry.lease.holder)
    return {credit_now(entry, now, msg::kReleasedUnseen)};
  return {start_releasing(entry, now, msg::kReleasedByName)};
}

std::vector<LedgerChange> Ledger::shrink(std::string_view id, const std::vector<Bytes>& bytes,
                                         SteadyTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.lease.state == LeaseState::releasing) return {};
  LeaseEntry& entry = found->second;
  if (!is_smaller(entry, bytes)) return {};
  const std::vector<Use> before = entry.uses;
  uncharge(entry);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Use& use = entry.uses[i];
    use.declared = entry.lease.shares[i].bytes = std::min(use.declared, bytes[i]);
  }
  charge(entry);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const Use& use = entry.uses[i];
    GpuAccount& account = accounts_[use.account];
    add_credit(account, before[i].remainder - use.remainder, now);
    if (!use.measured_known) leave_to_foreign(account, before[i].charge - use.charge);
  }
  entry.lease.sequence = ++sequence_;
  share_memory(entry);
  return {{LedgerChange::Kind::shrunk, entry.lease, {}, std::string(msg::kShrunk)}};
}

std::vector<LedgerChange> Ledger::holder_died(std::string_view id, SteadyTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return {};
  LeaseEntry& entry = found->second;
  entry.holder_gone = true;
  if (entry.lease.state == LeaseState::releasing) {
    entry.changed_at = now;
    return {};
  }
  return {start_releasing(entry, now, msg::kHolderDied)};
}

const LeaseEntry* Ledger::find(std::string_view id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

const LeaseEntry* Ledger::find_model(std::string_view model) const {
  const auto live = live_.find(std::string(model));
  return live == live_.end() ? nullptr : find(live->second);
}

std::vector<Lease> Ledger::leases() const {
  std::vector<Lease> all;
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) all.push_back(entry.lease);
  return all;
}

std::vector<std::string> Ledger::overcommitted() const {
  std::vector<std::string> keys;
  for (const GpuAccount& account : accounts_)
    if (account.overcommitted) keys.push_back(account.id.key());
  return keys;
}

}  // namespace estiva::decide
