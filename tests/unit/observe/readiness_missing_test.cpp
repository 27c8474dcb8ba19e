// What an unprivileged user may not read is missing with that reason, and everything else is there.
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/readiness/collect.h"
#include "unit/observe/machine_tree.h"

namespace estiva::observe {
namespace {

constexpr uid_t kNobody = 65534;

// Runs the checks as a user without rights; what fails there is printed by that process.
void as_nobody(const std::function<void()>& checks) {
  if (::geteuid() != 0) return checks();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0) {
      ::_exit(9);
    }
    checks();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

class WithoutRights : public testing::Test {
 protected:
  WithoutRights() { ::chmod(tree_.path().c_str(), 0755); }
  void forbid(const std::string& name) { ::chmod((tree_.path() + "/" + name).c_str(), 0); }
  ReadinessFacts collect() {
    return collect_readiness(ReadinessSources::of_this_process(tree_.path())).value();
  }
  test::MachineTree tree_{"debian-gpu"};
};

TEST_F(WithoutRights, FilesThatMayNotBeReadSaySo) {
  for (const char* name :
       {"kmsg", "proc/sys/vm/overcommit_memory", "etc/docker/daemon.json",
        "etc/nvidia-container-runtime/config.toml", "srv/ai/compose.yaml", "run/cdi/nvidia.yaml",
        "usr/lib/modules/6.12.48+deb13-amd64/modules.dep", "var/lib/dpkg/status",
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"}) {
    forbid(name);
  }
  as_nobody([this] {
    const auto facts = collect();
    EXPECT_EQ(facts.kernel.log.why(), Missing::not_permitted);
    EXPECT_EQ(facts.kernel.slept_since_module.why(), Missing::not_permitted);
    EXPECT_EQ(facts.kernel.overcommit_memory.why(), Missing::not_permitted);
    EXPECT_EQ(facts.kernel.secure_boot.why(), Missing::not_permitted);
    ASSERT_EQ(facts.kernel.kernels.size(), 1u);
    EXPECT_EQ(facts.kernel.kernels[0].nvidia_version.why(), Missing::not_permitted);
    EXPECT_EQ(facts.engine.daemon_json.text.why(), Missing::not_permitted);
    EXPECT_TRUE(facts.engine.daemon_json.exists());
    EXPECT_EQ(facts.toolkit.config.text.why(), Missing::not_permitted);
    ASSERT_EQ(facts.compose.size(), 1u);
    EXPECT_EQ(facts.compose[0].text.why(), Missing::not_permitted);
    ASSERT_EQ(facts.cdi.files.size(), 1u);
    EXPECT_NE(facts.cdi.files[0].error.find("not_permitted"), std::string::npos);
    ASSERT_EQ(facts.not_seen.size(), 1u);
    EXPECT_NE(facts.not_seen[0].find("/var/lib/dpkg/status"), std::string::npos);
    EXPECT_EQ(facts.containers.size(), 2u) << "what may be read is there";
    EXPECT_EQ(facts.kernel.pci.size(), 1u);
  });
}

TEST_F(WithoutRights, AnotherUsersProcessHidesItsEnvironmentOnly) {
  forbid("proc/812/environ");
  as_nobody([this] {
    const auto facts = collect();
    EXPECT_EQ(facts.engine.search_path, "");
    EXPECT_EQ(facts.engine.arguments.size(), 3u);
    EXPECT_EQ(facts.toolkit.programs.count("nvidia-ctk"), 1u) << "the services' usual path";
  });
}

TEST_F(WithoutRights, AFolderThatMayNotBeListed) {
  forbid("etc/modprobe.d");
  forbid("usr/lib/modules");
  as_nobody([this] {
    const auto facts = collect();
    EXPECT_EQ(facts.kernel.modprobe_lines.size(), 1u) << "the one of /usr/lib";
    ASSERT_EQ(facts.kernel.kernels.size(), 1u) << "the one that runs";
    EXPECT_EQ(facts.kernel.kernels[0].nvidia_version.why(), Missing::not_permitted);
    EXPECT_FALSE(facts.kernel.kernels[0].has_nvidia);
  });
}

}  // namespace
}  // namespace estiva::observe
