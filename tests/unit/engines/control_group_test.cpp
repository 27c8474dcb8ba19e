#include "engines/control_group.h"

#include <filesystem>
#include <sys/wait.h>

#include "engine_fixture.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

struct ControlGroupTest : EngineTest {
  std::optional<ControlGroup> group;
  std::vector<pid_t> children;

  void SetUp() override {
    group = make_control_group(root, fmt::format("test-{}", ::getpid()));
    if (!group) GTEST_SKIP() << "no control group may be made here";
  }
  void TearDown() override {
    for (const pid_t pid : children) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    if (group) remove_control_group(*group);
  }
  pid_t sleeper() {
    pid_t pid = 0;
    EXPECT_EQ(host::spawn({{"sleep", "1000"}, {}, {{-1, 0}, {-1, 1}, {-1, 2}}}, pid), 0);
    children.push_back(pid);
    return pid;
  }
};

TEST_F(ControlGroupTest, knows_and_kills_its_members_also_of_groups_below) {
  const pid_t one = sleeper(), two = sleeper(), stranger = sleeper();
  ASSERT_TRUE(put_into(*group, one));
  std::filesystem::create_directory(group->folder + "/below");
  struct stat info {};
  ASSERT_EQ(::stat((group->folder + "/below").c_str(), &info), 0);
  ASSERT_TRUE(put_into({group->folder + "/below", info.st_ino}, two));
  EXPECT_EQ(members_of(*group), (std::vector<pid_t>{one, two}));
  ASSERT_TRUE(kill_members(*group));
  EXPECT_TRUE(until([&] { return is_zombie(one) && is_zombie(two); }));
  EXPECT_TRUE(is_alive(stranger));
  for (const pid_t pid : {one, two}) ::waitpid(pid, nullptr, 0);
  children = {stranger};
  EXPECT_TRUE(until([&] { return remove_control_group(*group); }));
  EXPECT_FALSE(std::filesystem::exists(group->folder));
}

TEST_F(ControlGroupTest, a_later_group_of_the_same_name_is_not_touched) {
  const ControlGroup old{group->folder, group->inode + 1};
  const pid_t pid = sleeper();
  ASSERT_TRUE(put_into(*group, pid));
  EXPECT_EQ(members_of(old), std::nullopt);
  EXPECT_FALSE(kill_members(old));
  EXPECT_FALSE(put_into(old, pid));
  EXPECT_TRUE(remove_control_group(old));
  EXPECT_TRUE(is_alive(pid));
  EXPECT_TRUE(std::filesystem::exists(group->folder));
}

TEST_F(ControlGroupTest, empty_ones_of_an_earlier_daemon_go_when_one_is_made) {
  const auto full = make_control_group(root, fmt::format("test-{}-full", ::getpid()));
  ASSERT_TRUE(full);
  ASSERT_TRUE(put_into(*full, sleeper()));
  const auto next = make_control_group(root, fmt::format("test-{}-next", ::getpid()));
  ASSERT_TRUE(next);
  EXPECT_FALSE(std::filesystem::exists(group->folder));
  EXPECT_FALSE(remove_control_group(*full));
  EXPECT_TRUE(remove_control_group(*next));
  ASSERT_TRUE(kill_members(*full));
  EXPECT_TRUE(until([&] { return remove_control_group(*full); }));
}

TEST_F(ControlGroupTest, another_tree_than_this_machines_has_none) {
  const auto other = host::Root::open(dir.path()).value();
  EXPECT_FALSE(make_control_group(other, "x"));
}

}  // namespace
}  // namespace estiva::engines
