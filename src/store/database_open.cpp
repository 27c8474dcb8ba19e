// How a database is opened: pragmas, soundness, the boot epoch, what was held.
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/messages/store.h"
#include "store/codec.h"
#include "store/database.h"

namespace estiva::store {
namespace {

// Exclusive locking keeps the log's index on our heap: no shared memory file and no lock calls a
// transaction. The cache and the log are small on purpose: the working set is the current leases
// and the journal's end. A log of 1000 pages (4 MiB) is brought back into the file.
constexpr const char* kPragmas =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1024; PRAGMA cell_size_check=ON;"
    "PRAGMA temp_store=MEMORY; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=1000;"
    "PRAGMA journal_size_limit=8388608;";

constexpr char kBootIdPath[] = "/proc/sys/kernel/random/boot_id";

Result<std::string> read_boot_id() {
  char text[64] = {};
  const int fd = open(kBootIdPath, O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  const int number = errno;
  if (fd >= 0) close(fd);
  std::string id(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!id.empty() && id.back() == '\n') id.pop_back();
  if (!id.empty()) return id;
  return fail(fmt::format(msg::kStoreBootId, fmt::arg("path", kBootIdPath),
                          fmt::arg("why", fail_errno("reading", number).value().what)),
              msg::kStoreBootIdRemedy);
}

// 128 random bits. Not the machine-id: that one identifies a machine to everybody.
std::string make_node_id() {
  std::array<unsigned char, 16> bytes = {};
  if (getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes)) {
    const std::uint64_t now = checksum(static_cast<std::uint64_t>(wall_now().ns), getpid());
    memcpy(bytes.data(), &now, sizeof now);
  }
  std::string id;
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(id), "{:02x}", byte);
  return id;
}

}  // namespace

Database::Database(Place place, const Options& options)
    : place_(std::move(place)),
      vfs_(options.vfs),
      rows_limit_(options.journal_rows),
      bytes_limit_(options.journal_bytes),
      age_limit_(options.journal_age),
      batch_limit_(options.batch_limit) {}

Result<std::unique_ptr<Database>> Database::open(const Place& place, const Options& options,
                                                 const Schema& schema, Opened& opened) {
  opened.path = place.path;
  auto prepared = prepare_file(place, schema, options.vfs);
  if (!prepared) return Failure(prepared.error());
  opened.migrated_from = prepared->migrated_from;
  opened.kept_copy = prepared->kept_copy;

  std::unique_ptr<Database> self(new Database(place, options));
  std::string boot_id = options.boot_id;
  if (boot_id.empty()) {
    auto read = read_boot_id();
    if (!read) return Failure(read.error());
    boot_id = *read;
  }
  std::vector<Lease> found;
  Result<void> done = self->connect();
  if (done) done = self->check_sound();
  if (done) done = self->prepare_statements();
  if (done) done = self->load_meta();
  if (done) done = self->load_leases(found);
  if (done) done = self->load_notes(opened.notes);
  if (!done) return Failure(done.error());
  self->connection_.checkpoint_on_close(true);
  if (done) done = self->start_boot(boot_id, options.wall(), std::move(found), opened);
  if (!done) return Failure(done.error());
  return self;
}

Result<void> Database::connect() {
  if (connection_.open(place_.path, vfs_) != kSqlOk) return trouble("opening it");
  // Until it is known to be sound nothing may be written into it, not even its own log.
  connection_.checkpoint_on_close(false);
  if (connection_.execute(kPragmas) != kSqlOk) return trouble("opening it");
  return {};
}

Result<void> Database::check_sound() {
  int code = kSqlOk;
  const std::string answer = connection_.ask("PRAGMA quick_check(1)", &code);
  if (code != kSqlOk) return trouble("reading it");
  if (answer != "ok") return Failure(corrupt_error(place_, answer));
  if (connection_.ask("PRAGMA journal_mode=WAL", &code) != "wal") return trouble("opening it");
  return {};
}

Result<void> Database::prepare_statements() {
  struct Row {
    Statement* statement;
    const char* sql;
  };
  const Row rows[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&insert_lease_,
       "INSERT INTO leases(id, model, state, sequence, body, checksum) VALUES(?1,?2,?3,?4,?5,?6)"},
      {&update_lease_,
       "UPDATE leases SET model=?2, state=?3, sequence=?4, body=?5, checksum=?6 "
       "WHERE id=?1 AND sequence=?7"},
      {&delete_lease_, "DELETE FROM leases WHERE id=?1 AND sequence=?2"},
      {&insert_journal_,
       "INSERT INTO journal(position, kind, sequence, boot_epoch, wall_ns, subject, body, "
       "checksum) "
       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"},
      {&insert_readings_,
       "INSERT INTO readings(digest, last_position, body) VALUES(?1,?2,?3) "
       "ON CONFLICT(digest) DO UPDATE SET last_position=excluded.last_position"},
      {&upsert_note_,
       "INSERT INTO notes(name, body, checksum) VALUES(?1,?2,?3) "
       "ON CONFLICT(name) DO UPDATE SET body=excluded.body, checksum=excluded.checksum"},
      {&update_meta_,
       "INSERT INTO meta(one, node_id, boot_id, boot_epoch, last_sequence, last_position, "
       "checksum) "
       "VALUES(1,?1,?2,?3,?4,?5,?6) ON CONFLICT(one) DO UPDATE SET "
       "boot_id=excluded.boot_id, boot_epoch=excluded.boot_epoch, "
       "last_sequence=excluded.last_sequence, last_position=excluded.last_position, "
       "checksum=excluded.checksum"},
      {&select_journal_,
       "SELECT position, kind, sequence, boot_epoch, wall_ns, subject, body, checksum "
       "FROM journal WHERE position < ?1 ORDER BY position DESC LIMIT ?2"},
      {&select_readings_, "SELECT body FROM readings WHERE digest=?1"},
      {&oldest_, "SELECT position, wall_ns FROM journal ORDER BY position LIMIT 1"},
      {&used_bytes_,
       "SELECT (page_count - freelist_count) * page_size "
       "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"},
      {&trim_rows_, "DELETE FROM journal WHERE position < ?1 AND (position < ?2 OR wall_ns < ?3)"},
      {&trim_readings_,
       "DELETE FROM readings WHERE last_position < "
       "(SELECT coalesce(min(position), ?1) FROM journal) - ?2"},
  };
  for (const Row& row : rows) {
    int code = kSqlOk;
    *row.statement = connection_.prepare(row.sql, &code);
    // The header said it is ours and of this version, so a table that is not there is damage.
    if (code != kSqlOk) return Failure(corrupt_error(place_, connection_.trouble().message));
  }
  return {};
}

Result<void> Database::load_meta() {
  int code = kSqlOk;
  Statement read = connection_.prepare(
      "SELECT node_id, boot_id, boot_epoch, last_sequence, last_position, checksum, "
      "(SELECT coalesce(max(position), 0) FROM journal), (SELECT count(*) FROM journal) FROM meta",
      &code);
  code = read.step();
  if (code == kSqlDone) return check_new();
  if (code != kSqlRow) return trouble("reading it");
  node_id_ = read.bytes(0);
  boot_id_ = read.bytes(1);
  boot_epoch_ = read.number(2);
  last_sequence_ = safe_sequence_ = read.number(3);
  last_position_ = safe_position_ = read.number(4);
  journal_rows_ = read.number(7);
  if (read.number(5) != meta_checksum()) {
    return Failure(corrupt_error(place_, "its counters do not match their checksum"));
  }
  if (read.number(6) > last_position_) {
    return Failure(corrupt_error(place_, "its journal is ahead of its counters"));
  }
  return {};
}

// Without its row of counters a database is either new or has lost it.
Result<void> Database::check_new() {
  const std::string used = connection_.ask(
      "SELECT EXISTS(SELECT 1 FROM leases) + EXISTS(SELECT 1 FROM journal) "
      "+ EXISTS(SELECT 1 FROM readings)");
  if (used == "0") return {};
  return Failure(corrupt_error(place_, "its counters are gone"));
}

Result<void> Database::load_leases(std::vector<Lease>& leases) {
  int code = kSqlOk;
  Statement read = connection_.prepare(
      "SELECT id, model, state, sequence, body, checksum FROM leases ORDER BY sequence", &code);
  while ((code = read.step()) == kSqlRow) {
    const std::string_view body = read.bytes(4);
    auto lease = decode_lease(body);
    const bool sound = lease && checksum(body) == read.number(5) && lease->id == read.bytes(0) &&
                       lease->model == read.bytes(1) &&
                       static_cast<std::uint64_t>(lease->state) == read.number(2) &&
                       lease->sequence == read.number(3) && lease->sequence <= last_sequence_;
    if (!sound) {
      return Failure(corrupt_error(
          place_, fmt::format("lease '{}' does not match its checksum", read.bytes(0))));
    }
    leases.push_back(std::move(*lease));
  }
  if (code != kSqlDone) return trouble("reading its leases");
  return {};
}

// What a note says is worth little beside the leases: a damaged one is left out.
Result<void> Database::load_notes(std::map<std::string, std::string>& notes) {
  int code = kSqlOk;
  Statement read = connection_.prepare("SELECT name, body, checksum FROM notes", &code);
  while ((code = read.step()) == kSqlRow) {
    const std::string_view body = read.bytes(1);
    if (checksum(body) == read.number(2)) notes.emplace(read.bytes(0), body);
  }
  if (code != kSqlDone) return trouble("reading its notes");
  return {};
}

Result<void> Database::start_boot(const std::string& boot_id, WallTime now,
                                  std::vector<Lease> found, Opened& opened) {
  const bool is_new = node_id_.empty();
  if (is_new) node_id_ = make_node_id();
  if (boot_id_ == boot_id) {
    opened.leases = std::move(found);
  } else if (auto done = enter_epoch(boot_id, now, found); !done) {
    return done;
  } else {
    opened.voided = std::move(found);
  }
  opened.node_id = node_id_;
  opened.boot_epoch = boot_epoch_;
  opened.last_sequence = last_sequence_;
  return {};
}

// The machine was restarted: nothing of what was promised is running any more.
Result<void> Database::enter_epoch(const std::string& boot_id, WallTime now,
                                   const std::vector<Lease>& found) {
  CrashGate off{CrashAt{}};
  boot_id_ = boot_id;
  ++boot_epoch_;
  Result<void> done = begin();
  for (const Lease& lease : found) {
    if (!done) break;
    Write write = Write::release(lease, lease.sequence, msg::kStoreVoidReason);
    write.kind = RecordKind::voided;
    write.lease->sequence = last_sequence_ + 1;
    auto applied = apply(write, now, off);
    if (!applied) done = Failure(applied.error());
  }
  if (done) done = commit(off);
  if (!done) rollback();
  return done;
}

}  // namespace estiva::store
