// Modules, kernel settings and device nodes.
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

class DeviceSteps : public ActTest {};

TEST_F(DeviceSteps, AModuleGoesWithWhatCameAlong) {
  commands_.companions["nvidia-uvm"] = "nvidia";
  const auto before = now();
  Step load = step_of(StepKind::load_module, "nvidia-uvm");
  load.expects = "absent";
  const auto run = applied(plan_of({load}));
  EXPECT_EQ(content("/proc/modules"),
            "nvidia_uvm 16384 0 - Live 0x0\nnvidia 16384 0 - Live 0x0\next4 16384 0 - Live 0x0\n");
  EXPECT_EQ(status_of(machine_, journal_, run)->steps[0].state, StepState::stands);
  commands_.calls.clear();
  expect_undone(run, before);
  EXPECT_EQ(commands_.calls, (std::vector<std::string>{"rmmod nvidia-uvm", "rmmod nvidia"}));
}

TEST_F(DeviceSteps, LoadAndUnloadAreUndone) {
  commands_.companions["tun"] = "tap";
  const auto before = now();
  Step unload = step_of(StepKind::unload_module, "ext4");
  unload.expects = "loaded";
  const auto run = applied(plan_of({step_of(StepKind::load_module, "tun"), unload}));
  EXPECT_EQ(content("/proc/modules"), "tun 16384 0 - Live 0x0\ntap 16384 0 - Live 0x0\n");
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(content("/proc/modules"), "ext4 16384 0 - Live 0x0\n");
}

TEST_F(DeviceSteps, AModuleInUseStaysAndIsNamed) {
  const auto run = applied(plan_of({step_of(StepKind::load_module, "tun")}));
  commands_.failing.insert("rmmod tun");
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[0].state, StepState::kept);
  EXPECT_EQ(
      report->steps[0].text,
      "the module tun stays loaded: 'rmmod tun' failed with exit code 1: it does not want to");
  EXPECT_EQ(phase_of(run), RunPhase::undone);
}

TEST_F(DeviceSteps, OddNamesOfModulesAreRefused) {
  for (const char* name : {"", "-r", "a b", "a;b", "../x", "a.ko"}) {
    EXPECT_FALSE(do_it(plan_of({step_of(StepKind::load_module, name)}))) << name;
  }
  EXPECT_TRUE(commands_.calls.empty());
}

TEST_F(DeviceSteps, ASettingIsSetAndSetBack) {
  put("/proc/sys/vm/overcommit_memory", "0\n");
  put("/proc/sys/net/ipv4/conf/eth0.1/rp_filter", "2\n");
  put("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
  Step first = step_of(StepKind::set_sysctl, "vm.overcommit_memory", "1");
  first.expects = "0";
  const auto run =
      applied(plan_of({first, step_of(StepKind::set_sysctl, "net/ipv4/conf/eth0.1/rp_filter", "1"),
                       step_of(StepKind::set_sysctl, "net.ipv4.tcp_rmem", "1 2 3")}));
  EXPECT_EQ(content("/proc/sys/vm/overcommit_memory"), "1\n");
  EXPECT_EQ(content("/proc/sys/net/ipv4/conf/eth0.1/rp_filter"), "1\n");
  EXPECT_EQ(content("/proc/sys/net/ipv4/tcp_rmem"), "1 2 3\n");
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(content("/proc/sys/vm/overcommit_memory"), "0\n");
  EXPECT_EQ(content("/proc/sys/net/ipv4/conf/eth0.1/rp_filter"), "2\n");
  EXPECT_EQ(content("/proc/sys/net/ipv4/tcp_rmem"), "4096 131072 6291456\n");
}

TEST_F(DeviceSteps, ASettingThatChangedSinceIsDrift) {
  put("/proc/sys/vm/swappiness", "60\n");
  const auto run = applied(plan_of({step_of(StepKind::set_sysctl, "vm.swappiness", "10")}));
  put("/proc/sys/vm/swappiness", "33\n");
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(
      report.error().what,
      "/proc/sys/vm/swappiness was changed since: the run left it as '10', and now it is '33'");
}

TEST_F(DeviceSteps, OddSettingsAreRefused) {
  for (const char* name :
       {"", "/vm/x", "vm.", "vm..x", "../../etc/passwd", "vm/../../x", "none.such"}) {
    const auto report = do_it(plan_of({step_of(StepKind::set_sysctl, name, "1")}));
    ASSERT_FALSE(report) << name;
    EXPECT_EQ(report.error().kind, ErrorKind::refused) << name;
  }
}

TEST_F(DeviceSteps, ANodeIsMadeAndGoes) {
  if (const auto why = needs_root("only root can make device nodes"); !why.empty()) {
    GTEST_SKIP() << why;
  }
  const auto before = now();
  Step null = step_of(StepKind::make_node, "/dev/nvidia-uvm", "c 1 3");
  null.mode = 0666, null.expects = "absent";
  const auto run = applied(plan_of({null, step_of(StepKind::make_node, "/dev/x/loop", "b 7 300")}));
  struct stat info {};
  ASSERT_EQ(::stat(at("/dev/nvidia-uvm").c_str(), &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
  EXPECT_EQ(info.st_mode & 07777, 0666u);
  EXPECT_EQ(info.st_rdev, makedev(1, 3));
  ASSERT_EQ(::stat(at("/dev/x/loop").c_str(), &info), 0);
  EXPECT_TRUE(S_ISBLK(info.st_mode));
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(info.st_rdev, makedev(7, 300));
  expect_undone(run, before);
}

TEST_F(DeviceSteps, AWrongNodeIsReplacedAndComesBack) {
  if (const auto why = needs_root("only root can make device nodes"); !why.empty()) {
    GTEST_SKIP() << why;
  }
  fs::create_directories(at("/dev"));
  ASSERT_EQ(::mknod(at("/dev/a").c_str(), S_IFCHR | 0620, makedev(1, 3)), 0);
  ASSERT_EQ(::chown(at("/dev/a").c_str(), 7, 44), 0);
  const auto before = now();
  Step right = step_of(StepKind::make_node, "/dev/a", "c 1 5");
  right.expects = "c 1 3";
  const auto run = applied(plan_of({right}));
  struct stat info {};
  ASSERT_EQ(::stat(at("/dev/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_rdev, makedev(1, 5));
  EXPECT_EQ(info.st_uid, 7u);
  EXPECT_EQ(info.st_gid, 44u) << "whoever could open it still can";
  expect_undone(run, before);
}

TEST_F(DeviceSteps, OddNodesAreRefused) {
  for (const char* text :
       {"", "c", "c 1", "x 1 3", "c 1 3 4", "c -1 3", "c 4096 0", "c 0 1048576"}) {
    EXPECT_FALSE(do_it(plan_of({step_of(StepKind::make_node, "/dev/a", text)}))) << text;
  }
  EXPECT_FALSE(fs::exists(at("/dev")));
}

}  // namespace
}  // namespace estiva::act::test
