// The ledger: every live lease, what it is charged on each GPU, and each GPU's account. A plain
// value owned by the daemon's loop (I3: nobody else changes it); no clock, file, thread or chance.
//
// The life of a grant:
//   ledger.observe(readings)                      a read that was begun after the request arrived
//   d = decide_assign(ledger, request)            changes nothing
//   a = ledger.apply(d)                           charged at once, so the next decision sees it
//   store: durable? answer : ledger.roll_back(a)  in reverse order of apply
//
// Bytes come back on evidence only (I4): see release() and holder_died().
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "decide/placement/account.h"
#include "decide/placement/readings.h"
#include "decide/placement/request.h"
#include "model/lease.h"

namespace estiva::decide {

// One lease on one GPU.
struct Use {
  std::uint32_t account = 0;  // index into Ledger::accounts()
  Bytes declared;
  Bytes measured;              // 0 where nothing of it was seen
  bool has_context = false;    // one of its processes is on the GPU's list
  bool measured_known = true;  // false where the driver hides what its processes hold
  Bytes charge, remainder;     // as they are summed in the account
  struct Seen {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  // 0: never seen in procfs
    bool idle = false;              // the driver says that it did not compute lately
  };
  std::vector<Seen> processes;  // its processes on this GPU at the last read
};

struct LeaseEntry {
  Lease lease;
  std::vector<Use> uses;  // one for each share, in order
  bool holder_gone = false;
  SteadyTime changed_at;  // of the release or death; older reads are no evidence for it
};

struct LeaseBytes {
  Bytes declared, measured, charged;
};
LeaseBytes bytes_of(const LeaseEntry& entry);
// What a lease is charged on one GPU: max(declared, measured) + allowance until it has a context;
// while releasing only what it still holds.
Bytes charge_of(const Use& use, LeaseState state, Bytes device_used, Bytes context_allowance);

// What an observation, a release or a recovery changed, in order. The daemon journals the leases'
// changes (`lease` is the new value; `gone` deletes it) and tells the user about all.
struct LedgerChange {
  enum class Kind : std::uint8_t {
    active,           // first memory of the lease seen on a GPU
    releasing,        // released or its holder died; charged until its processes left the GPU
    gone,             // credited; the lease is no more
    shrunk,           // asks for less from now on; what its processes hold stays charged
    overcommitted,    // `device`: I8 begins
    overcommit_over,  // `device`: I8 ends
  };
  Kind kind = Kind::gone;
  Lease lease;         // all but the last two; its sequence is this change's
  std::string device;  // the last two: DeviceId::key()
  std::string reason;  // a sentence
};

// What apply() did, and all that roll_back() needs to undo it.
struct Applied {
  Lease lease;                  // as it is now: to journal and to answer
  std::optional<Lease> before;  // grown, bound: as it was
};

enum class HolderCheck : std::uint8_t {
  alive,    // same pid, start time and boot
  dead,     // no such process, or its pid belongs to another one now
  unknown,  // could not be looked at; kept as alive
};

struct Recovered {
  Lease lease;
  HolderCheck holder = HolderCheck::alive;  // ignored for a lease without a holder
};

// Everything that a decision rests on: a ledger as it was at one moment, to be written down.
struct LedgerState {
  PlacementPolicy policy;
  std::string node_id;
  std::uint64_t boot_epoch = 0;
  DriverStatus driver;
  std::optional<SteadyTime> read_at;
  std::uint64_t sequence = 0;
  std::uint64_t next_number = 1;
  std::vector<GpuAccount> accounts;
  std::vector<LeaseEntry> entries;  // by lease id
};

class Ledger {
 public:
  Ledger() = default;
  // As it was; each Use names one of the accounts. What the foreign high-water marks rest on is not
  // part of it: the ledger decides as it did then, and is not meant to observe further readings.
  explicit Ledger(LedgerState state);
  LedgerState state() const;
  // `node_id` and `boot_epoch` are written into each lease granted here.
  Ledger(PlacementPolicy policy, std::string node_id, std::uint64_t boot_epoch)
      : policy_(policy), node_id_(std::move(node_id)), boot_epoch_(boot_epoch) {}

  // Takes in a read of the GPUs. A read begun before the last one is ignored.
  std::vector<LedgerChange> observe(const Readings& readings);
  // Only the driver's state, when there is no read to take in (the sensor hangs or is absent).
  void observe_driver(const DriverStatus& driver) { driver_ = driver; }

  // Charges a decision whose verdict changes_ledger(). Gives a new lease its id and sequence.
  Applied apply(const Decision& decision);
  // Takes back what could not be made durable, as if it had never been asked. Nobody was told, so
  // no evidence is needed. Several: in reverse order.
  void roll_back(const Applied& applied);

  // Ends a lease at the word of its owner. A lease of which nothing was ever seen on a GPU is
  // credited at once; any other stays charged with what it still holds until its processes left
  // the GPU's list. No lease of that id, or releasing already: no change.
  std::vector<LedgerChange> release(std::string_view lease_id, SteadyTime now);
  // A live lease needs less: its model sleeps, or its bytes were moved to RAM. `bytes` are what it
  // declares from now on, one for each share; a share never becomes larger by this. A word, and no
  // evidence: it stays charged with max(declared, measured), so its room comes back as the GPU
  // shows it free, and never before a read begun after `now`. Grows again by decide_assign() with
  // the same name. No live lease of that id, another number of shares, or nothing smaller: no
  // change.
  std::vector<LedgerChange> shrink(std::string_view lease_id, const std::vector<Bytes>& bytes,
                                   SteadyTime now);
  // The holder is gone for sure (pidfd). Charged with what is still held until a read begun after
  // `now` shows none of its processes.
  std::vector<LedgerChange> holder_died(std::string_view lease_id, SteadyTime now);

  // I7: the ledger after a crash or restart is the journal intersected with reality. Leases of
  // another boot are void and come back as `gone`; dead holders' leases go on as `releasing`.
  // `next_number` is one more than the highest lease number ever given in this database.
  std::vector<LedgerChange> restore(const std::vector<Recovered>& journal,
                                    std::uint64_t next_number, std::uint64_t sequence,
                                    SteadyTime now);

  const std::vector<GpuAccount>& accounts() const { return accounts_; }
  // By id, which is the order in which they were granted. Includes those that are releasing.
  const std::map<std::string, LeaseEntry, std::less<>>& entries() const { return entries_; }
  // The live lease of a model; null where it has none (a releasing one is not live).
  const LeaseEntry* find_model(std::string_view model) const;
  const LeaseEntry* find(std::string_view lease_id) const;
  std::vector<Lease> leases() const;
  std::vector<std::string> overcommitted() const;  // device keys

  const PlacementPolicy& policy() const { return policy_; }
  const DriverStatus& driver() const { return driver_; }
  std::optional<SteadyTime> read_at() const { return read_at_; }
  std::uint64_t sequence() const { return sequence_; }
  // A number for a change that has to be written down again.
  std::uint64_t take_sequence() { return ++sequence_; }
  std::uint64_t next_number() const { return next_number_; }
  const std::string& node_id() const { return node_id_; }
  std::uint64_t boot_epoch() const { return boot_epoch_; }

 private:
  friend class Observation;
  std::uint32_t account_of(const DeviceId& device);
  LeaseEntry& insert(Lease lease);
  void erase(std::string_view lease_id);
  void charge(LeaseEntry& entry);
  void uncharge(const LeaseEntry& entry);
  // Brings what unified-memory GPUs hold back from each other up to date, after a change of
  // `entry`.
  void share_memory(const LeaseEntry& entry);
  LedgerChange start_releasing(LeaseEntry& entry, SteadyTime now, std::string_view reason);
  LedgerChange credit_now(LeaseEntry& entry, SteadyTime now, std::string_view reason);

  PlacementPolicy policy_;
  std::string node_id_;
  std::uint64_t boot_epoch_ = 0;
  DriverStatus driver_;
  std::optional<SteadyTime> read_at_;
  std::uint64_t sequence_ = 0;
  std::uint64_t next_number_ = 1;
  std::vector<GpuAccount> accounts_;
  std::map<std::string, LeaseEntry, std::less<>> entries_;
  std::unordered_map<std::string, std::string> live_;  // model -> lease id
};

}  // namespace estiva::decide
