#include "store/sqlite.h"

#include <sqlite3.h>

namespace estiva::store {

static_assert(kSqlOk == SQLITE_OK && kSqlRow == SQLITE_ROW && kSqlDone == SQLITE_DONE);

Statement::~Statement() {
  sqlite3_finalize(raw_);
}

Statement& Statement::bind(int parameter, std::uint64_t number) {
  sqlite3_bind_int64(raw_, parameter, static_cast<sqlite3_int64>(number));
  return *this;
}

Statement& Statement::text(int parameter, std::string_view value) {
  // A null pointer would bind NULL; an empty text is a text.
  sqlite3_bind_text64(raw_, parameter, value.data() ? value.data() : "", value.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::blob(int parameter, std::string_view value) {
  sqlite3_bind_blob64(raw_, parameter, value.data() ? value.data() : "", value.size(),
                      SQLITE_STATIC);
  return *this;
}

int Statement::step() {
  if (!raw_) return SQLITE_MISUSE;
  const int code = sqlite3_step(raw_);
  if (code != SQLITE_ROW) sqlite3_reset(raw_);
  return code;
}

void Statement::reset() {
  sqlite3_reset(raw_);
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(raw_, column));
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(raw_, column));
  return data ? std::string_view(data, sqlite3_column_bytes(raw_, column)) : std::string_view();
}

int Connection::open(const std::string& path, const std::string& vfs) {
  close();
  // NOMUTEX: one thread at a time uses a connection (the store's own).
  const int code = sqlite3_open_v2(path.c_str(), &raw_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                   vfs.empty() ? nullptr : vfs.c_str());
  if (!raw_) return code;
  sqlite3_extended_result_codes(raw_, 1);
  sqlite3_db_config(raw_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(raw_, SQLITE_LIMIT_ATTACHED, 1);  // one, for VACUUM INTO
  return code;
}

void Connection::close() {
  sqlite3_close_v2(std::exchange(raw_, nullptr));
}

int Connection::execute(const char* sql) {
  return sqlite3_exec(raw_, sql, nullptr, nullptr, nullptr);
}

std::string Connection::ask(const char* sql, int* code) {
  int local = kSqlOk;
  int& result = code ? *code : local;
  Statement statement = prepare(sql, &result);
  if (result != kSqlOk) return {};
  result = statement.step();
  if (result != kSqlRow) return {};
  result = kSqlOk;
  return std::string(statement.bytes(0));
}

Statement Connection::prepare(std::string_view sql, int* code) {
  sqlite3_stmt* raw = nullptr;
  *code = sqlite3_prepare_v3(raw_, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  return Statement(raw);
}

std::uint64_t Connection::rows_changed() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(raw_));
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(raw_) == 0;
}

void Connection::checkpoint_on_close(bool yes) {
  sqlite3_db_config(raw_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
}

SqlTrouble Connection::trouble() const {
  if (!raw_) return {SQLITE_NOMEM, 0, "out of memory"};
  return {sqlite3_extended_errcode(raw_), sqlite3_system_errno(raw_), sqlite3_errmsg(raw_)};
}

bool is_constraint(int code) {
  return (code & 0xff) == SQLITE_CONSTRAINT;
}
bool is_damage(int code) {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

}  // namespace estiva::store
