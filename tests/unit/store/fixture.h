// Helpers for the tests of the store: a folder of its own, leases, waiting for callbacks.
#pragma once
#include <future>
#include <string>
#include <vector>

#include "store/store.h"

namespace estiva::store {

// A new folder, removed with all in it at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/estiva.db"; }

 private:
  std::string path_;
};

inline Options options_for_test() {
  Options options;
  options.boot_id = "boot-a";
  return options;
}

// A lease "l-<n>" of model "model-<n>" at ledger sequence n, boot epoch 1, on one GPU.
Lease lease_for_test(std::uint64_t n);

// Submits and waits for the answer (at most a minute: that is a hang).
Result<Durable> submit_and_wait(Store& store, Write write);
Result<std::vector<JournalRecord>> read_and_wait(Store& store, JournalQuery query = {});

std::string file_bytes(const std::string& path);
void write_bytes(const std::string& path, const std::string& bytes);
std::vector<std::string> names_in(const std::string& dir);

// Runs SQL on a closed database, as a stranger with the sqlite3 shell could.
std::string run_sql(const std::string& path, const std::string& sql);

// A database of a daemon that was killed: three leases that only the log holds.
void make_killed_database(const std::string& dir);

// Runs a function in a child process; returns what waitpid says. The function's result is the
// exit status.
int in_child(const std::function<int()>& run);

}  // namespace estiva::store
