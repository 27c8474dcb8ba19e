#include "host/machine.h"

#include <gtest/gtest.h>

#include "host/disks.h"
#include "unit/host/temp_dir.h"

namespace estiva::host {
namespace {

Root machine(const std::string& name) {
  return Root::open(ESTIVA_SOURCE_DIR "/tests/machines/" + name).value();
}

TEST(NodeId, IsStableAUuidAndNeverTheMachineId) {
  const auto id = read_node_id(machine("debian12-v2"));
  EXPECT_EQ(id, read_node_id(machine("debian12-v2")));
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '5');  // version 5: a hash
  EXPECT_NE(id, read_node_id(machine("hybrid-v1")));
  std::string plain = id;
  std::erase(plain, '-');
  EXPECT_NE(plain, "0123456789abcdef0123456789abcdef");
}

// Independent referee: python3 -c "import uuid;
// print(uuid.uuid5(uuid.UUID('5b3c7a0e-9d52-4f1b-8a44-1e6f2c97d0b3'),
// '0123456789abcdef0123456789abcdef'))"
TEST(NodeId, IsWhatAnyUuidVersion5Says) {
  EXPECT_EQ(read_node_id(machine("debian12-v2")), "bfae9560-ad68-568f-8b44-77027fbb7a18");
  EXPECT_EQ(read_node_id(machine("wsl2")),
            "97a30bf0-9f63-5f3f-9095-091a8e59cbaa");  // of "host:DESKTOP-WSL"
}

TEST(DockerRoot, TheSettingThenDaemonJsonThenTheDefault) {
  EXPECT_EQ(docker_root(machine("debian12-v2"), "/mine"), "/mine");
  EXPECT_EQ(docker_root(machine("debian12-v2"), ""), "/srv/docker");
  EXPECT_EQ(docker_root(machine("wsl2"), ""), "/var/lib/docker");
}

TEST(DockerRoot, ABrokenDaemonJsonIsAsGoodAsNone) {
  const test::TempDir dir;
  const auto root = Root::open(dir.path()).value();
  for (const auto text : {"", "{", "[]", "{\"data-root\":1}", "{\"data-root\":\"relative\"}"}) {
    dir.write("etc/docker/daemon.json", text);
    EXPECT_EQ(docker_root(root, ""), "/var/lib/docker") << text;
  }
}

TEST(BootId, MissingEverywhereIsASentence) {
  const test::TempDir dir;
  const auto id = read_boot_id(Root::open(dir.path()).value());
  ASSERT_FALSE(id);
  EXPECT_NE(id.error().sentence().find("/proc/stat"), std::string::npos);
}

TEST(Cgroups, ATreeWithOnlyV1) {
  const test::TempDir dir;
  dir.write("proc/self/mountinfo",
            "35 1 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  const auto root = Root::open(dir.path()).value();
  EXPECT_EQ(detect_cgroup_layout(root), "v1");
  EXPECT_EQ(memory_cgroup_mount(root), "/sys/fs/cgroup/memory");
}

TEST(Disks, NamedFoldersThatAreAbsentAreTroubleAndDockersIsNot) {
  const test::TempDir dir;
  dir.write("models/x", "");
  std::vector<std::string> trouble;
  const auto disks =
      read_disks(Root::open(dir.path()).value(), "/var/lib/docker", {"/models", "/none"}, &trouble);
  ASSERT_EQ(disks.size(), 2u);
  EXPECT_EQ(disks[0].role, "root");
  EXPECT_EQ(disks[1].role, "models");
  ASSERT_EQ(trouble.size(), 1u);
  EXPECT_NE(trouble[0].find("/none"), std::string::npos);
}

// The mount of Docker's folder may hang: it is not even opened. The folder of this tree exists, so
// it would be there if it had been.
TEST(Disks, ANetworkMountIsOnlyTouchedWhereTheUserNamedIt) {
  const test::TempDir dir;
  dir.write("mnt/nas/docker/x", "");
  dir.write("proc/self/mountinfo",
            "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 / /mnt/nas rw - nfs4 nas:/e rw\n");
  const auto root = Root::open(dir.path()).value();
  EXPECT_EQ(read_disks(root, "/mnt/nas/docker", {}).size(), 1u);
  const auto named = read_disks(root, "", {"/mnt/nas/docker"});
  ASSERT_EQ(named.size(), 2u);
  EXPECT_EQ(named[1].filesystem, "nfs4");
}

}  // namespace
}  // namespace estiva::host
