// An engine that is asked once: absent, refusing, silent, dying, of nonsense. Each ends in time.
#include "container/ask_once.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "container/engine_facts.h"
#include "unit/host/temp_dir.h"

namespace estiva::container {
namespace {

using std::chrono::milliseconds;

// Listens on a socket and gives every connection the same bytes, then closes it, or keeps it open.
class FakeEngine {
 public:
  FakeEngine(std::string path, std::string answer, bool closes = true)
      : path_(std::move(path)), answer_(std::move(answer)), closes_(closes) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeEngine() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int fd : held_) ::close(fd);
  }
  int served() const { return served_; }

 private:
  void serve() {
    for (int fd = 0; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      char request[4096];
      (void)!::read(fd, request, sizeof request);
      (void)!::write(fd, answer_.data(), answer_.size());
      ++served_;
      if (closes_) {
        ::close(fd);
      } else {
        held_.push_back(fd);
      }
    }
  }

  std::string path_, answer_;
  bool closes_;
  int listener_ = -1;
  std::atomic<int> served_{0};
  std::vector<int> held_;
  std::thread thread_;
};

std::string http(const std::string& body, const char* status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class AskOnce : public testing::Test {
 protected:
  std::string socket() const { return dir_.path() + "/docker.sock"; }
  net::Endpoint endpoint() const { return net::Endpoint::unix_path(socket()); }
  // The state that the first question ends in, and how long it took.
  EngineState state(milliseconds limit = milliseconds(2'000)) {
    Error error;
    const auto begun = std::chrono::steady_clock::now();
    const auto report = read_engine(ask_engine(endpoint(), limit), {}, error);
    took_ = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
    if (report.engine.state == EngineState::ready) return EngineState::ready;
    said_ = explain_state(state_of(error, endpoint()), error, "unix:" + socket());
    return state_of(error, endpoint());
  }

  test::TempDir dir_;
  milliseconds took_{0};
  std::string said_;
};

TEST_F(AskOnce, NoSocketIsAbsent) {
  EXPECT_EQ(state(), EngineState::absent);
  EXPECT_NE(said_.find("there is no container engine at unix:" + socket()), std::string::npos);
}

TEST_F(AskOnce, WhoAsksIsToldHowAnEngineIsStarted) {
  const auto answer = ask_engine(endpoint(), milliseconds(2'000))("/version");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::not_found);
  EXPECT_NE(answer.error().remedy.find("systemctl start docker"), std::string::npos);
  EXPECT_EQ(answer.error().remedy.find("estiva"), std::string::npos) << "that is not the engine";
}

TEST_F(AskOnce, ASocketThatNobodyListensOnIsUnreachable) {
  { FakeEngine engine(socket(), ""); }
  EXPECT_EQ(state(), EngineState::unreachable);
  EXPECT_NE(said_.find("systemctl status docker"), std::string::npos) << said_;
}

TEST_F(AskOnce, OneThatNeverAnswersIsLeftAtTheLimit) {
  FakeEngine engine(socket(), "", false);
  EXPECT_EQ(state(milliseconds(300)), EngineState::unreachable);
  EXPECT_GE(took_, milliseconds(250));
  EXPECT_LT(took_, milliseconds(3'000));
}

TEST_F(AskOnce, OneThatStopsInMidAnswerIsLeftAtTheLimit) {
  FakeEngine engine(socket(), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Api", false);
  EXPECT_EQ(state(milliseconds(300)), EngineState::unreachable);
  EXPECT_LT(took_, milliseconds(3'000));
}

TEST_F(AskOnce, OneThatDiesInMidAnswer) {
  FakeEngine engine(socket(), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Api");
  EXPECT_EQ(state(), EngineState::unreachable);
}

TEST_F(AskOnce, AnswersThatAreNoneOfTheApi) {
  for (const char* body : {"", "{}", "[]", "{\"ApiVersion\":7}", "<html>"}) {
    ::unlink(socket().c_str());
    FakeEngine engine(socket(), http(body));
    EXPECT_EQ(state(), EngineState::unreachable) << body;
  }
  ::unlink(socket().c_str());
  FakeEngine engine(socket(), http("{\"message\":\"no\"}", "500 Internal Server Error"));
  EXPECT_EQ(state(), EngineState::unreachable);
  EXPECT_NE(said_.find("500"), std::string::npos) << said_;
}

TEST_F(AskOnce, AReadyOneWhoseOtherAnswersMakeNoSense) {
  FakeEngine engine(socket(), http(R"({"ApiVersion":"1.51","Version":"28.5.2"})"));
  Error error;
  const auto report = read_engine(ask_engine(endpoint(), milliseconds(2'000)), {}, error);
  EXPECT_EQ(report.engine.state, EngineState::ready);
  EXPECT_EQ(report.engine.version, "28.5.2");
  EXPECT_EQ(report.trouble.size(), 1u) << "the list of containers is no list";
}

TEST_F(AskOnce, AllQuestionsShareTheLimit) {
  FakeEngine engine(socket(), http(R"({"ApiVersion":"1.51"})"));
  const auto ask = ask_engine(endpoint(), milliseconds(200));
  EXPECT_TRUE(ask("/version"));
  std::this_thread::sleep_for(milliseconds(250));
  const auto late = ask("/info");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::timed_out);
  EXPECT_EQ(engine.served(), 1);
}

TEST_F(AskOnce, WithoutPermissionItIsDenied) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  FakeEngine engine(socket(), http("{}"));
  ::chmod(socket().c_str(), 0600);
  ::chmod(dir_.path().c_str(), 0755);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
    const auto answer = ask_engine(endpoint(), milliseconds(500))("/version");
    const bool is_denied = !answer && state_of(answer.error(), endpoint()) == EngineState::denied;
    ::_exit(is_denied ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(AskOnce, RecordedAnswersByQuestion) {
  dir_.write("docker/version.json", "v");
  dir_.write("docker/info.json", "i");
  dir_.write("docker/containers.json", "c");
  dir_.write("docker/inspect/ab12.json", "one");
  dir_.write("docker/images/cd34.json", "image");
  dir_.write("docker/logs/ab12.txt", "log");
  const auto root = host::Root::open(dir_.path());
  const auto ask = ask_recorded_engine(*root, "/docker");
  EXPECT_EQ(ask("/version").value(), "v");
  EXPECT_EQ(ask("/info").value(), "i");
  EXPECT_EQ(ask("/containers/json?all=1").value(), "c");
  EXPECT_EQ(ask("/containers/ab12/json").value(), "one");
  EXPECT_EQ(ask("/images/sha256:cd34/json").value(), "image");
  EXPECT_EQ(ask("/containers/ab12/logs?stdout=1&tail=5").value(), "log");
  for (const char* target : {"/containers/ff/json", "/images/ab12/json", "/events", "/containers/",
                             "/containers/ab12/top", "/containers/../version/json"}) {
    const auto none = ask(target);
    ASSERT_FALSE(none) << target;
    EXPECT_EQ(none.error().kind, ErrorKind::not_found) << target;
  }
}

TEST_F(AskOnce, ARecordedErrorStandsForItsState) {
  const auto root = host::Root::open(dir_.path());
  const auto ask = ask_recorded_engine(*root, "/docker");
  const auto state_for = [&](const std::string& text) {
    dir_.write("docker/error", text);
    const auto answer = ask("/version");
    EXPECT_FALSE(answer);
    EXPECT_EQ(answer.error().what, "the reason");
    return state_of(answer.error(), {});
  };
  EXPECT_EQ(state_for("absent: the reason\n"), EngineState::absent);
  EXPECT_EQ(state_for("denied: the reason\n"), EngineState::denied);
  EXPECT_EQ(state_for("unsupported: the reason"), EngineState::unsupported);
  EXPECT_EQ(state_for("unreachable: the reason"), EngineState::unreachable);
}

}  // namespace
}  // namespace estiva::container
