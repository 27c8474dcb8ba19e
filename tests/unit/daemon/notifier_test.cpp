// Real programs as receivers: a shell for commands, curl and an HTTP server for the webhook.
#include "daemon/notifier.h"

#include <fstream>
#include <gtest/gtest.h>

#include "daemon/child.h"
#include "net/server.h"
#include "support.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ChildTest : public testing::Test {
 protected:
  bool until(const std::function<bool()>& is_so, Nanoseconds most = 20s) {
    const SteadyTime end = steady_now() + most;
    while (!is_so() && steady_now() < end) loop_.run_for(10ms);
    return is_so();
  }
  Result<void> run(ChildRun what) {
    std::optional<Result<void>> result;
    const auto handle = run_child(loop_, std::move(what),
                                  [&result](Result<void> ended) { result = std::move(ended); });
    EXPECT_TRUE(until([&] { return result.has_value(); }));
    return result ? *result : fail("it never ended");
  }
  static ChildRun shell(const std::string& script) {
    return {{"/bin/sh", "-c", script}, {}, {}, 15s};
  }

  net::Loop loop_;
  TemporaryFolder folder_;
};

TEST_F(ChildTest, GetsItsInputAndItsVariables) {
  ChildRun what = shell("cat > " + folder_.path() + "/out; printf %s \"$GREETING\" >> " +
                        folder_.path() + "/out");
  what.input = std::string(300'000, 'x');
  what.environment = {"GREETING=hello \"you\""};
  EXPECT_TRUE(run(what));
  EXPECT_EQ(content_of(folder_.path() + "/out"), std::string(300'000, 'x') + "hello \"you\"");
}

TEST_F(ChildTest, AFailureIsSaidWithItsLastLine) {
  const auto failed =
      run(shell("echo first; seq 100000; printf 'it is \\033[31mbroken' >&2; exit 7"));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().what.find("exit code 7"), std::string::npos) << failed.error().what;
  EXPECT_NE(failed.error().what.find("broken"), std::string::npos) << failed.error().what;
  EXPECT_EQ(failed.error().what.find('\033'), std::string::npos);
  const auto killed = run(shell("kill -9 $$"));
  ASSERT_FALSE(killed);
  EXPECT_NE(killed.error().what.find("signal 9"), std::string::npos) << killed.error().what;
}

TEST_F(ChildTest, OneThatHangsIsKilledWithWhatItStarted) {
  ChildRun what = shell("echo $$ > " + folder_.path() + "/pid; sleep 1000 & wait");
  what.limit = 300ms;
  const auto slow = run(what);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, ErrorKind::timed_out);
  const int group = std::stoi(content_of(folder_.path() + "/pid"));
  EXPECT_TRUE(until([&] { return ::kill(-group, 0) != 0; })) << "nothing of its group is left";
}

TEST_F(ChildTest, AProgramThatIsNotThere) {
  const auto missing = run({{"/no/such/program"}, {}, {}, 1s});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(run({{}, {}, {}, 1s}));
}

TEST_F(ChildTest, DroppingTheHandleKillsIt) {
  bool told = false;
  auto handle = run_child(loop_, shell("echo $$ > " + folder_.path() + "/pid; sleep 1000"),
                          [&told](const Result<void>&) { told = true; });
  ASSERT_TRUE(until([&] { return content_of(folder_.path() + "/pid").size() > 1; }));
  const int pid = std::stoi(content_of(folder_.path() + "/pid"));
  handle.reset();
  EXPECT_TRUE(until([&] { return ::kill(-pid, 0) != 0; }));
  loop_.run_for(50ms);
  EXPECT_FALSE(told);
}

class NotifierTest : public ChildTest {
 protected:
  static format::Notification hot() {
    return {
        HealthState::unhealthy, "GPU 0", "it is at 96 C; rm -rf \"$HOME\" `x`", "Cool it", {}, {}};
  }
  net::Awaitable<void> receive(net::Exchange& exchange) {
    auto body = co_await exchange.read_body(1 << 20);
    if (hangs_) (void)co_await exchange.hung_up();
    received_.push_back(body ? *body : "");
    title_ = exchange.request().headers.find("Title").value_or("");
    net::Response response;
    response.status = status_;
    (void)co_await exchange.respond(std::move(response));
  }
  // The URL of a server here.
  std::string serve() {
    server_ = std::make_unique<net::Server>(
        loop_, [this](net::Exchange& exchange) { return receive(exchange); });
    const auto bound = server_->listen(net::Endpoint::tcp("127.0.0.1", 0));
    EXPECT_TRUE(bound);
    return "http://" + net::to_text(*bound) + "/topic";
  }

  std::unique_ptr<net::Server> server_;
  std::vector<std::string> received_;
  std::string title_;
  int status_ = 200;
  bool hangs_ = false;
};

TEST_F(NotifierTest, AWebhookThroughCurl) {
  format::NotifySettings settings;
  settings.url = serve();
  settings.shape = format::NotifyShape::ntfy;
  Notifier notifier(loop_, settings, "box");
  notifier.tell("k", hot());
  ASSERT_TRUE(until([&] { return notifier.counts().sent == 1; }));
  ASSERT_EQ(received_.size(), 1U);
  EXPECT_EQ(title_, "box: GPU 0 is UNHEALTHY");
  EXPECT_EQ(received_[0], "it is at 96 C; rm -rf \"$HOME\" x\nWhat to do: Cool it");
  notifier.tell("k", hot());
  loop_.run_for(300ms);
  EXPECT_EQ(received_.size(), 1U) << "the same is not told twice";
}

TEST_F(NotifierTest, ACommandGetsTheDocumentAndIsNoShell) {
  format::NotifySettings settings;
  settings.command = {"/bin/sh", "-c",
                      "cat > " + folder_.path() +
                          "/out; printf '%s|%s' \"$ESTIVA_STATE\" "
                          "\"$ESTIVA_TEXT\" > " +
                          folder_.path() + "/env"};
  Notifier notifier(loop_, settings, "box");
  notifier.tell("k", hot());
  ASSERT_TRUE(until([&] { return notifier.counts().sent == 1; }));
  const std::string document = content_of(folder_.path() + "/out");
  EXPECT_NE(document.find("\"schema\":\"estiva/notification/1\""), std::string::npos) << document;
  EXPECT_NE(document.find("\"host\":\"box\""), std::string::npos);
  EXPECT_EQ(content_of(folder_.path() + "/env"), "UNHEALTHY|" + hot().text);
}

TEST_F(NotifierTest, ATestSaysWhatWentWrong) {
  const auto test = [&](Notifier& notifier) {
    std::optional<Result<void>> result;
    loop_.spawn([](Notifier& self, std::optional<Result<void>>& out) -> net::Awaitable<void> {
      out = co_await self.test();
    }(notifier, result));
    EXPECT_TRUE(until([&] { return result.has_value(); }));
    return result ? *result : fail("no answer");
  };
  Notifier off(loop_, {}, "box");
  EXPECT_EQ(test(off).error().kind, ErrorKind::refused);
  format::NotifySettings settings;
  settings.url = serve();
  Notifier notifier(loop_, settings, "box");
  EXPECT_TRUE(test(notifier));
  EXPECT_NE(received_.at(0).find("This is a test"), std::string::npos);
  status_ = 404;
  const auto refused = test(notifier);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("404"), std::string::npos) << refused.error().what;
  server_.reset();
  EXPECT_FALSE(test(notifier));
  EXPECT_EQ(notifier.counts().failed, 2U);
}

TEST_F(NotifierTest, AReceiverThatHangsHoldsUpNothingAndTheQueueIsBounded) {
  format::NotifySettings settings;
  settings.url = serve();
  settings.per_hour = 1000;
  hangs_ = true;
  Notifier notifier(loop_, settings, "box");
  const SteadyTime begun = steady_now();
  for (int i = 0; i < 200; ++i) notifier.tell(std::to_string(i), hot());
  EXPECT_LT(steady_now() - begun, 5s);
  EXPECT_EQ(notifier.counts().failed, 200 - Notifier::kMostWaiting);
}

}  // namespace
}  // namespace estiva::daemon
