#include "store/database.h"

#include <fmt/format.h>

#include "base/messages/store.h"
#include "store/codec.h"

namespace estiva::store {
namespace {

// Rows dropped by one call of trim_journal at most: a trim must not hold up the next batch.
constexpr std::uint64_t kTrimRows = 512;
// A journal read stops after so many bytes of bodies, whatever its limit says.
constexpr std::size_t kReadBytes = 16 * 1024 * 1024;

Error bug(std::string what) {
  return {ErrorKind::failed, std::move(what), msg::kStoreBugRemedy};
}

Error too_large(std::size_t size, std::size_t limit) {
  return {ErrorKind::usage,
          fmt::format(msg::kStoreTooLarge, fmt::arg("size", size), fmt::arg("limit", limit)),
          msg::kStoreBugRemedy};
}

bool changes_lease(RecordKind kind) {
  return kind == RecordKind::grant || kind == RecordKind::change || kind == RecordKind::release ||
         kind == RecordKind::voided;
}

std::uint64_t record_checksum(std::uint64_t position, std::uint64_t kind, std::uint64_t sequence,
                              std::uint64_t epoch, std::uint64_t wall, std::string_view subject,
                              std::string_view body) {
  std::uint64_t sum = checksum(position, kChecksumSeed);
  for (const std::uint64_t part : {kind, sequence, epoch, wall}) sum = checksum(part, sum);
  return checksum(body, checksum(subject, sum));
}

}  // namespace

Failure Database::trouble(std::string_view doing) {
  broken_ = true;
  return Failure(sql_error(place_, doing, connection_.trouble()));
}

Result<void> Database::run(Statement& statement, std::string_view doing) {
  if (statement.step() == kSqlDone) return {};
  return trouble(doing);
}

Result<void> Database::begin() {
  broken_ = false;
  batch_readings_.reset();
  return run(begin_, "starting a transaction");
}

void Database::rollback() {
  if (connection_.in_transaction()) rollback_.step();
  last_sequence_ = safe_sequence_;
  last_position_ = safe_position_;
}

std::uint64_t Database::meta_checksum() const {
  std::uint64_t sum = checksum(boot_id_, checksum(node_id_));
  for (const std::uint64_t part : {boot_epoch_, last_sequence_, last_position_}) {
    sum = checksum(part, sum);
  }
  return sum;
}

Result<void> Database::commit(CrashGate& gate) {
  update_meta_.text(1, node_id_)
      .text(2, boot_id_)
      .bind(3, boot_epoch_)
      .bind(4, last_sequence_)
      .bind(5, last_position_)
      .bind(6, meta_checksum());
  if (auto done = run(update_meta_, "writing the ledger sequence"); !done) return done;
  gate.pass(CrashPoint::before_commit);
  if (auto done = run(commit_, "committing"); !done) return done;
  gate.pass(CrashPoint::after_commit);
  journal_rows_ += last_position_ - safe_position_;
  safe_sequence_ = last_sequence_;
  safe_position_ = last_position_;
  return {};
}

Result<void> Database::check_write(const Write& write) const {
  if (write.decision) {
    const Decision& decision = *write.decision;
    const std::size_t readings = decision.readings ? decision.readings->size() : 0;
    const std::size_t size = std::max(decision.request.size(), decision.outcome.size());
    if (size > kMaxText) return Failure(too_large(size, kMaxText));
    if (readings > kMaxReadings) return Failure(too_large(readings, kMaxReadings));
  }
  if (write.text.size() > kMaxText) return Failure(too_large(write.text.size(), kMaxText));
  if (write.subject.size() > kMaxText) return Failure(too_large(write.subject.size(), kMaxText));
  if (!changes_lease(write.kind)) return {};
  if (!write.lease) return Failure(bug("a change of a lease came without the lease"));
  const Lease& lease = *write.lease;
  if (lease.shares.size() > kMaxShares) return Failure(too_large(lease.shares.size(), kMaxShares));
  if (lease.boot_epoch != boot_epoch_ && write.kind != RecordKind::voided) {
    return Failure(
        bug(fmt::format(msg::kStoreEpoch, fmt::arg("id", lease.id),
                        fmt::arg("theirs", lease.boot_epoch), fmt::arg("ours", boot_epoch_))));
  }
  if (lease.sequence <= last_sequence_ || lease.sequence > INT64_MAX) {
    return Failure(
        bug(fmt::format(msg::kStoreOrder, fmt::arg("id", lease.id),
                        fmt::arg("sequence", lease.sequence), fmt::arg("last", last_sequence_))));
  }
  return {};
}

Result<void> Database::apply_lease(const Write& write) {
  const Lease& lease = *write.lease;
  lease_bytes_.clear();
  encode_lease(lease, lease_bytes_);
  const auto unknown = [&] {
    return Failure(Error{ErrorKind::not_found,
                         fmt::format(msg::kStoreUnknown, fmt::arg("id", lease.id),
                                     fmt::arg("expected", write.expected_sequence)),
                         msg::kStoreUnknownRemedy});
  };
  const auto exists = [&] {
    return Failure(bug(
        fmt::format(msg::kStoreExists, fmt::arg("id", lease.id), fmt::arg("model", lease.model))));
  };
  Statement& statement = write.kind == RecordKind::grant    ? insert_lease_
                         : write.kind == RecordKind::change ? update_lease_
                                                            : delete_lease_;
  statement.text(1, lease.id);
  if (write.kind == RecordKind::grant || write.kind == RecordKind::change) {
    statement.text(2, lease.model)
        .bind(3, static_cast<std::uint64_t>(lease.state))
        .bind(4, lease.sequence)
        .blob(5, lease_bytes_)
        .bind(6, checksum(lease_bytes_));
  }
  if (write.kind == RecordKind::change) statement.bind(7, write.expected_sequence);
  if (write.kind == RecordKind::release || write.kind == RecordKind::voided) {
    statement.bind(2, write.expected_sequence);
  }
  const int code = statement.step();
  if (is_constraint(code)) return exists();
  if (code != kSqlDone) return trouble("writing a lease");
  if (connection_.rows_changed() == 0) return unknown();
  return {};
}

// Decisions of one batch share a reading by pointer, so it is digested and written once.
Result<std::uint64_t> Database::keep_readings(const Decision& decision) {
  if (!decision.readings) return 0;
  if (decision.readings == batch_readings_) return batch_digest_;
  const std::uint64_t digest = std::max<std::uint64_t>(1, checksum(*decision.readings));
  insert_readings_.bind(1, digest).bind(2, last_position_ + 1).blob(3, *decision.readings);
  if (auto done = run(insert_readings_, "writing readings"); !done) return Failure(done.error());
  batch_readings_ = decision.readings;
  batch_digest_ = digest;
  return digest;
}

Result<void> Database::append_journal(const Write& write, std::uint64_t sequence, WallTime now) {
  std::uint64_t readings = 0;
  if (write.decision) {
    auto kept = keep_readings(*write.decision);
    if (!kept) return Failure(kept.error());
    readings = *kept;
  }
  body_bytes_.clear();
  encode_body(write, readings, body_bytes_);
  const std::uint64_t position = last_position_ + 1;
  const auto kind = static_cast<std::uint64_t>(write.kind);
  const auto wall = static_cast<std::uint64_t>(now.ns);
  insert_journal_.bind(1, position)
      .bind(2, kind)
      .bind(3, sequence)
      .bind(4, boot_epoch_)
      .bind(5, wall)
      .text(6, write.subject)
      .blob(7, body_bytes_)
      .bind(8, record_checksum(position, kind, sequence, boot_epoch_, wall, write.subject,
                               body_bytes_));
  if (auto done = run(insert_journal_, "writing the journal"); !done) return done;
  last_position_ = position;
  return {};
}

Result<void> Database::keep_note(const Write& write) {
  upsert_note_.text(1, write.subject).blob(2, write.text).bind(3, checksum(write.text));
  return run(upsert_note_, "writing a note");
}

Result<Durable> Database::apply(const Write& write, WallTime now, CrashGate& gate) {
  if (auto sound = check_write(write); !sound) return Failure(sound.error());
  if (write.kind == RecordKind::note) {
    if (auto done = keep_note(write); !done) return Failure(done.error());
    gate.pass(CrashPoint::after_journal);
    return Durable{last_position_, 0};
  }
  std::uint64_t sequence = 0;
  if (changes_lease(write.kind)) {
    if (auto done = apply_lease(write); !done) return Failure(done.error());
    gate.pass(CrashPoint::after_lease);
    sequence = write.lease->sequence;
  }
  if (auto done = append_journal(write, sequence, now); !done) return Failure(done.error());
  gate.pass(CrashPoint::after_journal);
  if (sequence != 0) last_sequence_ = sequence;
  return Durable{last_position_, sequence};
}

// What is to go: everything before `first + rows`, and whatever is too old among the next few.
std::optional<std::uint64_t> Database::rows_to_trim(std::uint64_t oldest_wall, WallTime now,
                                                    std::uint64_t used_bytes) const {
  const bool too_old = now.ns - static_cast<std::int64_t>(oldest_wall) > age_limit_.count();
  if (used_bytes > bytes_limit_ && journal_rows_ > 1) {
    // As large a share of the records as the file is too large; the newest one always stays.
    const double share = 1 - static_cast<double>(bytes_limit_) / static_cast<double>(used_bytes);
    const auto rows = static_cast<std::uint64_t>(share * static_cast<double>(journal_rows_)) + 1;
    return std::min({rows, kTrimRows, journal_rows_ - 1});
  }
  if (journal_rows_ > rows_limit_) return std::min(journal_rows_ - rows_limit_, kTrimRows);
  if (too_old) return 0;
  return std::nullopt;
}

Result<void> Database::trim_journal(WallTime now) {
  if (used_bytes_.step() != kSqlRow) return trouble("measuring the journal");
  const std::uint64_t used = used_bytes_.number(0);
  used_bytes_.reset();
  const bool empty = oldest_.step() != kSqlRow;
  const std::uint64_t first = oldest_.number(0), wall = oldest_.number(1);
  oldest_.reset();
  if (empty) return {};
  const auto rows = rows_to_trim(wall, now, used);
  if (!rows) return {};
  if (auto begun = begin(); !begun) return begun;
  trim_rows_.bind(1, first + kTrimRows)
      .bind(2, first + *rows)
      .bind(3, static_cast<std::uint64_t>(now.ns - age_limit_.count()));
  Result<void> done = run(trim_rows_, "trimming the journal");
  const std::uint64_t dropped = done ? connection_.rows_changed() : 0;
  // A reading is stamped with the first record of its batch: one batch of slack.
  trim_readings_.bind(1, last_position_ + 1).bind(2, batch_limit_);
  if (done) done = run(trim_readings_, "trimming readings");
  if (done) done = run(commit_, "committing");
  if (!done) {
    rollback();
    return done;
  }
  journal_rows_ -= std::min(dropped, journal_rows_);
  return {};
}

JournalRecord Database::take_record() {
  JournalRecord record;
  record.position = select_journal_.number(0);
  record.kind = static_cast<RecordKind>(select_journal_.number(1));
  record.sequence = select_journal_.number(2);
  record.boot_epoch = select_journal_.number(3);
  record.wall.ns = static_cast<std::int64_t>(select_journal_.number(4));
  const std::string_view subject = select_journal_.bytes(5), bytes = select_journal_.bytes(6);
  auto body = decode_body(bytes);
  record.intact =
      body && select_journal_.number(7) ==
                  record_checksum(record.position, select_journal_.number(1), record.sequence,
                                  record.boot_epoch, select_journal_.number(4), subject, bytes);
  if (!record.intact) return record;
  record.subject = subject;
  record.text = std::move(body->text);
  record.lease = std::move(body->lease);
  if (!body->has_decision) return record;
  record.decision = Decision{std::move(body->request), nullptr, std::move(body->outcome)};
  if (auto readings = load_readings(body->readings)) record.decision->readings = *readings;
  return record;
}

Result<std::shared_ptr<const std::string>> Database::load_readings(std::uint64_t digest) {
  if (digest == 0) return nullptr;
  if (batch_readings_ && digest == batch_digest_) return batch_readings_;
  select_readings_.bind(1, digest);
  if (select_readings_.step() != kSqlRow) return nullptr;
  auto readings = std::make_shared<const std::string>(select_readings_.bytes(0));
  select_readings_.reset();
  if (std::max<std::uint64_t>(1, checksum(*readings)) != digest) return nullptr;
  batch_readings_ = readings;
  batch_digest_ = digest;
  return readings;
}

Result<std::vector<JournalRecord>> Database::read_journal(const JournalQuery& query) {
  std::vector<JournalRecord> records;
  select_journal_.bind(1, std::min<std::uint64_t>(query.before, INT64_MAX))
      .bind(2, std::min(query.limit, kMaxJournalRead));
  std::size_t bytes = 0;
  int code = kSqlRow;
  while (bytes < kReadBytes && (code = select_journal_.step()) == kSqlRow) {
    bytes += select_journal_.bytes(6).size();
    const void* const before = batch_readings_.get();
    records.push_back(take_record());
    if (batch_readings_ && batch_readings_.get() != before) bytes += batch_readings_->size();
  }
  select_journal_.reset();
  batch_readings_.reset();
  if (code == kSqlRow || code == kSqlDone) return records;
  return trouble("reading the journal");
}

}  // namespace estiva::store
