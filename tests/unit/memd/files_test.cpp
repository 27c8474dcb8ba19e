// Swap files that are made, known again and removed, and folders that are refused. Nothing here is
// swapped to: tests/e2e/memd_test.py does that.
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "memd/area_files.h"
#include "memd/swap_folder.h"
#include "unit/memd/memd_fixture.h"

namespace estiva::memd {

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class SwapFiles : public MemdTest {};
class SwapFolders : public MemdTest {};

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 4096> text{};
  const std::size_t n = std::fread(text.data(), 1, text.size() - 1, pipe.get());
  return std::string(text.data(), n);
}

}  // namespace

TEST_F(SwapFiles, AreWholeAndKnownAgain) {
  ASSERT_FALSE(make_area(folder(), 3, 2 * kMiB, 0));
  const AreaFile found = look_at_area(folder(), 3);
  EXPECT_EQ(found.kind, FileKind::ours);
  EXPECT_EQ(found.size, 2 * kMiB);
  EXPECT_FALSE(found.is_active);
  struct stat info {};
  ASSERT_EQ(stat(file("area-3.swap").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(info.st_ino, found.inode);
}

TEST_F(SwapFiles, AreReadByTheSystemsOwnTool) {
  ASSERT_FALSE(make_area(folder(), 1, kMiB, 0));
  const std::string said = output_of("blkid -p -o export " + file("area-1.swap") + " 2>&1");
  EXPECT_THAT(said, testing::HasSubstr("TYPE=swap"));
  EXPECT_THAT(said, testing::HasSubstr(std::string("LABEL=") + kLabel));
  EXPECT_THAT(said, testing::HasSubstr("VERSION=1"));
}

TEST_F(SwapFiles, ThatExistAreNotMadeAgain) {
  ASSERT_FALSE(make_area(folder(), 1, kMiB, 0));
  const AreaFault fault = make_area(folder(), 1, kMiB, 0);
  EXPECT_EQ(fault.step, AreaStep::open);
  EXPECT_EQ(fault.error, EEXIST);
}

TEST_F(SwapFiles, LeaveWhatMustStayFreeOnTheDisk) {
  const AreaFault fault = make_area(folder(), 1, kMiB, 1ULL << 60);
  EXPECT_EQ(fault.step, AreaStep::disk_floor);
  EXPECT_EQ(look_at_area(folder(), 1).kind, FileKind::absent);
}

TEST_F(SwapFiles, LargerThanTheDiskLeaveNothingBehind) {
  const AreaFault fault = make_area(folder(), 1, 1ULL << 50, 0);
  EXPECT_TRUE(fault);
  EXPECT_EQ(look_at_area(folder(), 1).kind, FileKind::absent);
}

TEST_F(SwapFiles, CutOffWhileTheyWereMadeAreKnown) {
  write_file("area-1.swap", "");
  write_file("area-2.swap", std::string(kMiB, '\0'));
  EXPECT_EQ(look_at_area(folder(), 1).kind, FileKind::cut_off);
  EXPECT_EQ(look_at_area(folder(), 2).kind, FileKind::cut_off);
  ASSERT_FALSE(make_area(folder(), 3, kMiB, 0));
  ASSERT_EQ(truncate(file("area-3.swap").c_str(), kMiB / 2), 0);
  EXPECT_EQ(look_at_area(folder(), 3).kind, FileKind::cut_off);
  for (const std::uint32_t id : {1U, 2U, 3U}) EXPECT_FALSE(remove_area(folder(), id));
  EXPECT_TRUE(std::filesystem::is_empty(path_));
}

TEST_F(SwapFiles, OfOthersAreNeverTouched) {
  const std::string theirs(kMiB, 'x');
  write_file("area-1.swap", theirs);                         // another content
  write_file("area-2.swap", std::string(kMiB, '\0'), 0644);  // others may read it
  write_file("area-4.swap", std::string(kMiB, '\0'));        // two names
  std::filesystem::create_hard_link(file("area-4.swap"), file("other"));
  write_file("target", std::string(kMiB, '\0'));
  std::filesystem::create_symlink("target", file("area-5.swap"));
  std::filesystem::create_directory(file("area-6.swap"));
  for (const std::uint32_t id : {1U, 2U, 4U, 5U, 6U}) {
    EXPECT_EQ(look_at_area(folder(), id).kind, FileKind::foreign) << id;
    EXPECT_EQ(remove_area(folder(), id).error, EINVAL) << id;
    EXPECT_TRUE(activate_area(folder(), id)) << id;
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::symlink_status(file(area_name(id).text))))
        << id;
  }
}

TEST_F(SwapFiles, WithHolesAreNotSwappedTo) {
  ASSERT_FALSE(make_area(folder(), 1, 4 * kMiB, 0));
  const UniqueFd fd(open(file("area-1.swap").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kMiB, kMiB), 0);
  EXPECT_EQ(look_at_area(folder(), 1).kind, FileKind::cut_off);
  EXPECT_EQ(activate_area(folder(), 1).step, AreaStep::open);
}

TEST_F(SwapFolders, AreMadePrivate) {
  const auto made = open_folder(file("swap"));
  ASSERT_TRUE(made) << made.error().sentence();
  struct stat info {};
  ASSERT_EQ(fstat(made->fd.get(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  EXPECT_EQ(made->path, std::filesystem::canonical(file("swap")).string());
}

TEST_F(SwapFolders, ThatCantBeTrustedAreRefused) {
  std::filesystem::create_directory(file("open"));
  ASSERT_EQ(chmod(file("open").c_str(), 0755), 0);
  std::filesystem::create_directory_symlink(path_, file("link"));
  write_file("file", "");
  for (const char* name : {"open", "link", "file", "missing/below"}) {
    const auto opened = open_folder(file(name));
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(exit_code(opened.error().kind), 5) << name;
    EXPECT_THAT(opened.error().sentence(), testing::HasSubstr(file(name)));
  }
}

TEST_F(SwapFolders, InMemoryAreRefusedAndLeaveNothing) {
  const std::string path = "/dev/shm/estiva-memd-test-" + std::to_string(getpid());
  const auto opened = open_folder(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(exit_code(opened.error().kind), 5);
  EXPECT_THAT(opened.error().what, testing::HasSubstr("tmpfs"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace estiva::memd
