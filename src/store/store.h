// What estiva remembers: leases and the journal of what was decided, in one SQLite file owned by
// a thread of its own, so that a disk never blocks the loop. Changes are queued; everything that
// waits becomes one transaction (group commit), and callbacks run only after COMMIT returned.
//
// What it promises: a change whose callback said "durable" survives kill -9 at any instant; one
// whose callback did not run is there whole or not at all. It does not promise to survive a power
// cut (WAL, synchronous=NORMAL): a reboot voids every lease anyway (the boot epoch).
//
// What it does not do: decide. It checks sequence numbers and uniqueness, nothing else.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/lease.h"
#include "store/crash_point.h"
#include "store/record.h"

namespace estiva::store {

// Runs a function where the caller wants callbacks, e.g. posts it to the loop. Called from the
// store's thread, once a batch; must not block or throw.
using Executor = std::function<void(std::function<void()>)>;

struct Options {
  Executor executor;               // empty: callbacks run on the store's thread
  bool fresh_state = false;        // move an existing database aside and start with an empty one
  std::size_t queue_limit = 4096;  // writes that may wait; one more is refused at once
  std::size_t batch_limit = 256;   // writes in one transaction at most
  std::uint64_t journal_rows = 50'000;                           // kept at most (the newest)
  std::uint64_t journal_bytes = 64 * 1024 * 1024;                // of the file, about
  std::chrono::hours journal_age = std::chrono::hours(24 * 30);  // kept at most
  std::function<WallTime()> wall = wall_now;
  std::string boot_id;  // empty: read from /proc/sys/kernel/random/boot_id
  CrashAt crash;        // off unless a test asks for it
  std::string vfs;      // a registered SQLite VFS by name (tests inject faults); empty: default
};

// What was found when the database was opened.
struct Opened {
  std::string path;                 // of the database file
  std::string node_id;              // made once, kept for ever
  std::uint64_t boot_epoch = 0;     // grows by one with each boot of the machine
  std::uint64_t last_sequence = 0;  // the next ledger change takes last_sequence + 1
  std::vector<Lease> leases;        // of this boot, by sequence
  // Texts by name, of this boot or an earlier one; one that was damaged is not among them.
  std::map<std::string, std::string> notes;
  std::vector<Lease> voided;  // of an earlier boot; already removed and journalled
  int migrated_from = 0;      // schema version before this start; 0: nothing to migrate
  std::string kept_copy;      // the file the old version was kept in; empty: none
  std::string set_aside;      // where fresh_state moved the old database; empty: nowhere
};

// The proof that a change is in the file.
struct Durable {
  std::uint64_t position = 0;  // of its journal record
  std::uint64_t sequence = 0;  // ledger sequence of the change; 0 for records without one
};
using Done = std::function<void(Result<Durable>)>;

struct JournalQuery {
  std::uint64_t before = UINT64_MAX;  // records with a smaller position
  std::size_t limit = 100;            // at most kMaxJournalRead
};
inline constexpr std::size_t kMaxJournalRead = 10'000;
using JournalDone = std::function<void(Result<std::vector<JournalRecord>>)>;

// Counters since open. Thread-safe to read.
struct Stats {
  std::uint64_t submitted = 0;  // accepted into the queue
  std::uint64_t refused = 0;    // turned away because the queue was full or the store closed
  std::uint64_t committed = 0;  // writes that became durable
  std::uint64_t failed = 0;     // writes answered with an error after they were queued
  std::uint64_t batches = 0;    // transactions committed
  std::uint64_t journal_rows = 0;
  std::uint64_t trim_failures = 0;  // the journal could not be shortened (it is tried again)
  std::size_t waiting = 0;          // not answered yet
};

class Store {
 public:
  // Opens (or makes) DIR/estiva.db, takes DIR/estiva.lock, migrates an older schema on a copy,
  // checks integrity, voids leases of an earlier boot. Blocks on the disk: call it at start.
  // Errors, each naming the file and what to do: folder not writable, disk full, another daemon
  // holds the lock (with its pid), database corrupt (left untouched), database newer (untouched).
  static Result<std::unique_ptr<Store>> open(const std::string& dir, Options options);

  // close() with a deadline of two seconds.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Constant after open.
  const Opened& opened() const;

  // Queues one change. `done` runs exactly once, through the executor: with Durable after its
  // transaction was committed, or with an Error when it was not applied. Applied in the order of
  // the calls. Thread-safe, never blocks, never touches the disk.
  // Errors: queue full or store closed (refused, at once); lease exists, is unknown, or is at
  // another sequence than expected (failed); disk full, input/output error (failed, whole batch).
  void submit(Write write, Done done);

  // The newest records before a position, newest first. Queued like a write: it sees every
  // change submitted before it. Records whose checksum is wrong come with `intact` false.
  void read_journal(JournalQuery query, JournalDone done);

  Stats stats() const;

  // Takes no more work, writes what waits, closes the file. Callbacks of everything accepted were
  // handed to the executor when it returns true. False: the deadline passed and the rest was
  // answered with an error. Safe to call twice.
  bool close(std::chrono::milliseconds deadline);

 private:
  struct Impl;
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the store's thread
};

}  // namespace estiva::store
