// What is said of models that are on the GPU: which words are in force, and until when they stay.
#include <thread>

#include "daemon/library_leases.h"
#include "residents_fixture.h"

namespace estiva::daemon {
namespace {

TEST_F(ResidentsTest, OnBatteryAnIdleModelLeavesAndIsNamedAsTheOneThatKeepsTheGpuAwake) {
  add("a", gib(2));
  begin();
  ASSERT_TRUE(load("a"));
  ASSERT_TRUE(settles([this] { return !status("a").keeps_awake.empty(); }));
  EXPECT_EQ(status("a").keeps_awake, std::vector<std::string>{"GPU-0"});
  EXPECT_FALSE(status("a").leaves_in) << "on the mains it stays until somebody needs its room";
  residents_->take_host(Missing::not_read, true);
  EXPECT_TRUE(residents_->on_battery());
  EXPECT_EQ(status("a").ttl, Nanoseconds(settings_.battery_ttl));
  EXPECT_EQ(status("a").ttl_from, "battery");
  ASSERT_TRUE(status("a").leaves_in);
  EXPECT_LE(*status("a").leaves_in, settings_.battery_ttl);
  residents_->take_host(Missing::not_read, false);
  EXPECT_EQ(status("a").ttl_from, "");
}

TEST_F(ResidentsTest, AModelsOwnTtlIsNamedAsTheModels) {
  add("a", gib(2)).ttl = 5min;
  begin();
  EXPECT_EQ(status("a").ttl_from, "model");
  EXPECT_EQ(status("a").ttl, Nanoseconds(5min));
}

TEST_F(ResidentsTest, AWordThatIsAsTheConfigurationIsNoLiveOne) {
  add("a", gib(2));
  begin();
  ASSERT_TRUE(residents_->set_policy("a", ResidencyPolicy::keep));
  EXPECT_TRUE(status("a").policy_is_live);
  EXPECT_EQ(status("a").configured_policy, ResidencyPolicy::swap);
  models_[0].policy = ResidencyPolicy::always_unload;
  ASSERT_TRUE(residents_->reload(false));
  EXPECT_TRUE(settles([this] { return status("a").policy == ResidencyPolicy::always_unload; }))
      << "newer words count";
  EXPECT_FALSE(status("a").policy_is_live);
  ASSERT_TRUE(residents_->pin("a", true));
  EXPECT_TRUE(status("a").pin_is_live);
  ASSERT_TRUE(residents_->pin("a", false));
  EXPECT_FALSE(status("a").pin_is_live);
}

TEST_F(ResidentsTest, WordsOutliveTheDaemonUntilTheConfigurationChangesItsMind) {
  add("a", gib(2));
  add("b", gib(2)).pinned = true;
  begin();
  ASSERT_TRUE(residents_->set_policy("a", ResidencyPolicy::always_unload));
  ASSERT_TRUE(residents_->pin("a", true));
  ASSERT_TRUE(residents_->pin("b", false));
  begin();
  ASSERT_TRUE(settles([this] { return status("a").is_pinned; }));
  EXPECT_EQ(status("a").policy, ResidencyPolicy::always_unload);
  EXPECT_TRUE(status("a").policy_is_live && status("a").pin_is_live);
  EXPECT_FALSE(status("b").is_pinned);
  EXPECT_TRUE(status("b").pin_is_live);
  models_[0].policy = ResidencyPolicy::keep;  // while no daemon runs
  begin();
  ASSERT_TRUE(settles([this] { return status("a").is_pinned; })) << "that was not touched";
  EXPECT_EQ(status("a").policy, ResidencyPolicy::keep);
  EXPECT_FALSE(status("a").policy_is_live);
  ASSERT_TRUE(residents_->pin("a", false));  // as the configuration says: nothing to remember
  begin();
  EXPECT_FALSE(status("a").pin_is_live);
}

TEST_F(ResidentsTest, AWordRecalledIsInForceForWhatIsFoundAlive) {
  add("a", gib(6));
  add("b", gib(6));
  begin();
  ASSERT_TRUE(load("a"));
  ASSERT_TRUE(residents_->pin("a", true));
  begin();
  ASSERT_TRUE(settles([this] { return status("a").state == "resident"; }));
  EXPECT_FALSE(load("b")) << "a is pinned";
  EXPECT_EQ(status("a").state, "resident");
}

TEST_F(ResidentsTest, AModelThatWaitsAsksProgramsThatShareTheGpuForRoom) {
  add("a", gib(3));
  add("b", gib(6));
  std::unique_ptr<LibraryLeases> library;
  make_room_ = [&library](const decide::AssignRequest& request, std::vector<decide::Yielder> ours) {
    return library->make_room(request, std::move(ours));
  };
  begin();
  library = std::make_unique<LibraryLeases>(LibraryLeases::Parts{*loop_, *keeper_, {}, {}, [] {}});
  ASSERT_TRUE(load("a"));
  const auto held = assign(request("program", gib(7)));
  ASSERT_TRUE(held && !held->refusal);
  const Lease lease = held->lease;
  library->enrol(lease, {true, {}});
  std::this_thread::sleep_for(LibraryLeases::kShortestStay);
  std::optional<Result<void>> done;
  loop_->spawn([](Residents* residents, std::optional<Result<void>>& out) -> net::Awaitable<void> {
    out = co_await residents->load("b");
  }(residents_.get(), done));
  ASSERT_TRUE(settles([&] {
    return (*library->event_after(lease.id, 0))->kind == api::LibraryEvent::Kind::revoke;
  })) << "room is made by the program and by a together";
  EXPECT_FALSE(done) << "it waits";
  loop_->spawn([](LibraryLeases* leases, Lease its) -> net::Awaitable<void> {
    std::vector<Bytes> nothing(1);
    (void)co_await leases->yielded(std::move(its), std::move(nothing));
  }(library.get(), lease));
  ASSERT_TRUE(settles([&done] { return done.has_value(); }));
  EXPECT_TRUE(*done) << done->error().sentence();
  EXPECT_EQ(status("b").state, "resident");
}

TEST_F(ResidentsTest, WhereNobodyHasRoomToGiveItIsToldAtOnce) {
  add("b", gib(6));
  int asked = 0;
  make_room_ = [&asked](const decide::AssignRequest&, const std::vector<decide::Yielder>&) {
    ++asked;
    return false;
  };
  begin();
  foreign_ = gib(7);
  look();
  const auto loaded = load("b");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::no_room);
  EXPECT_EQ(asked, 1);
}

// As a container that Compose started before us.
TEST_F(ResidentsTest, WhatRunsAlreadyIsTakenOverChargedAndLeavesForOthers) {
  add("a", gib(7));
  add("b", gib(4));
  takes_["a"] = gib(6);
  children_["a"] = std::make_unique<Program>();
  begin();
  ASSERT_TRUE(settles([this] { return status("a").state == "resident"; })) << status("a").state;
  EXPECT_EQ(status("a").starts, 0U);
  ASSERT_TRUE(settles([this] { return status("a").measured == gib(6); }));
  EXPECT_EQ(status("a").charged, gib(7));
  EXPECT_EQ(keeper_->ledger().accounts()[0].foreign, Bytes{});
  ASSERT_TRUE(load("b"));
  EXPECT_FALSE(children_.contains("a")) << "it left for the other one";
}

TEST_F(ResidentsTest, WhatHoldsLessRoomThanItDeclaresIsChargedWithWhatItHolds) {
  add("a", gib(9));
  takes_["a"] = gib(6);
  foreign_ = gib(2);
  children_["a"] = std::make_unique<Program>();
  begin();
  ASSERT_TRUE(settles([this] { return status("a").measured == gib(6); }));
  EXPECT_EQ(status("a").charged, gib(6));
  EXPECT_EQ(keeper_->ledger().accounts()[0].foreign, gib(2));
}

TEST_F(ResidentsTest, WhatWasTakenOverIsFoundAgainByTheNextDaemon) {
  add("a", gib(7));
  takes_["a"] = gib(6);
  children_["a"] = std::make_unique<Program>();
  begin();
  ASSERT_TRUE(settles([this] { return status("a").measured == gib(6); }));
  const std::string lease = status("a").lease;
  begin();
  ASSERT_TRUE(settles([this] { return status("a").state == "resident"; }));
  EXPECT_EQ(status("a").lease, lease);
  EXPECT_EQ(keeper_->ledger().entries().size(), 1U);
}

}  // namespace
}  // namespace estiva::daemon
