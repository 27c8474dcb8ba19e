#include "host/files.h"

#include <atomic>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "host/settings_file.h"
#include "unit/host/temp_dir.h"

namespace estiva::host {
namespace {

using test::TempDir;

std::size_t files_in(const std::string& dir) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir), {}));
}

TEST(Tree, LinksCannotLeadOutOfIt) {
  const TempDir outside, tree;
  outside.write("secret", "secret");
  tree.write("etc/real", "inside");
  std::filesystem::create_symlink(outside.path() + "/secret", tree.path() + "/etc/absolute");
  std::filesystem::create_symlink("../../../../../../etc/real", tree.path() + "/etc/dots");
  std::filesystem::create_symlink("/etc/real", tree.path() + "/etc/rooted");
  const auto root = Root::open(tree.path());
  ASSERT_TRUE(root);
  EXPECT_EQ(read_file(*root, "/etc/real").value(), "inside");
  EXPECT_EQ(read_file(*root, "/etc/rooted").value(), "inside");
  EXPECT_EQ(read_file(*root, "/etc/dots").value(), "inside");
  EXPECT_EQ(read_file(*root, "/../../etc/real").value(), "inside");
  const auto escaped = read_file(*root, "/etc/absolute");
  ASSERT_FALSE(escaped);
  EXPECT_EQ(escaped.error().kind, ErrorKind::not_found);
}

// The kernel gives up on a path with ".." in it where somebody renames anything meanwhile.
TEST(Tree, RenamesElsewhereStopNoReading) {
  const TempDir tree;
  tree.write("srv/real", "inside");
  tree.write("other/a", "");
  std::filesystem::create_directories(tree.path() + "/etc");
  std::filesystem::create_symlink("../srv/real", tree.path() + "/etc/link");
  const auto root = Root::open(tree.path());
  ASSERT_TRUE(root);
  std::atomic<bool> ends = false;
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&, i] {
      const std::string one = fmt::format("{}/other/{}", tree.path(), i), two = one + "x";
      ::close(::open(one.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
      while (!ends) {
        ::rename(one.c_str(), two.c_str());
        ::rename(two.c_str(), one.c_str());
      }
    });
  }
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    const auto text = read_file(*root, "/etc/link");
    seen.insert(text ? *text : text.error().sentence());
  }
  ends = true;
  for (std::thread& one : others) one.join();
  EXPECT_EQ(seen, std::set<std::string>{"inside"});
}

TEST(Tree, AnAbsentOneIsASentence) {
  const auto root = Root::open("/nonexistent-tree");
  ASSERT_FALSE(root);
  EXPECT_NE(root.error().sentence().find("/nonexistent-tree"), std::string::npos);
}

TEST(Reading, IsBoundedAndTakesOrdinaryFilesOnly) {
  const TempDir dir;
  const auto file = dir.write("f", std::string(1000, 'x'));
  EXPECT_EQ(read_local_file(file, 1000)->size(), 1000u);
  EXPECT_NE(read_local_file(file, 999).error().what.find("larger than"), std::string::npos);
  ASSERT_EQ(::mkfifo((dir.path() + "/fifo").c_str(), 0600), 0);
  EXPECT_FALSE(read_local_file(dir.path() + "/fifo"));  // and does not hang
  EXPECT_FALSE(read_local_file(dir.path()));
  EXPECT_FALSE(read_local_file("/dev/zero"));
  EXPECT_EQ(read_local_file(dir.path() + "/none").error().kind, ErrorKind::not_found);
}

TEST(Reading, ProcfsFilesOfSizeZeroHaveContent) {
  const auto root = Root::open("/");
  ASSERT_TRUE(root);
  EXPECT_NE(read_file(*root, "/proc/meminfo")->find("MemTotal:"), std::string::npos);
  std::array<char, 8> small;
  EXPECT_EQ(read_into(*root, "/proc/meminfo", small), 8);
  EXPECT_EQ(read_into(*root, "/proc/none", small), -ENOENT);
}

TEST(Writing, ReplacesWholeFilesAndLeavesNothingBehind) {
  const TempDir dir;
  const auto file = dir.path() + "/state";
  ASSERT_TRUE(write_file_atomic(file, "one"));
  ASSERT_TRUE(write_file_atomic(file, "two", 0600));
  EXPECT_EQ(read_local_file(file).value(), "two");
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(files_in(dir.path()), 1u);
}

TEST(Writing, AFailureKeepsTheOldContent) {
  const TempDir dir;
  std::filesystem::create_directories(dir.path() + "/target/child");  // rename onto it must fail
  const auto result = write_file_atomic(dir.path() + "/target", "x");
  ASSERT_FALSE(result);
  EXPECT_FALSE(result.error().remedy.empty());
  EXPECT_EQ(files_in(dir.path()), 1u);
  EXPECT_FALSE(write_file_atomic(dir.path() + "/none/f", "x"));
}

TEST(Writing, AFullDiskIsASentenceAndTheOldContentStays) {
  const TempDir dir;
  const auto file = dir.write("f", "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // a limit on the file size stands for a disk without room
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10, 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto result = write_file_atomic(file, std::string(4096, 'x'));
    ::_exit(!result && !result.error().remedy.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_local_file(file).value(), "old");
  EXPECT_EQ(files_in(dir.path()), 1u);
}

TEST(Folders, AreMadeWithTheirMode) {
  const TempDir dir;
  const auto deep = dir.path() + "/a/b/c";
  ASSERT_TRUE(ensure_dir(deep, 0700));
  ASSERT_TRUE(ensure_dir(deep, 0750));
  struct stat info {};
  ASSERT_EQ(::stat(deep.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750u);
  ASSERT_TRUE(check_writable_dir(deep));
  EXPECT_EQ(files_in(deep), 0u);
}

TEST(Folders, AFileOrALinkInTheWayIsRefused) {
  const TempDir dir;
  const auto file = dir.write("file", "");
  EXPECT_EQ(ensure_dir(file, 0700).error().kind, ErrorKind::refused);
  std::filesystem::create_directory_symlink("/tmp", dir.path() + "/link");
  EXPECT_EQ(ensure_dir(dir.path() + "/link", 0700).error().kind, ErrorKind::refused);
  EXPECT_FALSE(ensure_dir(file + "/below", 0700));
  EXPECT_FALSE(check_writable_dir(dir.path() + "/none"));
  EXPECT_FALSE(check_writable_dir("/proc"));
}

TEST(PidFiles, TheSecondDaemonIsRefusedWithThePidOfTheFirst) {
  const TempDir dir;
  const auto path = dir.path() + "/estivad.pid";
  {
    const auto first = PidFile::lock(path);
    ASSERT_TRUE(first);
    const auto second = PidFile::lock(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::refused);
    EXPECT_NE(second.error().what.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(PidFile::lock(path));  // the file is there, the lock is not
}

TEST(PidFiles, KillingTheHolderFreesTheLock) {
  const TempDir dir;
  const auto path = dir.path() + "/pid";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = PidFile::lock(path);
    const char byte = held ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_FALSE(PidFile::lock(path));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(PidFile::lock(path));
}

TEST(SettingsOwner, OnlyRootAndOneselfMayWrite) {
  const FileOwner root_folder{0, 0, 0755};
  const uid_t self = 1000;
  EXPECT_TRUE(check_only_owner_writes("/f", {0, 0, 0644}, root_folder, self));
  EXPECT_TRUE(check_only_owner_writes("/f", {self, 0, 0600}, {self, 0, 0700}, self));
  EXPECT_TRUE(check_only_owner_writes("/f", {self, 0, 0600}, {0, 0, 01777}, self));  // sticky
  const std::vector<std::pair<FileOwner, FileOwner>> refused = {
      {{1001, 0, 0644}, root_folder}, {{0, 0, 0664}, root_folder},     {{0, 0, 0646}, root_folder},
      {{0, 0, 0644}, {0, 0, 0777}},   {{0, 0, 0644}, {1001, 0, 0755}}, {{0, 0, 0644}, {0, 0, 0775}},
  };
  for (const auto& [file, folder] : refused) {
    const auto result = check_only_owner_writes("/f", file, folder, self);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::refused);
  }
}

TEST(SettingsOwner, OnlyFilesWithCommandsAreHeldToIt) {
  const TempDir dir;
  ASSERT_EQ(::chmod(dir.path().c_str(), 0700), 0);
  const auto harmless = dir.write("a.toml", "[daemon]\nhistory = false\n");
  const auto commands = dir.write("b.toml", "[models.a]\nengine='process'\ncommand=['/x']\n");
  for (const auto& file : {harmless, commands}) ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  const auto loaded = read_settings(harmless);
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->settings.daemon.history);
  EXPECT_EQ(read_settings(commands).error().kind, ErrorKind::refused);
  ASSERT_EQ(::chmod(commands.c_str(), 0644), 0);
  EXPECT_EQ(read_settings(commands)->settings.models.size(), 1u);
  EXPECT_FALSE(read_settings(dir.path() + "/none.toml"));
}

}  // namespace
}  // namespace estiva::host
