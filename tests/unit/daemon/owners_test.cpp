// Whose process is it? With real processes.
#include "daemon/owners.h"

#include <chrono>
#include <fstream>
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
  static std::vector<decide::ProcessOwner> find(Owners& owners, const std::vector<Gpu>& gpus,
                                                const std::vector<Lease>& leases) {
    return owners.find(gpus, leases, Owners::Look::every_one, SteadyTime{});
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
  const auto found = find(owners, gpus, {ours});
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
  EXPECT_EQ(owner_of(find(owners, gpus, both), child.pid()), "l-1");
  Owners fresh(root_);
  EXPECT_EQ(owner_of(find(fresh, gpus, both), child.pid()), "l-1") << "after a restart too";
  Owners fresher(root_);
  EXPECT_EQ(owner_of(find(fresher, gpus, {both[1]}), child.pid()), "l-2");
}

TEST_F(OwnersTest, ADeadProcessHasNoEntry) {
  Child child;
  const pid_t pid = child.pid();
  child.end();
  Owners owners(root_);
  const auto found = find(owners, {gpu_with(0, gib(8), gib(1), {process_of(pid, mib(1))})}, {});
  EXPECT_EQ(owner_of(found, pid), "not shown");
}

TEST_F(OwnersTest, AReusedPidIsNotTheHolder) {
  Child child;
  Lease lease = lease_of("l-1", child.pid());
  lease.holder->start_ticks -= 1;  // the holder of that number was another process
  Owners owners(root_);
  const auto found =
      find(owners, {gpu_with(0, gib(8), gib(1), {process_of(child.pid(), mib(1))})}, {lease});
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
  EXPECT_EQ(owner_of(find(owners, gpus, {lease}), grandchild), "l-1");
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_EQ(owner_of(find(owners, gpus, {lease}), grandchild), "l-1");
  ::kill(grandchild, SIGKILL);
  ::close(pipes[0]);
  ::close(pipes[1]);
}

// What is shown each second believes a number for a few seconds; what a grant is decided on never.
class OwnersLookTest : public OwnersTest {
 protected:
  static constexpr pid_t kHolder = 700, kModel = 701, kStranger = 702;

  void SetUp() override {
    write(kHolder, 1, 1000);
    write(kModel, kHolder, 1100);
    write(kStranger, 1, 1200);
    lease_.id = lease_.model = "l-1";
    lease_.holder = Holder{.pid = kHolder, .start_ticks = 1000, .boot_id = {}};
  }
  void write(pid_t pid, pid_t parent, int start_ticks) {
    const auto folder = std::filesystem::path(folder_.path()) / "proc" / std::to_string(pid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "stat")
        << pid << " (model) S " << parent << " 1 1 0 -1 0 0 0 0 0 5 5 0 0 20 0 1 0 " << start_ticks
        << " 4096 10\n";
  }
  std::string shown(pid_t pid, std::chrono::milliseconds at,
                    Owners::Look look = Owners::Look::new_ones) {
    std::vector<GpuProcess> listed;
    for (const pid_t one : listed_) listed.push_back(process_of(one, mib(1)));
    const std::vector<Gpu> gpus = {gpu_with(0, gib(8), gib(1), listed)};
    return owner_of(owners_.find(gpus, leases_, look, SteadyTime{} + at), pid);
  }

  TemporaryFolder folder_;
  host::Root machine_ = *host::Root::open(folder_.path());
  Owners owners_{machine_};
  Lease lease_;
  std::vector<Lease> leases_;
  std::vector<pid_t> listed_{kModel, kStranger};
};

TEST_F(OwnersLookTest, AReusedNumberIsFoundOutAtOnceForAGrantAndInSecondsForTheView) {
  using namespace std::chrono_literals;
  leases_ = {lease_};
  ASSERT_EQ(shown(kModel, 0ms), "l-1");
  write(kModel, 1, 5000);  // another process has the number now
  EXPECT_EQ(shown(kModel, 9999ms), "l-1") << "this much is believed, or there'd be nothing saved";
  EXPECT_EQ(shown(kModel, 10000ms), "");
  write(kModel, kHolder, 6000);
  EXPECT_EQ(shown(kModel, 10100ms), "");
  EXPECT_EQ(shown(kModel, 10200ms, Owners::Look::every_one), "l-1");
  write(kModel, 1, 7000);
  EXPECT_EQ(shown(kModel, 10300ms, Owners::Look::every_one), "");
}

TEST_F(OwnersLookTest, ALookAtAllForAGrantCountsForTheViewToo) {
  using namespace std::chrono_literals;
  leases_ = {lease_};
  ASSERT_EQ(shown(kModel, 0ms), "l-1");
  ASSERT_EQ(shown(kModel, 3000ms, Owners::Look::every_one), "l-1");
  write(kModel, 1, 5000);
  EXPECT_EQ(shown(kModel, 12999ms), "l-1");
  EXPECT_EQ(shown(kModel, 13000ms), "");
}

TEST_F(OwnersLookTest, ANewProcessANewLeaseAndAReleasedOneAreSeenAtOnce) {
  using namespace std::chrono_literals;
  listed_ = {kStranger};
  EXPECT_EQ(shown(kStranger, 0ms), "");
  listed_ = {kStranger, kModel};
  EXPECT_EQ(shown(kModel, 100ms), "") << "no lease yet";
  leases_ = {lease_};
  EXPECT_EQ(shown(kModel, 200ms), "l-1") << "a lease for a process that was a stranger";
  Lease taken = lease_;
  taken.id = taken.model = "l-2";
  taken.holder = Holder{.pid = kStranger, .start_ticks = 1200, .boot_id = {}};
  leases_.push_back(taken);
  EXPECT_EQ(shown(kStranger, 300ms), "l-2");
  EXPECT_EQ(shown(kModel, 300ms), "l-1");
}

TEST_F(OwnersLookTest, AProcessThatLeftTheGpuAndCameBackIsLookedAtAgain) {
  using namespace std::chrono_literals;
  leases_ = {lease_};
  ASSERT_EQ(shown(kModel, 0ms), "l-1");
  listed_ = {kStranger};
  ASSERT_EQ(shown(kModel, 100ms), "not shown");
  write(kModel, 1, 5000);
  listed_ = {kStranger, kModel};
  EXPECT_EQ(shown(kModel, 200ms), "");
}

}  // namespace
}  // namespace estiva::daemon
