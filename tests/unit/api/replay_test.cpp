// Decisions written down and made again. The judge is what was answered at the time.
#include <gtest/gtest.h>
#include <random>

#include "api/decision_record.h"
#include "api/journal_json.h"
#include "api/past_decisions.h"
#include "decide/placement/grant_reason.h"
#include "unit/decide/room.h"

namespace estiva::api {
namespace {

using decide::Room;

constexpr std::size_t kMost = 256 * 1024;

format::JsonTree tree_of(const std::string& text) {
  auto tree = format::JsonTree::parse(text);
  EXPECT_TRUE(tree) << text;
  return tree ? *tree : format::JsonTree();
}

// A journal as the daemon keeps it: the readings are written anew when the ledger changed otherwise
// than by the decisions themselves.
class Journal {
 public:
  explicit Journal(Room& room) : room_(room) {}

  void ledger_changed() { readings_.reset(); }

  void ask(const decide::AssignRequest& request) {
    const decide::Decision decision = decide_assign(room_.ledger, request);
    ASSERT_NE(decision.verdict, decide::Verdict::needs_fresh_reading);
    if (decision.verdict == decide::Verdict::already_assigned) return;
    if (!readings_) {
      readings_ = std::make_shared<const std::string>(readings_record(room_.ledger, kMost));
    }
    store::JournalRecord record;
    record.position = records_.size() + 1;
    record.subject = request.model;
    record.decision =
        store::Decision{request_record(request, room_.ledger.sequence()), readings_, {}};
    if (decide::changes_ledger(decision.verdict)) {
      record.kind = decision.verdict == decide::Verdict::granted ? store::RecordKind::grant
                                                                 : store::RecordKind::change;
      record.decision->outcome = grant_reason(room_.ledger, request, decision);
      record.lease = room_.ledger.apply(decision).lease;
      granted_.push_back(record.lease->id);
    } else {
      record.kind = store::RecordKind::decision;
      record.decision->outcome = explain_refusal(room_.ledger, request, decision).reason;
    }
    records_.push_back(std::move(record));
  }

  std::string document() const {
    std::string text = R"({"schema":"estiva/journal/1","records":[)";
    for (std::size_t i = 0; i < records_.size(); ++i) {
      text += (i == 0 ? "" : ",") + decision_json(records_[i], i == 0 ? nullptr : &records_[i - 1]);
    }
    return text + "]}";
  }
  ReplayReport again() const {
    const auto past = parse_past_decisions(document());
    EXPECT_TRUE(past);
    return past ? replay(*past) : ReplayReport{};
  }
  std::vector<store::JournalRecord>& records() { return records_; }
  const std::vector<std::string>& granted() const { return granted_; }

 private:
  Room& room_;
  std::shared_ptr<const std::string> readings_;
  std::vector<store::JournalRecord> records_;
  std::vector<std::string> granted_;
};

TEST(DecisionRecord, ALedgerComesBackAsItWas) {
  Room room(3, gib(24), {mib(100), mib(300), {}});
  room.process(0, 11, gib(2));
  const Lease one = room.grant("a \"quoted\\name", gib(3), decide::key(1), 50);
  room.process(1, 50, gib(1), one.id);
  room.grant("b", gib(5));
  room.hide_processes(2);
  room.readings.driver.reason = "something";
  room.read();
  room.ledger.release(one.id, {++room.now});
  const std::string text = readings_record(room.ledger, kMost);
  const auto tree = tree_of(text);
  const auto state = read_readings_record(tree.root());
  ASSERT_TRUE(state) << state.error().what;
  EXPECT_EQ(readings_record(decide::Ledger(*state), kMost), text);
  EXPECT_EQ(state->entries.size(), 2u);
  EXPECT_EQ(state->policy.context_allowance, mib(300));
  ASSERT_EQ(state->accounts.size(), 3u);
  EXPECT_EQ(state->accounts[0].foreign, gib(2));
  EXPECT_EQ(state->accounts[0].strangers.at(0).name, "python");
  EXPECT_EQ(state->entries[0].lease.model, "a \"quoted\\name");
}

TEST(DecisionRecord, TooMuchIsCutAndThenNothingIsDecidedOnIt) {
  Room room(2, gib(24));
  for (int i = 0; i < 40; ++i) room.grant(fmt::format("m{}", i), mib(10));
  const std::string text = readings_record(room.ledger, 2000);
  EXPECT_LE(text.size(), 2000u);
  EXPECT_NE(text.find(decide::key(1)), text.npos);
  const auto tree = tree_of(text);
  EXPECT_FALSE(read_readings_record(tree.root()));
}

TEST(DecisionRecord, WhatIsDamagedIsNamed) {
  const struct {
    const char* text;
    const char* member;
  } cases[] = {
      {R"({"sequence":"x","next_number":1})", "'sequence'"},
      {R"({"next_number":1,"gpus":[{"usable":"perhaps"}]})", "'gpus.usable'"},
      {R"({"next_number":1,"gpus":[{"usable":"yes","used":-1}]})", "'gpus.used'"},
      {R"({"next_number":1,"leases":[{"state":"active","shares":[{}],"uses":[{"account":3}]}]})",
       "'leases.uses'"},
      {R"([])", "'{'"},
  };
  for (const auto& c : cases) {
    const auto tree = tree_of(c.text);
    const auto state = read_readings_record(tree.root());
    ASSERT_FALSE(state) << c.text;
    EXPECT_NE(state.error().what.find(c.member), std::string::npos) << state.error().what;
  }
}

TEST(Replay, EveryDecisionOfABusyDayComesOutTheSame) {
  std::mt19937 chance(7);
  Room room(4, gib(12), {mib(256), mib(200), {}});
  Journal journal(room);
  std::size_t refused = 0;
  for (int step = 0; step < 600; ++step) {
    const unsigned what = chance() % 10;
    if (what == 0) {
      if (!journal.granted().empty()) {
        room.ledger.release(journal.granted()[chance() % journal.granted().size()], {++room.now});
        journal.ledger_changed();
      }
    } else if (what == 1) {
      room.no_processes(chance() % 4, mib(chance() % 4096));
    }
    // The daemon reads before it decides; a batch shares one read.
    std::vector<decide::AssignRequest> batch;
    for (unsigned i = 0; i <= chance() % 4; ++i) {
      batch.push_back(room.request(fmt::format("m{}", chance() % 40), mib(200 + chance() % 6000)));
      if (chance() % 5 == 0) batch.back().shares = decide::on_any_gpus(2, mib(chance() % 3000));
      if (chance() % 5 == 0) batch.back().shares[0].gpu = decide::key(chance() % 5);
    }
    room.read();
    journal.ledger_changed();
    for (const auto& request : batch) journal.ask(request);
  }
  for (const auto& record : journal.records()) {
    refused += record.kind == store::RecordKind::decision ? 1 : 0;
  }
  const ReplayReport report = journal.again();
  EXPECT_GT(refused, 100u);
  EXPECT_GT(journal.granted().size(), 50u);
  EXPECT_EQ(report.decisions, journal.records().size());
  EXPECT_EQ(report.again, report.decisions);
  EXPECT_EQ(report.differences.size(), 0u) << replay_json(report).substr(0, 2000);
}

class ReplayOfThree : public testing::Test {
 protected:
  ReplayOfThree() {
    const auto first = room_.request("a", gib(3)), second = room_.request("b", gib(3)),
               third = room_.request("c", gib(9));
    room_.read();
    journal_.ask(first);
    journal_.ask(second);
    journal_.ask(third);
  }
  Room room_{2, gib(4)};
  Journal journal_{room_};
};

TEST_F(ReplayOfThree, AreTheSame) {
  const ReplayReport report = journal_.again();
  EXPECT_EQ(report.again, 3u);
  EXPECT_TRUE(report.differences.empty());
}

TEST_F(ReplayOfThree, AnotherPlaceIsADifferenceAndWhatStandsOnItIsLeftOut) {
  journal_.records()[0].lease->shares[0].device.uuid = decide::key(1);
  const ReplayReport report = journal_.again();
  ASSERT_EQ(report.differences.size(), 1u);
  EXPECT_EQ(report.differences[0].what, decide::Differs::placement);
  EXPECT_EQ(report.differences[0].model, "a");
  EXPECT_EQ(report.again, 1u);
  EXPECT_EQ(report.no_chain, 2u);
  EXPECT_EQ(report.changed(), 1u);
  EXPECT_NE(replay_json(report).find(R"("what":"placement")"), std::string::npos);
}

TEST_F(ReplayOfThree, ARefusalThatWasGrantedIsADifference) {
  journal_.records()[1].kind = store::RecordKind::decision;
  journal_.records()[1].lease.reset();
  const ReplayReport report = journal_.again();
  ASSERT_EQ(report.differences.size(), 1u);
  EXPECT_EQ(report.differences[0].what, decide::Differs::verdict);
  EXPECT_TRUE(report.differences[0].now.granted);
}

TEST_F(ReplayOfThree, OtherWordsAreNoOtherAnswer) {
  journal_.records()[2].decision->outcome = "in other words";
  const ReplayReport report = journal_.again();
  ASSERT_EQ(report.differences.size(), 1u);
  EXPECT_EQ(report.differences[0].what, decide::Differs::words);
  EXPECT_EQ(report.changed(), 0u);
  EXPECT_EQ(report.again, 3u);
}

TEST_F(ReplayOfThree, AGrantThatIsMissingBreaksTheChain) {
  journal_.records().erase(journal_.records().begin() + 1);
  const ReplayReport report = journal_.again();
  EXPECT_EQ(report.again, 1u);
  EXPECT_EQ(report.no_chain, 1u);
  EXPECT_TRUE(report.differences.empty());
}

TEST_F(ReplayOfThree, ReadingsThatWereNotKeptAreSaid) {
  for (auto& record : journal_.records()) record.decision->readings.reset();
  const ReplayReport report = journal_.again();
  EXPECT_EQ(report.not_kept, 3u);
  EXPECT_EQ(report.again, 0u);
}

TEST_F(ReplayOfThree, APageThatBeginsWithinAChainGoesOnWithIt) {
  std::vector<decide::PastDecision> past;
  for (const auto& record : journal_.records()) {
    const auto page = parse_past_decisions(R"({"schema":"estiva/journal/1","records":[)" +
                                           decision_json(record, nullptr) + "]}");
    ASSERT_TRUE(page);
    past.push_back(page->at(0));
    EXPECT_TRUE(past.back().before);
  }
  const ReplayReport report = replay(past);
  EXPECT_EQ(report.again, 3u);
  EXPECT_TRUE(report.differences.empty());
}

TEST(Replay, WhatIsNoJournalIsRefused) {
  EXPECT_FALSE(parse_past_decisions("{"));
  EXPECT_FALSE(parse_past_decisions(R"({"schema":"estiva/status/1"})"));
  EXPECT_FALSE(parse_past_decisions(R"({"schema":"estiva/journal/1"})"));
  const auto none = parse_past_decisions(R"({"schema":"estiva/journal/1","records":[{}]})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

}  // namespace
}  // namespace estiva::api
