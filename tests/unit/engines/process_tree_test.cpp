// Trees of real processes without a control group: by session, by descent, by mark.
#include "engines/process_tree.h"

#include <algorithm>
#include <sys/wait.h>

#include "engine_fixture.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

struct ProcessTreeTest : EngineTest {
  ProcessTree tree;

  // Python code that runs as the leader; DIR is the test's folder.
  void start(const std::string& code, const std::string& mark = "00ff00ff") {
    pid_t pid = 0;
    host::Spawn what;
    what.words = {"python3", "-B", "-c",
                  "import os, sys, time, subprocess\nos.chdir(sys.argv[1])\n"
                  "def note(name, pid):\n"
                  "    open(name + '.new', 'w').write(str(pid)); os.rename(name + '.new', name)\n" +
                      code + "\ntime.sleep(1000)\n",
                  dir.path()};
    what.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "ESTIVA_ENGINE_ID=" + mark};
    what.handed = {{-1, 0}, {-1, 1}, {2, 2}};
    what.own_session = true;
    ASSERT_EQ(host::spawn(what, pid), 0);
    tree = {host::identify(root, pid, boot_id).value(), mark, std::nullopt};
  }
  void TearDown() override {
    EXPECT_TRUE(until([&] {
      kill_tree(root, tree, boot_id);
      return members_of(root, tree, boot_id).empty();
    }));
    if (tree.leader.pid > 0) ::waitpid(tree.leader.pid, nullptr, WNOHANG);
  }
  bool has(pid_t pid) {
    const auto all = members_of(root, tree, boot_id);
    return std::any_of(all.begin(), all.end(), [&](const Member& one) { return one.pid == pid; });
  }
};

constexpr const char* kChild =
    "p = subprocess.Popen(['sleep', '1000'], start_new_session=True); note('child', p.pid)";
// Its parent is gone and its session is its own: only the mark is left.
constexpr const char* kOrphan =
    "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    "        note('orphan', os.getpid()); time.sleep(1000)\n    os._exit(0)\nos.wait()";
// It has no mark, only its parent.
constexpr const char* kBare =
    "p = subprocess.Popen(['sleep', '1000'], start_new_session=True, env={'PATH': "
    "os.environ['PATH']})"
    "; note('bare', p.pid)";
// It has neither mark nor parent, only the session.
constexpr const char* kSession =
    "if os.fork() == 0:\n    if os.fork() == 0:\n        note('session', os.getpid())\n"
    "        os.execve('/bin/sleep', ['sleep', '1000'], {})\n    os._exit(0)\nos.wait()";

TEST_F(ProcessTreeTest, children_are_found_wherever_they_went) {
  start(std::string(kChild) + "\n" + kOrphan + "\n" + kBare + "\n" + kSession);
  for (const char* name : {"child", "orphan", "bare", "session"}) {
    const pid_t pid = pid_in(name);
    EXPECT_TRUE(has(pid)) << name;
  }
  EXPECT_TRUE(has(tree.leader.pid));
  EXPECT_EQ(members_of(root, tree, boot_id).size(), 5u);
  EXPECT_FALSE(has(::getpid()));
}

TEST_F(ProcessTreeTest, what_outlives_its_leader_is_found_by_its_mark) {
  start(kOrphan);
  const pid_t orphan = pid_in("orphan");
  ::kill(tree.leader.pid, SIGKILL);
  ::waitpid(tree.leader.pid, nullptr, 0);
  EXPECT_TRUE(has(orphan));
  kill_tree(root, tree, boot_id);
  EXPECT_TRUE(until([&] { return !is_alive(orphan); }));
}

TEST_F(ProcessTreeTest, a_zombie_leader_still_vouches_for_its_session) {
  start(kSession);
  const pid_t member = pid_in("session");
  ::kill(tree.leader.pid, SIGKILL);
  ASSERT_TRUE(until([&] { return is_zombie(tree.leader.pid); }));
  EXPECT_TRUE(has(member));
  EXPECT_FALSE(has(tree.leader.pid));
}

TEST_F(ProcessTreeTest, another_process_of_the_same_number_is_left_alone) {
  start("note('ready', 1)");
  pid_in("ready");
  ProcessTree reused = tree;
  reused.leader.start_ticks -= 1;  // the number was given anew since
  reused.mark = "11ee11ee";
  EXPECT_TRUE(members_of(root, reused, boot_id).empty());
  kill_tree(root, reused, boot_id);
  signal_members(root, {{tree.leader.pid, tree.leader.start_ticks - 1}}, SIGKILL);
  EXPECT_TRUE(is_alive(tree.leader.pid));
  EXPECT_TRUE(members_of(root, tree, "another boot").empty());
  kill_tree(root, tree, "another boot");
  EXPECT_TRUE(is_alive(tree.leader.pid));
}

TEST_F(ProcessTreeTest, a_mark_that_only_begins_alike_is_another) {
  start("note('ready', 1)", "00ff00ff00");
  pid_in("ready");
  ProcessTree other = tree;
  other.leader.pid = tree.leader.pid + 1'000'000;
  other.mark = "00ff00ff";
  EXPECT_TRUE(members_of(root, other, boot_id).empty());
  other.mark = tree.mark;
  EXPECT_EQ(members_of(root, other, boot_id).size(), 1u);
}

}  // namespace
}  // namespace estiva::engines
