// Who of those that wait gets room that is given back.
#include "daemon/turns.h"

#include <gtest/gtest.h>

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

// A ledger of one number.
class TurnsTest : public testing::Test {
 protected:
  net::Awaitable<Result<api::AssignAnswer>> decide(decide::AssignRequest request) {
    ++decisions_;
    co_await loop_.sleep(2ms);  // a reading
    api::AssignAnswer answer;
    answer.lease.model = request.model;
    if (request.shares[0].bytes > free_) {
      answer.refusal = decide::Explanation{ErrorKind::no_room, "no room", "", {}, {}};
    } else {
      free_ -= request.shares[0].bytes;
    }
    co_return answer;
  }
  void ask(const std::string& model, Bytes bytes, Nanoseconds wait) {
    decide::AssignRequest request;
    request.model = model;
    request.shares = decide::on_any_gpus(1, bytes);
    api::AssignTerms terms;
    terms.wait = wait;
    terms.on_gone = [this, model](std::function<void()> gone) {
      hang_up_[model] = std::move(gone);
    };
    loop_.spawn([](TurnsTest* test, decide::AssignRequest wanted,
                   api::AssignTerms kept_to) -> net::Awaitable<void> {
      const std::string name = wanted.model;
      const auto answer = co_await test->turns_.assign(std::move(wanted), std::move(kept_to));
      test->said_.push_back(name + (!answer           ? ": " + answer.error().what
                                    : answer->refusal ? ": refused"
                                                      : ": granted"));
    }(this, std::move(request), std::move(terms)));
  }
  void give_back(Bytes bytes) {
    free_ += bytes;
    turns_.look_again();
  }
  void run_for(Nanoseconds time) {
    const SteadyTime until = steady_now() + time;
    while (steady_now() < until) loop_.run_for(5ms);
  }
  using Said = std::vector<std::string>;

  net::Loop loop_;
  Bytes free_;
  int decisions_ = 0;
  std::vector<std::string> no_room_for_;
  std::map<std::string, std::function<void()>> hang_up_;
  Said said_;
  Turns turns_{
      loop_,
      [this](decide::AssignRequest request, api::AssignTerms) {
        return decide(std::move(request));
      },
      [this](const decide::AssignRequest& request) { no_room_for_.push_back(request.model); }};
};

TEST_F(TurnsTest, WithoutAWaitTheAnswerIsAtOnce) {
  ask("a", gib(1), 0s);
  run_for(50ms);
  EXPECT_EQ(said_, Said{"a: refused"});
  EXPECT_TRUE(no_room_for_.empty());
}

TEST_F(TurnsTest, FirstComeFirstServed) {
  for (const char* name : {"a", "b", "c"}) ask(name, gib(1), 10s);
  run_for(50ms);
  EXPECT_EQ(said_, Said{});
  EXPECT_EQ(turns_.waiting(), 3u);
  for (int i = 0; i < 3; ++i) {
    give_back(gib(1));
    run_for(30ms);
  }
  EXPECT_EQ(said_, (Said{"a: granted", "b: granted", "c: granted"}));
  EXPECT_EQ(turns_.waiting(), 0u);
}

TEST_F(TurnsTest, RoomThatComesWhileOneLooksIsNotMissed) {
  ask("a", gib(1), 10s);
  loop_.run_for(1ms);  // it is being decided on what was
  give_back(gib(1));
  run_for(100ms);
  EXPECT_EQ(said_, Said{"a: granted"});
}

TEST_F(TurnsTest, ASmallOneGoesFirstWhileALargeOneDoesNotFitAndNotForEver) {
  free_ = gib(1);
  ask("large", gib(2), 20s);
  run_for(20ms);
  ask("small", gib(1), 20s);
  run_for(50ms);
  EXPECT_EQ(said_, Said{"small: granted"});
  EXPECT_EQ(no_room_for_.front(), "large");
  run_for(Turns::kPatience);
  ask("late", gib(1), 20s);
  give_back(gib(1));
  run_for(50ms);
  EXPECT_EQ(said_, Said{"small: granted"}) << "what comes now is kept for the one that waits";
  give_back(gib(1));
  run_for(50ms);
  EXPECT_EQ(said_, (Said{"small: granted", "large: granted"}));
  give_back(gib(1));
  run_for(50ms);
  EXPECT_EQ(said_.back(), "late: granted");
}

TEST_F(TurnsTest, WhenTheTimeIsOverItHearsWhyAndNoEarlier) {
  ask("a", gib(1), 300ms);
  run_for(200ms);
  EXPECT_EQ(said_, Said{});
  run_for(300ms);
  EXPECT_EQ(said_, Said{"a: refused"});
  const int before = decisions_;
  run_for(100ms);
  EXPECT_EQ(decisions_, before) << "nobody is looked at any more";
}

TEST_F(TurnsTest, WhoHangsUpStandsInNobodysWay) {
  ask("gone", gib(2), 20s);
  ask("next", gib(1), 20s);
  run_for(20ms);
  hang_up_["gone"]();
  run_for(20ms);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].rfind("gone: the client went away", 0), 0u) << said_[0];
  give_back(gib(2));
  run_for(50ms);
  EXPECT_EQ(said_.back(), "next: granted");
  EXPECT_EQ(free_, gib(1));
}

// The handler is told, and gives it back: it must not be lost.
TEST_F(TurnsTest, WhoHangsUpWhileItIsBeingGrantedIsToldSo) {
  free_ = gib(1);
  ask("a", gib(1), 10s);
  loop_.run_for(1ms);
  hang_up_["a"]();
  run_for(50ms);
  EXPECT_EQ(said_, Said{"a: granted"});
}

TEST_F(TurnsTest, NotMoreThanSoManyWait) {
  for (std::size_t i = 0; i <= Turns::kMostWaiting; ++i) ask(std::to_string(i), gib(1), 20s);
  run_for(20ms);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find("wait"), std::string::npos) << said_[0];
}

}  // namespace
}  // namespace estiva::daemon
