// Whose process is it? With real processes.
#include "daemon/owners.h"

#include <gtest/gtest.h>

#include "host/machine.h"
#include "host/process.h"
#include "support.h"

namespace estiva::daemon {
namespace {

class OwnersTest : public testing::Test {
 protected:
  Lease lease_of(const std::string& id, pid_t pid) {
    Lease lease;
    lease.id = id;
    lease.model = id;
    lease.holder = *host::identify(root_, pid, boot_id_);
    return lease;
  }
  static std::string owner_of(const std::vector<decide::ProcessOwner>& owners, pid_t pid) {
    for (const auto& owner : owners) {
      if (owner.pid == pid) return owner.lease;
    }
    return "not shown";
  }

  host::Root root_ = *host::Root::open("/");
  std::string boot_id_ = *host::read_boot_id(root_);
};

TEST_F(OwnersTest, HolderAndItsChildrenBelongToTheLeaseAndOthersDoNot) {
  Child child;
  Child stranger;
  const Lease ours = lease_of("l-1", ::getpid());
  const std::vector<Gpu> gpus = {
      gpu_with(0, gib(8), gib(1),
               {process_of(::getpid(), mib(1)), process_of(child.pid(), mib(1))}),
      gpu_with(1, gib(8), gib(1), {process_of(child.pid(), mib(1)), process_of(1, mib(1))})};
  Owners owners(root_);
  const auto found = owners.find(gpus, std::vector<Lease>{ours});
  EXPECT_EQ(found.size(), 3u) << "a process on two GPUs has one entry";
  EXPECT_EQ(owner_of(found, ::getpid()), "l-1");
  EXPECT_EQ(owner_of(found, child.pid()), "l-1");
  EXPECT_EQ(owner_of(found, 1), "");
}

// If the newer one got it, the older one would pass for gone while its model is still there, and
// the newer one's promise for kept: both figures too small.
TEST_F(OwnersTest, OfTwoLeasesWithOneHolderTheOlderHasTheProcess) {
  Child child;
  const std::vector<Gpu> gpus = {gpu_with(0, gib(8), gib(1), {process_of(child.pid(), mib(1))})};
  const std::vector<Lease> both = {lease_of("l-1", child.pid()), lease_of("l-2", child.pid())};
  Owners owners(root_);
  EXPECT_EQ(owner_of(owners.find(gpus, both), child.pid()), "l-1");
  EXPECT_EQ(owner_of(Owners(root_).find(gpus, both), child.pid()), "l-1") << "after a restart too";
  EXPECT_EQ(owner_of(Owners(root_).find(gpus, std::span(both).subspan(1)), child.pid()), "l-2");
}

TEST_F(OwnersTest, ADeadProcessHasNoEntry) {
  Child child;
  const pid_t pid = child.pid();
  child.end();
  Owners owners(root_);
  const auto found =
      owners.find({gpu_with(0, gib(8), gib(1), {process_of(pid, mib(1))})}, std::vector<Lease>{});
  EXPECT_EQ(owner_of(found, pid), "not shown");
}

TEST_F(OwnersTest, AReusedPidIsNotTheHolder) {
  Child child;
  Lease lease = lease_of("l-1", child.pid());
  lease.holder->start_ticks -= 1;  // the holder of that number was another process
  Owners owners(root_);
  const auto found = owners.find({gpu_with(0, gib(8), gib(1), {process_of(child.pid(), mib(1))})},
                                 std::vector<Lease>{lease});
  EXPECT_EQ(owner_of(found, child.pid()), "");
}

TEST_F(OwnersTest, AnOrphanStaysItsLeasesAfterItsParentEnded) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      while (true) ::pause();
    }
    [[maybe_unused]] const auto written = ::write(pipes[1], &grandchild, sizeof grandchild);
    while (true) ::pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(pipes[0], &grandchild, sizeof grandchild),
            static_cast<ssize_t>(sizeof grandchild));
  const Lease lease = lease_of("l-1", parent);
  const std::vector<Gpu> gpus = {gpu_with(0, gib(8), gib(1), {process_of(grandchild, mib(1))})};
  Owners owners(root_);
  EXPECT_EQ(owner_of(owners.find(gpus, std::vector<Lease>{lease}), grandchild), "l-1");
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_EQ(owner_of(owners.find(gpus, std::vector<Lease>{lease}), grandchild), "l-1");
  ::kill(grandchild, SIGKILL);
  ::close(pipes[0]);
  ::close(pipes[1]);
}

}  // namespace
}  // namespace estiva::daemon
