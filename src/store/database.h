// The open database: one thread at a time, one transaction at a time. Store owns one and calls it
// from its thread; tests call it directly.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/crash_gate.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace estiva::store {

class Database {
 public:
  // Prepares the file (schema.h), checks that it is sound, voids leases of an earlier boot and
  // fills `opened`. The caller holds the lock.
  static Result<std::unique_ptr<Database>> open(const Place& place, const Options& options,
                                                const Schema& schema, Opened& opened);

  Result<void> begin();
  // One change, inside begin()..commit(). A refusal (unknown lease, wrong sequence) leaves the
  // transaction as it was; after a failure of the disk broken() is true and all is to be rolled
  // back.
  Result<Durable> apply(const Write& write, WallTime now, CrashGate& gate);
  Result<void> commit(CrashGate& gate);
  void rollback();
  bool broken() const { return broken_; }

  // Drops the oldest records where the journal has outgrown its bounds; in a transaction of its
  // own, at most a few hundred rows a call.
  Result<void> trim_journal(WallTime now);
  Result<std::vector<JournalRecord>> read_journal(const JournalQuery& query);
  std::uint64_t journal_rows() const { return journal_rows_; }

 private:
  Database(Place place, const Options& options);

  Result<void> connect();
  Result<void> check_sound();
  Result<void> load_meta();
  Result<void> check_new();
  Result<void> load_leases(std::vector<Lease>& leases);
  Result<void> load_notes(std::map<std::string, std::string>& notes);
  Result<void> prepare_statements();
  Result<void> start_boot(const std::string& boot_id, WallTime now, std::vector<Lease> found,
                          Opened& opened);
  Result<void> enter_epoch(const std::string& boot_id, WallTime now,
                           const std::vector<Lease>& found);
  std::uint64_t meta_checksum() const;

  Result<void> check_write(const Write& write) const;
  Result<void> apply_lease(const Write& write);
  Result<void> keep_note(const Write& write);
  Result<void> append_journal(const Write& write, std::uint64_t sequence, WallTime now);
  Result<std::uint64_t> keep_readings(const Decision& decision);
  std::optional<std::uint64_t> rows_to_trim(std::uint64_t oldest_wall, WallTime now,
                                            std::uint64_t used_bytes) const;
  JournalRecord take_record();
  Result<std::shared_ptr<const std::string>> load_readings(std::uint64_t digest);

  Result<void> run(Statement& statement, std::string_view doing);
  Failure trouble(std::string_view doing);

  Place place_;
  std::string vfs_;
  std::uint64_t rows_limit_, bytes_limit_;
  std::chrono::nanoseconds age_limit_;
  std::size_t batch_limit_;
  Connection connection_;
  Statement begin_, commit_, rollback_, insert_lease_, update_lease_, delete_lease_,
      insert_journal_, insert_readings_, upsert_note_, update_meta_, select_journal_,
      select_readings_, oldest_, used_bytes_, trim_rows_, trim_readings_;

  std::string node_id_, boot_id_;  // empty in a new database
  std::uint64_t boot_epoch_ = 0;
  std::uint64_t last_sequence_ = 0, last_position_ = 0;  // inside a transaction: with its changes
  std::uint64_t safe_sequence_ = 0, safe_position_ = 0;  // as committed
  std::uint64_t journal_rows_ = 0;
  bool broken_ = false;
  std::shared_ptr<const std::string> batch_readings_;  // the last one of this batch
  std::uint64_t batch_digest_ = 0;
  std::string lease_bytes_, body_bytes_;  // reused
};

}  // namespace estiva::store
