// Disks that are full, read-only or protected: refused before anything is changed where it can be
// known, else the file is whole and the run can be undone.
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/files.h"
#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNoMounts = "not root: mount namespaces are not permitted here";

class Faults : public ActTest {
 protected:
  // Runs `test` in a child with mounts of its own, after `mounts`; what it returns, or "skip".
  template <class Mounts, class Test>
  std::string in_child(Mounts mounts, Test test) {
    int ends[2];
    if (::pipe(ends) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
      const int flags = CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
      const bool ready = ::unshare(flags) == 0 &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mounts();
      const auto fresh = host::Root::open(tree_.path());  // sees the new mounts
      std::string text = "skip";
      if (ready && fresh) text = test(Machine{*fresh, commands_, {}, {}});
      const ssize_t put = ::write(ends[1], text.data(), text.size());
      ::_exit(put == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string text(65536, '\0');
    std::size_t size = 0;
    for (ssize_t n = 1; n > 0 && size<text.size(); size += n> 0 ? n : 0) {
      n = ::read(ends[0], text.data() + size, text.size() - size);
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    text.resize(size);
    return text;
  }
};

std::string sentence_of(const Result<RunReport>& report) {
  if (!report) return "refused: " + report.error().what;
  return report->error ? "stopped: " + report->error->what : "fine";
}

TEST_F(Faults, AFullDiskLeavesTheFileWholeAndTheRunCanBeUndone) {
  put("/etc/first", "1");
  const std::string disk = at("/etc/small");
  fs::create_directories(disk);
  const auto seen = in_child(
      [&] { return ::mount("none", disk.c_str(), "tmpfs", 0, "size=64k") == 0; },
      [&](const Machine& machine) {
        std::ofstream(disk + "/config") << std::string(20'000, 'o');
        const auto before = snapshot(tree_.path());
        const auto report =
            apply(machine, journal_,
                  plan_of({write_step("/etc/first", "2"),
                           write_step("/etc/small/config", std::string(60'000, 'n'))}));
        std::string out = sentence_of(report);
        out += "; leftovers " + std::to_string(std::distance(fs::directory_iterator(disk), {}) - 1);
        const auto undone = undo(machine, journal_, report ? report->run : "");
        return out + "; " + sentence_of(undone) + "; " + difference(before, snapshot(tree_.path()));
      });
  if (seen == "skip") GTEST_SKIP() << kNoMounts;
  EXPECT_EQ(seen,
            "stopped: step 2 of 2 (/etc/small/config) failed: there is no room to write "
            "/etc/small/config; what was there is whole; leftovers 0; fine; ");
}

TEST_F(Faults, AFullDiskUnderTheJournalChangesNothing) {
  put("/etc/first", std::string(30'000, '1'));
  fs::create_directories(journal_);
  const auto seen = in_child(
      [&] { return ::mount("none", journal_.c_str(), "tmpfs", 0, "size=32k") == 0; },
      [&](const Machine& machine) {
        const auto before = snapshot(tree_.path());
        const auto report = apply(machine, journal_, plan_of({write_step("/etc/first", "2")}));
        return sentence_of(report).substr(0, 60) + "; " +
               difference(before, snapshot(tree_.path()));
      });
  if (seen == "skip") GTEST_SKIP() << kNoMounts;
  EXPECT_EQ(seen, "stopped: step 1 of 1 (/etc/first) failed: writing the journa; ");
}

TEST_F(Faults, AReadOnlyDiskIsSeenBeforeTheFirstEffect) {
  put("/etc/first", "1");
  put("/etc/fixed/config", "old");
  const std::string disk = at("/etc/fixed");
  const auto seen = in_child(
      [&] {
        return ::mount(disk.c_str(), disk.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
               ::mount(nullptr, disk.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) ==
                   0;
      },
      [&](const Machine& machine) {
        const auto before = snapshot(tree_.path());
        const auto report =
            apply(machine, journal_,
                  plan_of({write_step("/etc/first", "2"), write_step("/etc/fixed/config", "new"),
                           write_step("/etc/fixed/a/b", "new")}));
        return sentence_of(report) + difference(before, snapshot(tree_.path()));
      });
  if (seen == "skip") GTEST_SKIP() << kNoMounts;
  EXPECT_EQ(
      seen,
      "refused: nothing was changed, because /etc/fixed/config is on a read-only file system; "
      "and 1 more");
}

// Sets an attribute as chattr does; false where that is not possible.
bool set_attribute(const std::string& path, int flag, bool on) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  int flags = 0;
  bool done = ::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
  flags = on ? flags | flag : flags & ~flag;
  done = done && ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
  ::close(fd);
  return done;
}

class Protected : public Faults, public testing::WithParamInterface<int> {};

TEST_P(Protected, AProtectedFileOrFolderIsSeenBeforeTheFirstEffect) {
  const char letter = GetParam() == FS_IMMUTABLE_FL ? 'i' : 'a';
  put("/etc/first", "1");
  const auto file = put("/etc/docker/daemon.json", "old");
  const auto folder = at("/etc/docker");
  if (!set_attribute(file, GetParam(), true)) GTEST_SKIP() << "files can't be made immutable here";
  const auto plan =
      plan_of({write_step("/etc/first", "2"), write_step("/etc/docker/daemon.json", "new")});
  const auto of_file = do_it(plan);
  set_attribute(file, GetParam(), false);
  set_attribute(folder, GetParam(), true);
  const auto of_folder = do_it(plan);
  set_attribute(folder, GetParam(), false);
  ASSERT_FALSE(of_file);
  ASSERT_FALSE(of_folder);
  const auto form =
      "nothing was changed, because {} is protected by the attribute '{}' (lsattr "
      "shows it, chattr -{} takes it away)";
  EXPECT_EQ(of_file.error().what,
            fmt::format(fmt::runtime(form), "/etc/docker/daemon.json", letter, letter));
  EXPECT_EQ(of_folder.error().what, fmt::format(fmt::runtime(form), "/etc/docker", letter, letter));
  EXPECT_EQ(content("/etc/first"), "1");
}

INSTANTIATE_TEST_SUITE_P(Attributes, Protected, testing::Values(FS_IMMUTABLE_FL, FS_APPEND_FL));

TEST_F(Faults, OddTargetsAreRefused) {
  fs::create_directories(at("/etc/folder"));
  ::mkfifo(at("/etc/fifo").c_str(), 0600);
  put("/etc/file", "x");
  fs::create_symlink("loop2", at("/etc/loop1"));
  fs::create_symlink("loop1", at("/etc/loop2"));
  fs::create_symlink("folder", at("/etc/to-folder"));
  const auto before = now();
  for (const std::string& path :
       {std::string("etc/relative"), std::string(), std::string("/"), std::string("/etc/.."),
        std::string("/etc/."), std::string("/etc/folder"), std::string("/etc/fifo"),
        std::string("/etc/loop1"), std::string("/etc/to-folder"), std::string("/etc/file/below"),
        std::string("/etc/nul\0x", 10), "/etc/" + std::string(256, 'n'),
        "/" + std::string(5000, 'n')}) {
    const auto report = do_it(plan_of({write_step(path, "y")}));
    ASSERT_FALSE(report) << path;
    EXPECT_EQ(report.error().kind, ErrorKind::refused) << path;
  }
  EXPECT_EQ(difference(before, now()), "");
}

TEST_F(Faults, ANameOfTheGreatestLengthIsFine) {
  const auto before = now();
  const auto run = applied(plan_of({write_step("/etc/" + std::string(255, 'n'), "y")}));
  expect_undone(run, before);
}

TEST_F(Faults, AFileBeyondTheLimitIsRefusedAndOneAtTheLimitIsKept) {
  const auto path = put("/etc/large", "");
  fs::resize_file(path, kLargestFile + 1);
  const auto report = do_it(plan_of({write_step("/etc/large", "y")}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  fs::resize_file(path, kLargestFile);
  const auto before = now();
  const auto run = applied(plan_of({write_step("/etc/large", "y")}));
  expect_undone(run, before);
}

TEST_F(Faults, WhatChangesInTheLastMomentIsLeftAlone) {
  put("/etc/a", "old");
  int passed = 0;
  machine_.boundary = [&] {
    // The temporary file is there, the rename is not done yet.
    for (const auto& entry : fs::directory_iterator(at("/etc"))) {
      const std::string name = entry.path().filename();
      if (name.starts_with(".estiva-") && passed++ == 0) put("/etc/a", "theirs");
    }
  };
  const auto report = do_it(plan_of({write_step("/etc/a", "new", format::sha256_hex("old"))}));
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(report->error->kind, ErrorKind::refused);
  EXPECT_EQ(content("/etc/a"), "theirs");
}

}  // namespace
}  // namespace estiva::act::test
