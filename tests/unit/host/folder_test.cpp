#include "host/folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/host/temp_dir.h"

namespace estiva::host {
namespace {

using test::TempDir;

void link(const TempDir& dir, const std::string& name, const std::string& target) {
  const std::filesystem::path path = dir.path() + "/" + name;
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::create_symlink(target, path);
}

TEST(Folder, EntriesByNameWithTheirKind) {
  const TempDir dir;
  dir.write("d/b", "");
  dir.write("d/a/x", "");
  link(dir, "d/c", "nowhere");
  const auto root = Root::open(dir.path()).value();
  EXPECT_EQ(
      list_folder(root, "/d"),
      (std::vector<FolderEntry>{{"a", false, true}, {"b", false, false}, {"c", true, false}}));
  const auto wanted = [](std::string_view name) { return name != "b"; };
  EXPECT_EQ(list_folder(root, "/d", wanted).size(), 2u);
  EXPECT_TRUE(list_folder(root, "/none").empty());
  EXPECT_TRUE(list_folder(root, "/d/b").empty());
}

TEST(Folder, PathsEndInsideTheRoot) {
  const TempDir outside, dir;
  outside.write("secret", "");
  dir.write("usr/lib/libx.so.1.2", "");
  link(dir, "lib", "usr/lib");
  link(dir, "usr/lib/libx.so.1", "libx.so.1.2");
  link(dir, "etc/alternatives/libx", "/lib/libx.so.1");
  link(dir, "out", outside.path() + "/secret");
  link(dir, "up", "../../../../../../../../usr/lib/libx.so.1.2");
  link(dir, "loop", "loop");
  const auto root = Root::open(dir.path()).value();
  const RealPaths real(root);
  EXPECT_EQ(real.of("/lib/libx.so.1"), "/usr/lib/libx.so.1.2");
  EXPECT_EQ(real.of("/etc/alternatives/libx"), "/usr/lib/libx.so.1.2");
  EXPECT_EQ(real.of("/up"), "/usr/lib/libx.so.1.2");
  EXPECT_EQ(real.of("/lib"), "/usr/lib");
  EXPECT_EQ(real.of("/out"), std::nullopt);
  EXPECT_EQ(real.of("/loop"), std::nullopt);
  EXPECT_EQ(real.of("/none"), std::nullopt);
  EXPECT_TRUE(exists(root, "/lib/libx.so.1"));
  EXPECT_FALSE(exists(root, "/out"));
}

TEST(Folder, OfTheRealRoot) {
  const auto root = Root::open("/").value();
  EXPECT_EQ(RealPaths(root).of("/proc/self"), "/proc/" + std::to_string(::getpid()));
}

TEST(Folder, PartsOfAPath) {
  EXPECT_EQ(folder_of("/a/b"), "/a");
  EXPECT_EQ(folder_of("/b"), "/");
  EXPECT_EQ(name_of("/a/b"), "b");
  EXPECT_EQ(name_of("b"), "b");
}

}  // namespace
}  // namespace estiva::host
