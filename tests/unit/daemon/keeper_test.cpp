// Granting and releasing with a real store, real processes and readings made here.
#include "daemon/keeper.h"

#include <gtest/gtest.h>

#include "host/machine.h"
#include "host/process.h"
#include "support.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() { open(); }
  ~KeeperTest() override {
    keeper_.reset();
    store_.reset();
    loop_.reset();
  }

  // A daemon that starts: on what the last one left.
  void open() {
    keeper_.reset();
    store_.reset();
    loop_ = std::make_unique<net::Loop>();
    store::Options options;
    options.executor = [this](std::function<void()> work) { loop_->post(std::move(work)); };
    options.boot_id = boot_id_;
    auto opened = store::Store::open(folder_.path(), std::move(options));
    ASSERT_TRUE(opened) << opened.error().sentence();
    store_ = std::move(*opened);
    keeper_ = std::make_unique<Keeper>(Keeper::Parts{*loop_,
                                                     *store_,
                                                     root_,
                                                     boot_id_,
                                                     [this] { return read(); },
                                                     [this] { return view_now(); },
                                                     [] {},
                                                     {},
                                                     decide::Choice::by_gpu_count});
    keeper_->restore();
  }

  gpu::SensorViewPtr view_now() {
    auto view = std::make_shared<gpu::SensorView>();
    view->driver.state = driver_;
    view->driver.reason = driver_ == DriverState::ready ? "" : "the driver does not answer";
    view->gpus = gpus_;
    view->read_at = steady_now();
    view->tiers = gpu::kGrantTiers;
    return view;
  }

  net::Awaitable<Result<gpu::SensorViewPtr>> read() {
    ++readings_;
    const SteadyTime begun = steady_now();
    co_await loop_->sleep(reading_time_);
    if (driver_ != DriverState::ready) co_return fail(ErrorKind::refused, "no reading");
    auto view = std::make_shared<gpu::SensorView>(*view_now());
    view->read_at = begun;
    co_return gpu::SensorViewPtr(view);
  }

  decide::AssignRequest request(const std::string& model, Bytes bytes) {
    decide::AssignRequest wanted;
    wanted.model = model;
    wanted.shares = decide::on_any_gpus(1, bytes);
    wanted.requested_at = steady_now();
    return wanted;
  }

  void spawn_assign(decide::AssignRequest wanted) {
    loop_->spawn([](KeeperTest* test, decide::AssignRequest asked) -> net::Awaitable<void> {
      test->answers_.push_back(co_await test->keeper_->assign(std::move(asked)));
    }(this, std::move(wanted)));
  }

  // Runs the loop until `done` or five seconds.
  bool run_until(const std::function<bool()>& done) {
    for (int i = 0; i < 500 && !done(); ++i) loop_->run_for(10ms);
    return done();
  }

  Result<api::AssignAnswer> assign(decide::AssignRequest wanted) {
    answers_.clear();
    spawn_assign(std::move(wanted));
    EXPECT_TRUE(run_until([this] { return answers_.size() == 1; })) << "no answer";
    return answers_.empty() ? fail("no answer") : answers_[0];
  }

  Result<Lease> release(const std::string& model) {
    std::optional<Result<Lease>> released;
    loop_->spawn([](KeeperTest* test, std::string name,
                    std::optional<Result<Lease>>& out) -> net::Awaitable<void> {
      out = co_await test->keeper_->release(std::move(name));
    }(this, model, released));
    EXPECT_TRUE(run_until([&released] { return released.has_value(); })) << "no answer";
    return released ? *released : fail("no answer");
  }

  std::size_t granted() const {
    return static_cast<std::size_t>(
        std::count_if(answers_.begin(), answers_.end(),
                      [](const auto& answer) { return answer && !answer->refusal; }));
  }

  TemporaryFolder folder_;
  host::Root root_ = *host::Root::open("/");
  std::string boot_id_ = *host::read_boot_id(root_);
  std::vector<Gpu> gpus_ = {gpu_with(0, gib(10), {}, {})};
  DriverState driver_ = DriverState::ready;
  Nanoseconds reading_time_ = 5ms;
  int readings_ = 0;
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Keeper> keeper_;
  std::vector<Result<api::AssignAnswer>> answers_;
};

TEST_F(KeeperTest, OfSixtyFourThatWant60PercentOneGetsIt) {
  for (int i = 0; i < 64; ++i) spawn_assign(request("m" + std::to_string(i), gib(6)));
  ASSERT_TRUE(run_until([this] { return answers_.size() == 64; }));
  EXPECT_EQ(granted(), 1u);
  for (const auto& answer : answers_) {
    ASSERT_TRUE(answer) << answer.error().sentence();
    if (answer->refusal) EXPECT_EQ(answer->refusal->kind, ErrorKind::no_room);
  }
  EXPECT_LT(readings_, 64) << "a batch shares one reading";
}

TEST_F(KeeperTest, WhatIsLeftIsGrantedToTheByte) {
  ASSERT_TRUE(assign(request("a", gib(6))));
  const auto fits = assign(request("b", gib(4)));
  ASSERT_TRUE(fits);
  EXPECT_FALSE(fits->refusal);
  const auto over = assign(request("c", Bytes{1}));
  ASSERT_TRUE(over);
  EXPECT_TRUE(over->refusal);
}

TEST_F(KeeperTest, TheSameNameGetsTheSameGpuAgain) {
  const auto first = assign(request("a", gib(6)));
  const auto again = assign(request("a", gib(6)));
  ASSERT_TRUE(first && again);
  EXPECT_FALSE(first->already_assigned);
  EXPECT_TRUE(again->already_assigned);
  EXPECT_EQ(first->lease.id, again->lease.id);
}

TEST_F(KeeperTest, AGrantOutlivesTheDaemonAndItsNumberIsNotGivenAgain) {
  const auto first = assign(request("a", gib(6)));
  ASSERT_TRUE(first);
  open();
  ASSERT_NE(keeper_->ledger().find_model("a"), nullptr);
  const auto too_much = assign(request("b", gib(6)));
  ASSERT_TRUE(too_much);
  EXPECT_TRUE(too_much->refusal) << "the byte was promised before the restart";
  ASSERT_TRUE(release("a"));
  const auto next = assign(request("b", gib(6)));
  ASSERT_TRUE(next && !next->refusal);
  EXPECT_NE(next->lease.id, first->lease.id);
}

TEST_F(KeeperTest, AReleaseIsRememberedToo) {
  ASSERT_TRUE(assign(request("a", gib(6))));
  ASSERT_TRUE(release("a"));
  open();
  EXPECT_EQ(keeper_->ledger().find_model("a"), nullptr);
  const auto unknown = release("a");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::not_found);
}

TEST_F(KeeperTest, AMisspeltReleaseNamesTheNearest) {
  ASSERT_TRUE(assign(request("xtts", gib(1))));
  const auto wrong = release("xtt");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().remedy.find("xtts"), std::string::npos) << wrong.error().remedy;
}

TEST_F(KeeperTest, WithoutADriverTheAnswerIsItsReason) {
  driver_ = DriverState::unresponsive;
  const auto refused = assign(request("a", gib(1)));
  ASSERT_TRUE(refused) << refused.error().sentence();
  ASSERT_TRUE(refused->refusal);
  EXPECT_EQ(refused->refusal->kind, ErrorKind::refused);
  EXPECT_NE(refused->refusal->reason.find("does not answer"), std::string::npos);
}

TEST_F(KeeperTest, AStoreThatCannotWriteGrantsNothingAndPromisesNothing) {
  store_->close(1s);
  const auto failed = assign(request("a", gib(6)));
  ASSERT_FALSE(failed);
  loop_->run_for(10ms);
  EXPECT_EQ(keeper_->ledger().find_model("a"), nullptr);
  EXPECT_EQ(keeper_->ledger().accounts().at(0).charges, Bytes{});
}

TEST_F(KeeperTest, ADeadHoldersLeaseGoesWhenItsMemoryIsGone) {
  Child child;
  decide::AssignRequest wanted = request("a", gib(6));
  wanted.holder = *host::identify(root_, child.pid(), boot_id_);
  ASSERT_TRUE(assign(wanted));
  gpus_ = {gpu_with(0, gib(10), gib(5), {process_of(child.pid(), gib(5))})};
  keeper_->observe(*view_now(), {});
  ASSERT_EQ(keeper_->ledger().find_model("a")->lease.state, LeaseState::active);
  ASSERT_EQ(keeper_->process_models().size(), 1u);
  EXPECT_EQ(keeper_->process_models()[0].model, "a");
  child.end();
  // The process is dead, the GPU still lists it: nothing is credited yet.
  ASSERT_TRUE(run_until([this] { return keeper_->ledger().find_model("a") == nullptr; }));
  ASSERT_EQ(keeper_->ledger().leases().size(), 1u);
  EXPECT_EQ(keeper_->ledger().leases()[0].state, LeaseState::releasing);
  const auto early = assign(request("b", gib(6)));
  ASSERT_TRUE(early);
  EXPECT_TRUE(early->refusal);
  gpus_ = {gpu_with(0, gib(10), {}, {})};
  const auto later = assign(request("b", gib(6)));
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->refusal);
  open();
  ASSERT_EQ(keeper_->ledger().leases().size(), 1u) << "the dead one is gone from the store too";
  EXPECT_EQ(keeper_->ledger().leases()[0].model, "b");
}

TEST_F(KeeperTest, AHolderThatDiedWhileTheDaemonWasDownIsNoticedAtStart) {
  Child child;
  decide::AssignRequest wanted = request("a", gib(6));
  wanted.holder = *host::identify(root_, child.pid(), boot_id_);
  ASSERT_TRUE(assign(wanted));
  child.end();
  open();
  EXPECT_EQ(keeper_->ledger().find_model("a"), nullptr);
  const auto fits = assign(request("b", gib(6)));
  ASSERT_TRUE(fits);
  EXPECT_FALSE(fits->refusal) << "nothing of the dead one is on the GPU";
}

}  // namespace
}  // namespace estiva::daemon
