// Who has a device open, on this machine and in a tree.
#include "host/device_users.h"

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "host/folder.h"
#include "temp_dir.h"

namespace estiva::host {
namespace {

constexpr std::string_view kGpus[] = {"/dev/nvidia", "/dev/dri/"};

void link_to(const test::TempDir& dir, const std::string& name, const std::string& target) {
  const std::filesystem::path path = dir.path() + "/" + name;
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::create_symlink(target, path);
}

TEST(DeviceUsers, AreThoseWithANodeOpenByPid) {
  const test::TempDir dir;
  dir.write("proc/700/stat", "700 (Xorg) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0");
  dir.write("proc/700/comm", "Xorg\n");
  link_to(dir, "proc/700/fd/3", "/dev/nvidiactl");
  link_to(dir, "proc/700/fd/4", "/dev/dri/card1");
  link_to(dir, "proc/700/fd/5", "/dev/nvidiactl");
  link_to(dir, "proc/700/fd/6", "socket:[7]");
  dir.write("proc/80/comm", "ollama\n");
  link_to(dir, "proc/80/fd/9", "/dev/nvidia-uvm");
  dir.write("proc/90/comm", "bash\n");
  link_to(dir, "proc/90/fd/0", "/dev/pts/0");
  link_to(dir, "proc/90/fd/1", "/home/dev/nvidia0");
  dir.write("proc/self/comm", "no number\n");
  link_to(dir, "proc/self/fd/0", "/dev/nvidia0");
  const auto root = Root::open(dir.path());
  ASSERT_TRUE(root);
  const DeviceUsers found = find_device_users(*root, kGpus);
  const std::vector<DeviceUser> expected = {{80, "ollama", {"/dev/nvidia-uvm"}},
                                            {700, "Xorg", {"/dev/dri/card1", "/dev/nvidiactl"}}};
  EXPECT_EQ(found.users, expected);
  EXPECT_EQ(found.hidden, 0U);
}

TEST(DeviceUsers, OfThisMachineHaveThisProcess) {
  const UniqueFd fd(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  ASSERT_GE(fd.get(), 0);
  const auto root = Root::open();
  ASSERT_TRUE(root);
  constexpr std::string_view kZero[] = {"/dev/zero"};
  const auto has_us = [&] {
    const auto found = find_device_users(*root, kZero);
    return std::any_of(found.users.begin(), found.users.end(),
                       [](const DeviceUser& one) { return one.pid == ::getpid(); });
  };
  EXPECT_TRUE(has_us());
}

// What an ordinary user may not see is counted, never taken for nothing.
TEST(DeviceUsers, OthersProcessesAreCountedAsHidden) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become nobody";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
    const auto root = Root::open();
    ::_exit(root && find_device_users(*root, kGpus).hidden > 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(DeviceUsers, WithoutProcfsAreNone) {
  const test::TempDir dir;
  const auto root = Root::open(dir.path());
  ASSERT_TRUE(root);
  EXPECT_EQ(find_device_users(*root, kGpus), DeviceUsers{});
}

TEST(Folders, NamesAreSortedAndBounded) {
  const test::TempDir dir;
  for (const char* name : {"b", "a", "c"}) dir.write(std::string("d/") + name, "");
  const auto root = Root::open(dir.path());
  ASSERT_TRUE(root);
  EXPECT_EQ(read_folder(*root, "/d").value(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(read_folder(*root, "/d", 3));
  EXPECT_FALSE(read_folder(*root, "/d", 2));
  EXPECT_EQ(read_folder(*root, "/x").error().kind, ErrorKind::not_found);
  EXPECT_EQ(read_folder(*root, "/d/a").error().kind, ErrorKind::failed);
}

TEST(Folders, ALinkIsReadAsItIsWritten) {
  const test::TempDir dir;
  link_to(dir, "d/link", "../../nowhere");
  dir.write("d/file", "x");
  const auto root = Root::open(dir.path());
  ASSERT_TRUE(root);
  EXPECT_EQ(link_at(*root, "/d/link").value(), "../../nowhere");
  EXPECT_EQ(link_at(*root, "/d/file").error(), ENOENT);
  EXPECT_EQ(link_at(*root, "/d/none").error(), ENOENT);
  EXPECT_FALSE(link_at(*root, "nothing"));
}

}  // namespace
}  // namespace estiva::host
