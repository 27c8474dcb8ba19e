#include "store/schema.h"

#include <array>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/store.h"

namespace estiva::store {
namespace {

constexpr std::uint32_t kApplicationId = 0x65737476;  // "estv"

// meta has one row. Leases carry their whole value in `body`; the columns beside it are what is
// searched. A name may be taken again while its old lease is still releasing (state 2).
constexpr char kCreate[] = R"sql(
CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  node_id TEXT NOT NULL, boot_id TEXT NOT NULL, boot_epoch INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL, last_position INTEGER NOT NULL,
  checksum INTEGER NOT NULL) STRICT;
CREATE TABLE leases(
  id TEXT PRIMARY KEY, model TEXT NOT NULL, state INTEGER NOT NULL, sequence INTEGER NOT NULL,
  body BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_live_lease_a_model ON leases(model) WHERE state <> 2;
CREATE TABLE journal(
  position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, sequence INTEGER NOT NULL,
  boot_epoch INTEGER NOT NULL, wall_ns INTEGER NOT NULL, subject TEXT NOT NULL,
  body BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE TABLE readings(
  digest INTEGER PRIMARY KEY, last_position INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX readings_by_position ON readings(last_position);
)sql";
// Version 2: texts that are kept by name, the newest of each only.
constexpr char kNotes[] = R"sql(
CREATE TABLE notes(
  name TEXT PRIMARY KEY, body BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

Error with_versions(const char* what, const char* remedy, const Place& place, std::uint32_t theirs,
                    int ours, std::string_view why = {}) {
  const auto path = fmt::arg("path", place.path);
  const auto old_version = fmt::arg("theirs", theirs);
  const auto new_version = fmt::arg("ours", ours);
  return {ErrorKind::refused,
          fmt::format(fmt::runtime(what), path, old_version, new_version, fmt::arg("why", why)),
          fmt::format(fmt::runtime(remedy), path, old_version, new_version)};
}

struct Header {
  bool is_sqlite = false;
  std::uint32_t version = 0;
  std::uint32_t application = 0;
};

std::uint32_t big_endian(const unsigned char* at) {
  return (std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) | (std::uint32_t{at[2]} << 8) |
         at[3];
}

// Offsets of the SQLite file format, section 1.3: user_version at 60, application_id at 68.
// nullopt: there is no such file.
Result<std::optional<Header>> read_header(const Place& place) {
  const int fd = open(place.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::optional<Header>();
  if (fd < 0) return Failure(folder_error(place, "read", errno));
  std::array<unsigned char, 100> bytes = {};
  const ssize_t size = pread(fd, bytes.data(), bytes.size(), 0);
  const int number = errno;
  close(fd);
  if (size < 0) return Failure(folder_error(place, "read", number));
  Header header;
  header.is_sqlite = size == std::ssize(bytes) && memcmp(bytes.data(), "SQLite format 3", 16) == 0;
  header.version = big_endian(&bytes[60]);
  header.application = big_endian(&bytes[68]);
  return header;
}

Result<void> sync_path(const Place& place, const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool good = fd >= 0 && fsync(fd) == 0;
  const int number = errno;
  if (fd >= 0) close(fd);
  if (!good) return Failure(folder_error(place, "written", number));
  return {};
}

// Makes what was built beside the place the database.
Result<void> move_into_place(const Place& place, const std::string& made) {
  if (auto synced = sync_path(place, made); !synced) return synced;
  if (rename(made.c_str(), place.path.c_str()) != 0) {
    return Failure(folder_error(place, "written", errno));
  }
  return sync_path(place, place.dir);
}

void remove_with_logs(const std::string& path) {
  for (const char* tail : {"", "-wal", "-shm", "-journal"}) unlink((path + tail).c_str());
}

Result<void> make_empty_file(const Place& place, const std::string& path) {
  remove_with_logs(path);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Failure(folder_error(place, "written", errno));
  close(fd);
  return {};
}

Result<void> create(const Place& place, const Schema& schema, const std::string& vfs) {
  const std::string made = place.path + ".new";
  if (auto empty = make_empty_file(place, made); !empty) return empty;
  const std::string sql =
      fmt::format("BEGIN; PRAGMA application_id={}; PRAGMA user_version={}; {} COMMIT;",
                  kApplicationId, schema.version, schema.create);
  Connection connection;
  if (connection.open(made, vfs) != kSqlOk || connection.execute(sql.c_str()) != kSqlOk) {
    const Error error = sql_error(place, "making it", connection.trouble());
    connection.close();
    remove_with_logs(made);
    return Failure(error);
  }
  connection.close();
  return move_into_place(place, made);
}

// Copies the old database into `made`. VACUUM INTO writes one consistent file with everything
// the log holds; afterwards the source is taken out of WAL mode, because a log that stayed behind
// would be replayed into the new file that takes its name.
Result<void> copy_old(const Place& place, const std::string& made, const std::string& vfs) {
  unlink(made.c_str());
  Connection source;
  source.open(place.path, vfs);
  source.execute("PRAGMA locking_mode=EXCLUSIVE");  // then the log needs no shared memory file
  const std::string sound = source.ask("PRAGMA quick_check(1)");
  if (sound != "ok") {
    const SqlTrouble trouble = source.trouble();
    source.checkpoint_on_close(false);
    return Failure(sound.empty() ? sql_error(place, "reading it", trouble)
                                 : corrupt_error(place, sound));
  }
  const std::string quoted = [&] {
    std::string text;
    for (const char c : made) text.append(c == '\'' ? 2 : 1, c);
    return text;
  }();
  if (source.execute(fmt::format("VACUUM INTO '{}'", quoted).c_str()) != kSqlOk ||
      source.ask("PRAGMA journal_mode=DELETE") != "delete") {
    return Failure(sql_error(place, "copying it", source.trouble()));
  }
  return {};
}

Result<void> upgrade(const Place& place, const std::string& made, std::uint32_t from,
                     const Schema& schema, const std::string& vfs) {
  std::string sql = "BEGIN;";
  for (int version = static_cast<int>(from); version < schema.version; ++version) {
    sql += schema.upgrades.at(version - schema.oldest_version);
  }
  sql += fmt::format("PRAGMA user_version={}; COMMIT;", schema.version);
  Connection copy;
  if (copy.open(made, vfs) == kSqlOk && copy.execute(sql.c_str()) == kSqlOk) return {};
  const SqlTrouble trouble = copy.trouble();
  const Error error = sql_error(place, "upgrading a copy of it", trouble);
  if (trouble.system_errno != 0) return Failure(error);
  return Failure(with_versions(msg::kStoreMigration, msg::kStoreMigrationRemedy, place, from,
                               schema.version, trouble.message));
}

Result<Prepared> migrate(const Place& place, const Schema& schema, std::uint32_t from,
                         const std::string& vfs) {
  const std::string made = place.path + ".migrating";
  const std::string kept = fmt::format("{}.v{}", place.path, from);
  Result<void> done = copy_old(place, made, vfs);
  if (done) done = upgrade(place, made, from, schema, vfs);
  if (done) {
    unlink(kept.c_str());  // of an earlier going forth and back
    if (link(place.path.c_str(), kept.c_str()) != 0) {
      done = Failure(folder_error(place, "written", errno));
    }
  }
  if (done) done = move_into_place(place, made);
  if (!done) {
    remove_with_logs(made);
    return Failure(done.error());
  }
  return Prepared{static_cast<int>(from), kept};
}

}  // namespace

const Schema& current_schema() {
  static const Schema schema = {.version = 2,
                                .oldest_version = 1,
                                .create = fmt::format("{}{}", kCreate, kNotes),
                                .upgrades = {kNotes}};
  return schema;
}

Result<Prepared> prepare_file(const Place& place, const Schema& schema, const std::string& vfs) {
  auto header = read_header(place);
  if (!header) return Failure(header.error());
  if (!*header) {
    // A log without its database would be replayed into the new one.
    if (auto moved = set_aside(place, wall_now()); !moved) return Failure(moved.error());
    if (auto made = create(place, schema, vfs); !made) return Failure(made.error());
    return Prepared{};
  }
  const Header& found = **header;
  if (!found.is_sqlite) return Failure(corrupt_error(place, "its header is not one of SQLite"));
  if (found.application != kApplicationId) {
    return fail(ErrorKind::refused, fmt::format(msg::kStoreForeign, fmt::arg("path", place.path)),
                msg::kStoreForeignRemedy);
  }
  if (found.version == static_cast<std::uint32_t>(schema.version)) return Prepared{};
  if (found.version > static_cast<std::uint32_t>(schema.version)) {
    return Failure(with_versions(msg::kStoreNewer, msg::kStoreNewerRemedy, place, found.version,
                                 schema.version));
  }
  if (found.version < static_cast<std::uint32_t>(schema.oldest_version)) {
    return Failure(with_versions(msg::kStoreTooOld, msg::kStoreTooOldRemedy, place, found.version,
                                 schema.version));
  }
  return migrate(place, schema, found.version, vfs);
}

Result<std::string> set_aside(const Place& place, WallTime now) {
  const std::string target = fmt::format("{}.corrupt-{}", place.path, now.ns / 1'000'000);
  bool moved = false;
  for (const char* tail : {"-wal", "-shm", "-journal", ""}) {
    if (rename((place.path + tail).c_str(), (target + tail).c_str()) == 0) {
      moved = true;
    } else if (errno != ENOENT) {
      return Failure(folder_error(place, "written", errno));
    }
  }
  return moved ? target : std::string();
}

}  // namespace estiva::store
