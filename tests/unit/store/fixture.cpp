#include "unit/store/fixture.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sstream>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace estiva::store {

TempDir::TempDir() {
  std::string name = std::filesystem::temp_directory_path() / "estiva-store-XXXXXX";
  path_ = mkdtemp(name.data()) ? name : std::string();
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Lease lease_for_test(std::uint64_t n) {
  Lease lease;
  lease.id = fmt::format("l-{:012}", n);
  lease.model = fmt::format("model-{}", n);
  lease.shares = {{DeviceId{"nvidia", "GPU-0123", ""}, mib(100 + n)}};
  lease.holder = Holder{1234, 99, "boot-a"};
  lease.granted_at = {1'700'000'000'000'000'000 + static_cast<std::int64_t>(n)};
  lease.node_id = "node";
  lease.boot_epoch = 1;
  lease.sequence = n;
  return lease;
}

namespace {
constexpr auto kHang = std::chrono::minutes(1);
}

Result<Durable> submit_and_wait(Store& store, Write write) {
  auto promise = std::make_shared<std::promise<Result<Durable>>>();
  auto future = promise->get_future();
  store.submit(std::move(write),
               [promise](Result<Durable> r) { promise->set_value(std::move(r)); });
  if (future.wait_for(kHang) != std::future_status::ready) return fail("no answer in a minute");
  return future.get();
}

Result<std::vector<JournalRecord>> read_and_wait(Store& store, JournalQuery query) {
  using Records = Result<std::vector<JournalRecord>>;
  auto promise = std::make_shared<std::promise<Records>>();
  auto future = promise->get_future();
  store.read_journal(query, [promise](Records r) { promise->set_value(std::move(r)); });
  if (future.wait_for(kHang) != std::future_status::ready) return fail("no answer in a minute");
  return future.get();
}

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<std::string> names_in(const std::string& dir) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string run_sql(const std::string& path, const std::string& sql) {
  sqlite3* raw = nullptr;
  std::string out;
  const auto collect = [](void* to, int count, char** values, char**) {
    for (int i = 0; i < count; ++i) *static_cast<std::string*>(to) += values[i] ? values[i] : "";
    return 0;
  };
  char* error = nullptr;
  if (sqlite3_open(path.c_str(), &raw) != SQLITE_OK ||
      sqlite3_exec(raw, sql.c_str(), collect, &out, &error) != SQLITE_OK) {
    ADD_FAILURE() << sql << ": " << (error ? error : sqlite3_errmsg(raw));
  }
  sqlite3_free(error);
  sqlite3_close(raw);
  return out;
}

void make_killed_database(const std::string& dir) {
  Options options = options_for_test();
  options.crash = {CrashPoint::after_callback, 3};
  const int status = in_child([&] {
    auto store = Store::open(dir, options);
    for (std::uint64_t n = 1; store && n <= 9; ++n) {
      (void)submit_and_wait(**store, Write::grant(lease_for_test(n)));
    }
    return 1;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_FALSE(file_bytes(dir + "/estiva.db-wal").empty());
}

int in_child(const std::function<int()>& run) {
  const pid_t pid = fork();
  if (pid == 0) _exit(run());
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

}  // namespace estiva::store
