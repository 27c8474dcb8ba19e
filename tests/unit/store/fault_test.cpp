// Disks that are full, read-only or broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "unit/store/fault_vfs.h"
#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

using testing::HasSubstr;

Options faulty_options() {
  install_fault_vfs();
  Options options = options_for_test();
  options.vfs = kFaultVfs;
  return options;
}

class FaultTest : public testing::TestWithParam<Fault> {
 protected:
  void TearDown() override { set_fault(Fault::none); }
};

// Whichever write fails: what was answered with an error is not there, what was answered with
// "durable" is, and the store goes on when the disk is well again.
TEST_P(FaultTest, an_answer_is_true_whichever_write_fails) {
  for (int nth = 1; nth <= 24; ++nth) {
    TempDir dir;
    std::vector<Lease> durable;
    int errors = 0;
    {
      auto store = Store::open(dir.path(), faulty_options());
      ASSERT_TRUE(store) << store.error().sentence();
      set_fault(GetParam(), nth);
      for (std::uint64_t n = 1; n <= 6; ++n) {
        if (n == 5) set_fault(Fault::none);
        const auto done = submit_and_wait(**store, Write::grant(lease_for_test(n)));
        if (done) {
          durable.push_back(lease_for_test(n));
        } else {
          ++errors;
          EXPECT_FALSE(done.error().remedy.empty());
          EXPECT_THAT(done.error().what, HasSubstr(dir.path()));
        }
        if (n >= 5) {
          ASSERT_TRUE(done) << done.error().sentence();
        }
      }
      if (nth == 1) {
        EXPECT_EQ(errors, 4);
      }
    }
    const auto store = Store::open(dir.path(), faulty_options());
    ASSERT_TRUE(store) << store.error().sentence();
    EXPECT_EQ((*store)->opened().leases, durable) << "write " << nth;
  }
}

TEST_P(FaultTest, a_start_that_fails_leaves_no_half_database) {
  TempDir dir;
  const Options options = faulty_options();
  set_fault(GetParam());
  const auto store = Store::open(dir.path(), options);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().what, HasSubstr(dir.path()));
  EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"estiva.lock"});
}

INSTANTIATE_TEST_SUITE_P(Disk, FaultTest,
                         testing::Values(Fault::full, Fault::io_error, Fault::short_write),
                         [](const auto& named) {
                           return named.param == Fault::full       ? "full"
                                  : named.param == Fault::io_error ? "io_error"
                                                                   : "short_write";
                         });

TEST(Fault, a_full_disk_is_named_with_its_free_bytes) {
  TempDir dir;
  auto store = Store::open(dir.path(), faulty_options());
  ASSERT_TRUE(store);
  set_fault(Fault::full);
  const auto done = submit_and_wait(**store, Write::grant(lease_for_test(1)));
  set_fault(Fault::none);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("is full"));
  EXPECT_THAT(done.error().what, HasSubstr("B free"));
  EXPECT_THAT(done.error().remedy, HasSubstr("Free some space"));
}

TEST(Fault, a_change_that_was_undone_can_be_made_again_under_its_own_number) {
  TempDir dir;
  auto store = Store::open(dir.path(), faulty_options());
  ASSERT_TRUE(store);
  set_fault(Fault::full);
  ASSERT_FALSE(submit_and_wait(**store, Write::grant(lease_for_test(1))));
  set_fault(Fault::none);
  const auto done = submit_and_wait(**store, Write::grant(lease_for_test(1)));
  ASSERT_TRUE(done) << done.error().sentence();
  EXPECT_EQ(done->position, 1U);
}

TEST(Fault, closing_answers_a_change_whose_disk_hangs_and_says_that_it_is_unknown) {
  TempDir dir;
  std::vector<Result<Durable>> answers;
  auto store = Store::open(dir.path(), faulty_options());
  ASSERT_TRUE(store);
  set_fault(Fault::hang);
  (*store)->submit(Write::grant(lease_for_test(1)),
                   [&](Result<Durable> r) { answers.push_back(std::move(r)); });
  while (writes_seen() == 0) std::this_thread::yield();
  EXPECT_FALSE((*store)->close(std::chrono::milliseconds(10)));
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_FALSE(answers[0]);
  EXPECT_EQ(answers[0].error().kind, ErrorKind::timed_out);
  EXPECT_THAT(answers[0].error().what, HasSubstr("may or may not be kept"));
  set_fault(Fault::none);
  store->reset();
  EXPECT_EQ(answers.size(), 1U);
}

// Child processes report by exit status: 0 is what was expected.
int open_expecting(const std::string& dir, std::string_view says) {
  const auto store = Store::open(dir, options_for_test());
  if (store) return 1;
  if (store.error().what.find(dir) == std::string::npos) return 2;
  if (store.error().sentence().find(says) == std::string::npos) return 3;
  return 0;
}

TEST(Fault, a_folder_that_can_not_be_written_is_named) {
  TempDir dir;
  ASSERT_EQ(chmod(dir.path().c_str(), 0555), 0);
  const int status = in_child([&] {
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 9;
    return open_expecting(dir.path(), "Make it writable");
  });
  EXPECT_EQ(status, 0) << "exit " << WEXITSTATUS(status);
  chmod(dir.path().c_str(), 0755);
}

// A tmpfs of one MiB in a mount namespace of its own. 10: not permitted here.
bool mount_small_disk(const std::string& dir) {
  const int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
  return unshare(flags) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("none", dir.c_str(), "tmpfs", 0, "size=1m") == 0;
}

int fill_small_disk(const std::string& dir) {
  if (!mount_small_disk(dir)) return 10;
  write_bytes(dir + "/ballast", std::string(256 * 1024, 'x'));
  std::vector<Lease> durable;
  {
    auto store = Store::open(dir, options_for_test());
    if (!store) return 1;
    std::uint64_t n = 0;
    for (bool full = false; !full; ++n) {
      if (n > 10'000) return 2;
      Lease lease = lease_for_test(n + 1);
      lease.node_id.assign(2000, 'n');
      const auto done = submit_and_wait(**store, Write::grant(lease));
      if (done) durable.push_back(lease);
      full = !done;
      if (full && done.error().what.find("is full") == std::string::npos) return 3;
    }
    if (durable.size() < 10) return 4;
  }
  {
    auto store = Store::open(dir, options_for_test());  // still full: reading needs no room
    if (!store || (*store)->opened().leases != durable) return 5;
    unlink((dir + "/ballast").c_str());
    Lease lease = lease_for_test(20'000);
    if (!submit_and_wait(**store, Write::grant(lease))) return 6;
    durable.push_back(lease);
  }
  auto store = Store::open(dir, options_for_test());
  return store && (*store)->opened().leases == durable ? 0 : 7;
}

TEST(Fault, a_disk_that_is_really_full_loses_nothing_and_recovers) {
  TempDir dir;
  const int status = in_child([&] { return fill_small_disk(dir.path()); });
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 10) GTEST_SKIP() << "mount namespaces are not permitted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Fault, a_file_system_that_is_read_only_is_named) {
  TempDir dir;
  const int status = in_child([&] {
    if (!mount_small_disk(dir.path())) return 10;
    if (mount("none", dir.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, "size=1m") != 0)
      return 9;
    return open_expecting(dir.path(), "Read-only file system");
  });
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 10) GTEST_SKIP() << "mount namespaces are not permitted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace estiva::store
