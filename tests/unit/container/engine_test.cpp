// The engine's end against a server that misbehaves in ways that a real one can't be made to; what
// a real dockerd does is in tests/e2e/containers_test.py.
#include "container/engine.h"

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "net/server.h"

namespace estiva::container {
namespace {

using namespace std::chrono_literals;

std::string id_of(int number) {
  return fmt::format("{:064x}", number);
}

// Answers as an engine does, and can be told to fail.
class FakeEngine {
 public:
  FakeEngine(net::Loop& loop, std::string path)
      : loop_(loop), path_(std::move(path)), event_(loop) {}

  void start() {
    server_ = std::make_unique<net::Server>(
        loop_, [this](net::Exchange& exchange) { return handle(exchange); });
    ASSERT_TRUE(server_->listen(net::Endpoint::unix_path(path_)));
  }
  void stop() { server_.reset(); }
  void happen(int container) {
    last_ = container;
    event_.notify_all();
  }
  void break_off() {
    is_ending_ = true;
    event_.notify_all();
  }

  std::string version = R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})";
  std::string list = "[]";
  std::string stream;  // sent in place of events
  int status = 200;
  bool hangs = false;
  int lists = 0, versions = 0;
  std::string events_target;

 private:
  net::Awaitable<void> handle(net::Exchange& exchange) {
    const std::string target = exchange.request().target;
    if (hangs) (void)co_await exchange.hung_up();
    if (target.find("/events") != std::string::npos) {
      events_target = target;
      co_return co_await events(exchange);
    }
    net::Response response;
    response.status = status;
    if (target == "/version") {
      ++versions;
      response.body = version;
    } else {
      ++lists;
      response.body = list;
    }
    (void)co_await exchange.respond(std::move(response));
  }

  net::Awaitable<void> events(net::Exchange& exchange) {
    is_ending_ = false;
    net::ResponseHead head;
    if (!co_await exchange.start(std::move(head))) co_return;
    if (!stream.empty()) (void)co_await exchange.write(stream);
    while (!is_ending_) {
      if (co_await exchange.wait(event_, 10s) == net::Wake::hung_up) co_return;
      if (is_ending_) break;
      const std::string line = fmt::format(
          R"({{"Type":"container","Action":"start","Actor":{{"ID":"{}"}}}})", id_of(last_));
      if (!co_await exchange.write(line + "\n")) co_return;
    }
    (void)co_await exchange.finish();
  }

  net::Loop& loop_;
  std::string path_;
  net::Notice event_;
  std::unique_ptr<net::Server> server_;
  int last_ = 0;
  bool is_ending_ = false;
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    std::string name = "/tmp/estiva-engine-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    fake_ = std::make_unique<FakeEngine>(loop_, path());
    search_.setting = "unix://" + path();
    search_.variable = [](const char*) { return std::string(); };
    limits_.first_wait = 20ms;
    limits_.longest_wait = 100ms;
    limits_.settle = 10ms;
    limits_.check = 60s;
    limits_.response_time = 300ms;
  }
  ~EngineTest() override {
    engine_.reset();
    fake_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/docker.sock"; }
  void start() {
    engine_ = std::make_unique<Engine>(
        loop_, search_, [this] { ++changes_; }, limits_);
    engine_->start();
  }
  bool until(const std::function<bool()>& is_so, Nanoseconds most = 10s) {
    const SteadyTime end = steady_now() + most;
    while (!is_so() && steady_now() < end) loop_.run_for(5ms);
    return is_so();
  }
  bool becomes(EngineState state) {
    return until([&] { return engine_->status().state == state; });
  }
  static std::string row(int number, const std::string& name) {
    return fmt::format(R"({{"Id":"{}","Names":["/{}"],"State":"running"}})", id_of(number), name);
  }
  std::string name_of(int number) const {
    const Container* found = find_container(engine_->containers(), id_of(number));
    return found == nullptr ? "" : found->name;
  }

  net::Loop loop_;
  std::string folder_;
  EngineSearch search_;
  EngineLimits limits_;
  std::unique_ptr<FakeEngine> fake_;
  std::unique_ptr<Engine> engine_;
  int changes_ = 0;
};

TEST_F(EngineTest, IsFoundWhenItAppearsAndItsContainersAreKnown) {
  start();
  ASSERT_TRUE(becomes(EngineState::absent));
  EXPECT_NE(engine_->status().reason.find(path()), std::string::npos);
  EXPECT_TRUE(engine_->containers()->empty());
  fake_->list = "[" + row(1, "one") + "]";
  fake_->start();
  ASSERT_TRUE(becomes(EngineState::ready));
  EXPECT_EQ(name_of(1), "one");
  EXPECT_EQ(engine_->status().name, "Docker");
  EXPECT_EQ(engine_->status().version, "20.10.24");
  EXPECT_EQ(engine_->status().reason, "");
  EXPECT_EQ(fake_->events_target.substr(0, 15), "/v1.41/events?f") << "in the engine's own version";
}

TEST_F(EngineTest, ANewerEngineIsSpokenWithInOurVersion) {
  fake_->version = R"({"Version":"30.0","ApiVersion":"1.60","MinAPIVersion":"1.44"})";
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  EXPECT_EQ(fake_->events_target.substr(0, 7), "/v1.47/");
}

TEST_F(EngineTest, AnEventBringsTheNewList) {
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  fake_->list = "[" + row(7, "seven") + "]";
  fake_->happen(7);
  EXPECT_TRUE(until([&] { return name_of(7) == "seven"; }));
  fake_->list = "[]";
  fake_->happen(7);
  EXPECT_TRUE(until([&] { return name_of(7).empty(); }));
}

TEST_F(EngineTest, AThousandEventsAreAskedAboutAFewTimes) {
  limits_.settle = 50ms;
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  const int before = fake_->lists;
  for (int i = 0; i < 1000; ++i) {
    fake_->happen(i);
    if (i % 100 == 0) loop_.run_for(1ms);
  }
  fake_->list = "[" + row(1000, "last") + "]";
  fake_->happen(1000);
  ASSERT_TRUE(until([&] { return name_of(1000) == "last"; }));
  EXPECT_LE(fake_->lists - before, 20);
}

TEST_F(EngineTest, FiveHundredContainers) {
  std::string list;
  for (int i = 0; i < 500; ++i) list += (i == 0 ? "[" : ",") + row(i, fmt::format("c{}", i));
  fake_->list = list + "]";
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  EXPECT_EQ(engine_->containers()->size(), 500U);
  EXPECT_EQ(name_of(499), "c499");
}

TEST_F(EngineTest, WhatWasKnownStaysWhileItIsAwayAndItComesBack) {
  fake_->list = "[" + row(1, "one") + "]";
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  fake_->stop();
  ASSERT_TRUE(until([&] { return engine_->status().state != EngineState::ready; }));
  EXPECT_EQ(name_of(1), "one");
  fake_->list = "[" + row(2, "two") + "]";
  fake_->start();
  ASSERT_TRUE(becomes(EngineState::ready));
  EXPECT_EQ(name_of(1), "");
  EXPECT_EQ(name_of(2), "two");
}

TEST_F(EngineTest, AStreamThatEndsIsBegunAgain) {
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  const int before = fake_->versions;
  fake_->break_off();
  ASSERT_TRUE(until([&] { return fake_->versions > before; }));
  EXPECT_TRUE(becomes(EngineState::ready));
}

TEST_F(EngineTest, OneThatHangsIsUnreachableAndNotWaitedForForEver) {
  fake_->hangs = true;
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::unreachable));
  EXPECT_NE(engine_->status().reason.find("does not answer"), std::string::npos);
  EXPECT_FALSE(engine_->status().remedy.empty());
  fake_->hangs = false;
  EXPECT_TRUE(becomes(EngineState::ready));
}

TEST_F(EngineTest, OneThatHangsLaterIsNoticedByTheCheck) {
  limits_.check = 50ms;
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  fake_->hangs = true;
  EXPECT_TRUE(becomes(EngineState::unreachable));
}

TEST_F(EngineTest, NonsenseIsNoEngine) {
  fake_->version = "<html>It works!</html>";
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::unreachable));
  fake_->version = R"({"Version":"1","ApiVersion":"1.41"})";
  fake_->status = 500;
  EXPECT_TRUE(until([&] {
    return engine_->status().reason.find("status 500") != std::string::npos;
  })) << engine_->status().reason;
  fake_->status = 200;
  fake_->list = R"({"message":"no"})";
  EXPECT_TRUE(until([&] {
    return engine_->status().reason.find("none of its API") != std::string::npos;
  })) << engine_->status().reason;
}

TEST_F(EngineTest, VersionsThatDoNotMeetAreSaid) {
  fake_->version = R"({"Version":"40","ApiVersion":"1.99","MinAPIVersion":"1.90"})";
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::unsupported));
  EXPECT_NE(engine_->status().reason.find("1.90"), std::string::npos);
  fake_->version = R"({"Version":"1.9","ApiVersion":"1.21"})";
  EXPECT_TRUE(until([&] { return engine_->status().reason.find("1.21") != std::string::npos; }));
}

TEST_F(EngineTest, EventsThatMakeNoSenseAreNoEvents) {
  fake_->stream = "\n\n{}\nrubbish\n{\"Type\":\"container\"}\n" + std::string(100'000, 'x') + "\n";
  fake_->start();
  start();
  ASSERT_TRUE(becomes(EngineState::ready));
  const int before = fake_->lists;
  loop_.run_for(200ms);
  EXPECT_EQ(fake_->lists, before);
  EXPECT_EQ(engine_->status().state, EngineState::ready);
}

TEST_F(EngineTest, ALineWithoutEndEndsTheSession) {
  fake_->stream = std::string((1 << 20) + 1000, 'x');
  fake_->start();
  start();
  EXPECT_TRUE(until([&] { return fake_->versions >= 2; })) << "it begins anew";
}

TEST_F(EngineTest, ItMayBeDestroyedAtAnyMoment) {
  fake_->start();
  for (const auto pause : {0ms, 1ms, 5ms, 20ms, 60ms}) {
    start();
    loop_.run_for(pause);
    fake_->happen(1);
    engine_.reset();
    const int before = changes_;
    fake_->happen(2);
    loop_.run_for(20ms);
    EXPECT_EQ(changes_, before) << "one that is gone tells nothing";
  }
}

}  // namespace
}  // namespace estiva::container
