// Takes a read of the GPUs into the ledger: which process belongs to which lease, what each lease
// holds, what is foreign, which leases have left, and whether a GPU is overcommitted (I8).
//
// A process belongs to a lease by evidence only: the daemon says that it is the lease's holder or
// a descendant of it, or it was so at an earlier read and is still the same process (its parent
// may have died since, or it is dead itself and the driver still lists it). A new stranger is
// never taken for the model: see the counter-example in docs/placement.md.
#include <algorithm>

#include "base/messages/decide.h"
#include "decide/placement/ledger.h"

namespace estiva::decide {
namespace {

Usable usable_of(const Gpu& gpu) {
  switch (gpu.sample.state) {
    case GpuState::ok:
      break;
    case GpuState::lost:
      return Usable::lost;
    case GpuState::reset_required:
      return Usable::reset_required;
    case GpuState::asleep:
      return Usable::asleep;
    case GpuState::failed:
      return Usable::failed;
  }
  if (gpu.identity.mig_enabled && gpu.identity.id.instance.empty()) return Usable::split;
  return Usable::yes;
}

// Unified-memory GPUs share the machine's RAM, and their drivers give no memory figures (GB10 at
// 580): what can be had is then what the kernel calls available.
Reading<GpuMemory> memory_of(const Gpu& gpu, const Readings& readings) {
  if (gpu.sample.memory || !gpu.identity.unified_memory || !readings.host_memory)
    return gpu.sample.memory;
  const HostMemory& host = *readings.host_memory;
  return GpuMemory{host.total, host.total - host.available, host.available, {}, true};
}

std::string why_unfit(const std::string& device, const Readings& readings) {
  for (const UnfitGpu& unfit : readings.unfit) {
    if (unfit.device == device) return unfit.why;
  }
  return {};
}

bool is_idle(const GpuProcess& process) {
  return process.sm_utilization && process.sm_utilization->value <= 0;
}

void remember_stranger(GpuAccount& account, const GpuProcess& process) {
  auto& kept = account.strangers;
  const auto bytes = [](const ForeignProcess& p) { return p.used.value_or({}); };
  const ForeignProcess stranger{process.pid, process.used, process.name};
  const auto place = std::find_if(kept.begin(), kept.end(), [&](const ForeignProcess& other) {
    return bytes(other) < bytes(stranger);
  });
  kept.insert(place, stranger);
  if (kept.size() > kForeignKept) kept.pop_back();
}

}  // namespace

class Observation {
 public:
  Observation(Ledger& ledger, const Readings& readings) : ledger_(ledger), readings_(readings) {}

  std::vector<LedgerChange> run() {
    ledger_.driver_ = readings_.driver;
    ledger_.read_at_ = readings_.begun_at;
    sort_owners();
    for (GpuAccount& account : ledger_.accounts_) account.usable = Usable::not_seen;
    for (const Gpu& gpu : readings_.gpus) ledger_.account_of(gpu.identity.id);
    group_uses();
    for (const Gpu& gpu : readings_.gpus) take_in(gpu);
    forget_departed();
    drop_empty_accounts();
    settle_accounts();
    return std::move(changes_);
  }

 private:
  struct Held {
    LeaseEntry* entry;
    Use* use;
  };

  void sort_owners() {
    owners_.reserve(readings_.owners.size());
    for (const ProcessOwner& owner : readings_.owners) owners_.push_back(&owner);
    std::sort(owners_.begin(), owners_.end(),
              [](const auto* a, const auto* b) { return a->pid < b->pid; });
  }

  const ProcessOwner* owner_of(pid_t pid) const {
    const auto found =
        std::lower_bound(owners_.begin(), owners_.end(), pid,
                         [](const ProcessOwner* owner, pid_t p) { return owner->pid < p; });
    return found != owners_.end() && (*found)->pid == pid ? *found : nullptr;
  }

  void group_uses() {
    by_account_.assign(ledger_.accounts_.size(), {});
    for (auto& [id, entry] : ledger_.entries_)
      for (Use& use : entry.uses) by_account_[use.account].push_back({&entry, &use});
  }

  void take_in(const Gpu& gpu) {
    const std::uint32_t at = ledger_.account_of(gpu.identity.id);
    GpuAccount& account = ledger_.accounts_[at];
    account.index = gpu.identity.index;
    account.name = gpu.identity.name;
    account.usable = usable_of(gpu);
    account.unfit = why_unfit(gpu.identity.id.key(), readings_);
    if (account.usable != Usable::yes) return;  // no evidence: what was known stays
    const Reading<GpuMemory> memory = memory_of(gpu, readings_);
    if (!memory) {
      account.usable = Usable::no_memory;
      return;
    }
    account.unified = gpu.identity.unified_memory;
    account.utilization = gpu.sample.utilization;
    account.capacity = memory->total - memory->reserved;
    account.used = memory->used;
    account.list_known = gpu.sample.processes.known();
    if (account.list_known) {
      attribute(*gpu.sample.processes, at);
    } else {
      account.strangers.clear();
      account.desktop = {};
      for (const Held& held : by_account_[at]) held.use->measured_known = false;
    }
  }

  // Splits the GPU's process list between its leases and strangers.
  void attribute(const std::vector<GpuProcess>& list, std::uint32_t at) {
    std::vector<std::vector<Use::Seen>> before;
    for (const Held& held : by_account_[at]) {
      before.push_back(std::exchange(held.use->processes, {}));
      held.use->measured = {};
      held.use->measured_known = true;
    }
    ledger_.accounts_[at].strangers.clear();
    ledger_.accounts_[at].desktop = {};
    for (const GpuProcess& process : list) {
      const Held* held = holder_of(process, at, before);
      held ? hold(*held->use, process) : remember_stranger(ledger_.accounts_[at], process);
      if (!held && process.graphics) ledger_.accounts_[at].desktop += process.used.value_or({});
    }
    for (const Held& held : by_account_[at]) held.use->has_context = !held.use->processes.empty();
  }

  const Held* holder_of(const GpuProcess& process, std::uint32_t at,
                        const std::vector<std::vector<Use::Seen>>& before) const {
    const ProcessOwner* owner = owner_of(process.pid);
    const auto& held = by_account_[at];
    if (owner && !owner->lease.empty()) {
      const auto named = std::find_if(held.begin(), held.end(), [&](const Held& h) {
        return h.entry->lease.id == owner->lease;
      });
      return named == held.end() ? nullptr : &*named;
    }
    for (std::size_t i = 0; i < held.size(); ++i)
      for (const Use::Seen& seen : before[i])
        if (seen.pid == process.pid && (!owner || owner->start_ticks == seen.start_ticks))
          return &held[i];
    return nullptr;
  }

  void hold(Use& use, const GpuProcess& process) {
    const bool listed = std::any_of(use.processes.begin(), use.processes.end(),
                                    [&](const Use::Seen& seen) { return seen.pid == process.pid; });
    if (listed) return;  // a driver that lists a process twice means the same memory
    const ProcessOwner* owner = owner_of(process.pid);
    use.processes.push_back({process.pid, owner ? owner->start_ticks : 0, is_idle(process)});
    use.measured += process.used.value_or({});
    use.measured_known = use.measured_known && process.used.known();
  }

  // I4: a releasing lease is gone when a read begun after its release shows none of its
  // processes; where no list can be read, when its holder is gone.
  bool has_left(const LeaseEntry& entry) const {
    if (entry.lease.state != LeaseState::releasing || readings_.begun_at < entry.changed_at)
      return false;
    return std::all_of(entry.uses.begin(), entry.uses.end(), [&](const Use& use) {
      const GpuAccount& account = ledger_.accounts_[use.account];
      if (account.usable == Usable::yes && account.list_known) return use.processes.empty();
      return entry.holder_gone || !entry.lease.holder;
    });
  }

  void forget_departed() {
    std::vector<std::string> gone;
    for (auto& [id, entry] : ledger_.entries_) {
      if (has_left(entry)) {
        gone.push_back(id);
        entry.lease.sequence = ++ledger_.sequence_;
        changes_.push_back(
            {LedgerChange::Kind::gone, entry.lease, {}, std::string(msg::kLeftTheGpu)});
      } else if (entry.lease.state == LeaseState::reserved && is_loaded(entry)) {
        entry.lease.state = LeaseState::active;
        entry.lease.sequence = ++ledger_.sequence_;
        changes_.push_back(
            {LedgerChange::Kind::active, entry.lease, {}, std::string(msg::kSeenOnGpu)});
      }
    }
    for (const std::string& id : gone) ledger_.erase(id);
  }

  static bool is_loaded(const LeaseEntry& entry) {
    return std::any_of(entry.uses.begin(), entry.uses.end(),
                       [](const Use& use) { return use.has_context; });
  }

  // Devices that are gone and in no lease (MIG instances come and go) leave the accounts.
  void drop_empty_accounts() {
    std::vector<char> keep;
    for (const GpuAccount& account : ledger_.accounts_)
      keep.push_back(account.usable != Usable::not_seen);
    for (const auto& [id, entry] : ledger_.entries_)
      for (const Use& use : entry.uses) keep[use.account] = 1;
    if (std::find(keep.begin(), keep.end(), 0) == keep.end()) return;
    std::vector<std::uint32_t> moved(keep.size());
    std::vector<GpuAccount> kept;
    for (std::size_t i = 0; i < keep.size(); ++i) {
      moved[i] = static_cast<std::uint32_t>(kept.size());
      if (keep[i]) kept.push_back(std::move(ledger_.accounts_[i]));
    }
    ledger_.accounts_ = std::move(kept);
    for (auto& [id, entry] : ledger_.entries_)
      for (Use& use : entry.uses) use.account = moved[use.account];
  }

  // All sums anew from the leases, and what follows from them.
  void settle_accounts() {
    for (GpuAccount& account : ledger_.accounts_) {
      account.measured = account.charges = account.remainder = {};
      account.exact = true;
      settle_credits(account, readings_.begun_at);
    }
    for (auto& [id, entry] : ledger_.entries_) ledger_.charge(entry);
    for (GpuAccount& account : ledger_.accounts_)
      if (account.usable == Usable::yes) settle_foreign(account);
    share_unified_memory(ledger_.accounts_);
    for (GpuAccount& account : ledger_.accounts_)
      if (account.usable == Usable::yes) settle_overcommit(account);
  }

  void settle_foreign(GpuAccount& account) {
    if (account.exact) {
      note_foreign(account, account.used - account.measured, readings_.begun_at,
                   ledger_.policy_.foreign_window);
      note_desktop(account, readings_.begun_at, ledger_.policy_);
    } else {
      account.foreign = std::min(account.foreign, account.used);
      account.foreign_held = std::min(account.foreign_held, account.used);
    }
  }

  void settle_overcommit(GpuAccount& account) {
    const bool over = committed(account) > account.capacity;
    if (over == account.overcommitted) return;
    account.overcommitted = over;
    changes_.push_back(
        {over ? LedgerChange::Kind::overcommitted : LedgerChange::Kind::overcommit_over,
         {},
         account.id.key(),
         std::string(over ? msg::kOvercommitted : msg::kOvercommitOver)});
  }

  Ledger& ledger_;
  const Readings& readings_;
  std::vector<const ProcessOwner*> owners_;
  std::vector<std::vector<Held>> by_account_;
  std::vector<LedgerChange> changes_;
};

std::vector<LedgerChange> Ledger::observe(const Readings& readings) {
  if (read_at_ && readings.begun_at < *read_at_) return {};
  return Observation(*this, readings).run();
}

}  // namespace estiva::decide
