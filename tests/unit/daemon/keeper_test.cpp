// Granting and releasing with a real store, real processes and readings made here.
#include "keeper_fixture.h"

namespace estiva::daemon {
namespace {

TEST_F(KeeperTest, OfSixtyFourThatWant60PercentOneGetsIt) {
  for (int i = 0; i < 64; ++i) spawn_assign(request("m" + std::to_string(i), gib(6)));
  ASSERT_TRUE(run_until([this] { return answers_.size() == 64; }));
  EXPECT_EQ(granted(), 1u);
  for (const auto& answer : answers_) {
    ASSERT_TRUE(answer) << answer.error().sentence();
    if (answer->refusal) {
      EXPECT_EQ(answer->refusal->kind, ErrorKind::no_room);
    }
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

// Room for 8 GiB is always just being given back when one looks, and always taken again.
TEST_F(KeeperTest, WhoWaitsWhileOthersComeAndGoHearsThatThereIsNoRoom) {
  ASSERT_TRUE(assign(request("guest-0", gib(4))));
  int guests = 0;
  reading_time_ = 50ms;  // long enough for a release to be written down
  readings_ = 0;
  during_reading_ = [&] {
    spawn_release("guest-" + std::to_string(guests));
    decide::AssignRequest next = request("guest-" + std::to_string(++guests), gib(4));
    next.requested_at = {};  // any reading will do for it
    spawn_assign(std::move(next));
  };
  std::optional<Result<api::AssignAnswer>> answer;
  loop_->spawn([](Keeper* keeper, decide::AssignRequest wanted,
                  std::optional<Result<api::AssignAnswer>>& out) -> net::Awaitable<void> {
    out = co_await keeper->assign(std::move(wanted), {});
  }(keeper_.get(), request("big", gib(8)), answer));
  const bool answered = run_until([&] { return answer.has_value(); });
  during_reading_ = nullptr;
  ASSERT_TRUE(answered);
  ASSERT_TRUE(*answer) << answer->error().sentence();
  ASSERT_TRUE((*answer)->refusal) << "never room";
  EXPECT_EQ((*answer)->refusal->kind, ErrorKind::no_room);
  EXPECT_GE(readings_, 4) << "it was looked again before it was said";
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

// "Assigned already" is a promise too: a crash must not be able to take it back.
TEST_F(KeeperTest, NobodyHearsOfAGrantThatIsNotWrittenDown) {
  store_->close(1s);
  answers_.clear();
  for (int i = 0; i < 3; ++i) spawn_assign(request("a", gib(6)));
  ASSERT_TRUE(run_until([this] { return answers_.size() == 3; }));
  for (const auto& answer : answers_) EXPECT_FALSE(answer) << "told of a lease that is nowhere";
  EXPECT_EQ(keeper_->ledger().find_model("a"), nullptr);
  EXPECT_EQ(keeper_->ledger().accounts().at(0).charges, Bytes{});
}

TEST_F(KeeperTest, ThoseWhoAskForTheSameAtOnceGetTheSame) {
  answers_.clear();
  for (int i = 0; i < 3; ++i) spawn_assign(request("a", gib(6)));
  ASSERT_TRUE(run_until([this] { return answers_.size() == 3; }));
  int already = 0;
  for (const auto& answer : answers_) {
    ASSERT_TRUE(answer) << answer.error().sentence();
    EXPECT_EQ(answer->lease.id, answers_[0]->lease.id);
    already += answer->already_assigned ? 1 : 0;
  }
  EXPECT_EQ(already, 2);
}

TEST_F(KeeperTest, WhoWantsANewLeaseDoesNotTouchTheOldOne) {
  const api::AssignTerms only_new{true, {}, {}};
  ASSERT_TRUE(assign(request("a", gib(2)), only_new));
  Child child;
  decide::AssignRequest wanted = request("a", gib(4));
  wanted.holder = *host::identify(root_, child.pid(), boot_id_);
  const auto refused = assign(wanted, only_new);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::refused);
  const decide::LeaseEntry* entry = keeper_->ledger().find_model("a");
  ASSERT_NE(entry, nullptr);
  EXPECT_FALSE(entry->lease.holder) << "bound to a process that is told no";
  EXPECT_EQ(entry->lease.shares[0].bytes, gib(2)) << "grown for one that is told no";
}

// Both requests wait for one reading; the second is looked at with what the first was granted.
TEST_F(KeeperTest, TermsAreAskedWhenItIsDecidedWithTheLeasesOfThatMoment) {
  api::AssignTerms one_at_most;
  std::vector<std::size_t> asked_with;
  one_at_most.admits = [&asked_with](const std::vector<Lease>& leases) -> Result<void> {
    asked_with.push_back(leases.size());
    if (!leases.empty()) return fail(ErrorKind::denied, "one at most");
    return {};
  };
  spawn_assign(request("a", gib(1)), one_at_most);
  spawn_assign(request("b", gib(1)), one_at_most);
  ASSERT_TRUE(run_until([this] { return answers_.size() == 2; }));
  EXPECT_EQ(granted(), 1u);
  EXPECT_EQ(asked_with, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(keeper_->ledger().leases().size(), 1u);
}

TEST_F(KeeperTest, ARefusalNamesNobodyWhereTheTermsSaySo) {
  ASSERT_TRUE(assign(request("secret-model", gib(8))));
  const auto named = assign(request("b", gib(4)));
  ASSERT_TRUE(named && named->refusal);
  EXPECT_NE(named->refusal->would_fit_if[1].find("secret-model"), std::string::npos);
  api::AssignTerms terms;
  terms.names = decide::Names::none;
  const auto unnamed = assign(request("b", gib(4)), terms);
  ASSERT_TRUE(unnamed && unnamed->refusal);
  EXPECT_EQ(unnamed->refusal->would_fit_if.size(), named->refusal->would_fit_if.size());
  for (const std::string& hint : unnamed->refusal->would_fit_if) {
    EXPECT_EQ(hint.find("secret-model"), std::string::npos) << hint;
  }
}

TEST_F(KeeperTest, AReleaseByIdLeavesTheNextLeaseOfTheNameAlone) {
  const auto first = assign(request("a", gib(6)));
  ASSERT_TRUE(first && release("a", first->lease.id));
  const auto second = assign(request("a", gib(6)));
  ASSERT_TRUE(second && !second->refusal);
  const auto late = release("a", first->lease.id);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::not_found);
  EXPECT_NE(keeper_->ledger().find_model("a"), nullptr);
  EXPECT_TRUE(release("a", second->lease.id));
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

TEST_F(KeeperTest, AnXidThatNeedsAResetBlocksAtOnceAndAnAppsDoesNot) {
  gpus_.at(0).identity.pci_bus_id = "00000000:01:00.0";
  XidReport report;
  report.slot = "0000:01:00";
  report.code = 31;
  report.at = steady_now();
  keeper_->observe(*view_now(), Missing::not_read);
  EXPECT_TRUE(health_->take_xid(report)) << "the slow figures are worth a look";
  EXPECT_TRUE(assign(request("a", gib(1))));
  report.code = 119;
  EXPECT_TRUE(health_->take_xid(report));
  report.source = XidSource::kernel_log;
  EXPECT_FALSE(health_->take_xid(report)) << "the same error, told by the log";
  ASSERT_EQ(keeper_->health().at(0).state, HealthState::unhealthy);
  const auto refused = assign(request("b", gib(1)));
  ASSERT_TRUE(refused && refused->refusal);
  EXPECT_NE(refused->refusal->gpus.at(0).why.find("XID 119"), std::string::npos)
      << refused->refusal->gpus.at(0).why;
  ASSERT_EQ(keeper_->xids().size(), 1U);
  EXPECT_EQ(keeper_->xids()[0].counts.size(), 2U);
}

TEST_F(KeeperTest, AnXidOfThePastIsCountedAndNoReasonToLook) {
  XidReport report;
  report.slot = "0000:01:00";
  report.code = 48;
  report.at = steady_now() + -60s;
  report.source = XidSource::kernel_log;
  EXPECT_FALSE(health_->take_xid(report));
  EXPECT_EQ(keeper_->xids().at(0).counts.at(0).count, 1U);
}

}  // namespace
}  // namespace estiva::daemon
