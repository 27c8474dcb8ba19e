// The little of SQLite this room needs, as values that close themselves. Result codes stay plain
// ints so that sqlite3.h is included by .cpp files only; trouble.h turns them into sentences.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace estiva::store {

inline constexpr int kSqlOk = 0, kSqlRow = 100, kSqlDone = 101;

// A failure as SQLite saw it.
struct SqlTrouble {
  int code = kSqlOk;     // extended result code
  int system_errno = 0;  // of the system call behind it; 0 where there is none
  std::string message;
};

// A prepared statement. Texts that are bound must outlive the next step.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* raw) : raw_(raw) {}
  Statement(Statement&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Statement();

  // Parameters count from 1. Numbers keep their 64 bits (SQLite's are signed).
  Statement& bind(int parameter, std::uint64_t number);
  Statement& text(int parameter, std::string_view value);
  Statement& blob(int parameter, std::string_view value);
  // kSqlRow, kSqlDone or an error code. After kSqlDone or an error it can be bound and run again.
  int step();
  void reset();

  // Columns count from 0; views last until the next step or reset.
  std::uint64_t number(int column) const;
  std::string_view bytes(int column) const;

 private:
  sqlite3_stmt* raw_ = nullptr;
};

class Connection {
 public:
  Connection() = default;
  Connection(Connection&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Connection& operator=(Connection&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Connection() { close(); }

  // kSqlOk or an error code. `vfs` empty: the default one. The file must exist.
  int open(const std::string& path, const std::string& vfs);
  void close();

  // Runs statements without results.
  int execute(const char* sql);
  // The first column of the first row as text; empty when there is none or it failed.
  std::string ask(const char* sql, int* code = nullptr);
  Statement prepare(std::string_view sql, int* code);
  std::uint64_t rows_changed() const;
  bool in_transaction() const;
  // False keeps the write-ahead log where it is when the connection closes: a file that turned
  // out to be damaged must stay as it was found.
  void checkpoint_on_close(bool yes);
  SqlTrouble trouble() const;

 private:
  sqlite3* raw_ = nullptr;
};

bool is_constraint(int code);
bool is_damage(int code);  // SQLITE_CORRUPT, SQLITE_NOTADB

}  // namespace estiva::store
