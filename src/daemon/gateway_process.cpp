#include "daemon/gateway_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/wait.h>

#include "base/log.h"
#include "host/spawn.h"

// glibc 2.36 declares its functions without C linkage for C++.
extern "C" {
#include <sys/pidfd.h>
}

namespace estiva::daemon {

namespace {

using namespace std::chrono_literals;
constexpr Nanoseconds kFirstPause = 250ms;
constexpr Nanoseconds kLongestPause = 30s;

}  // namespace

void GatewayProcess::went() {
  connected_pid_ = 0;
  // It may only have lost the connection: it comes back within moments.
  if (child_ == 0) want(500ms);
}

void GatewayProcess::want(Nanoseconds patience) {
  if (stopped_ || command_.empty()) return;
  if (patience <= 0ns) return start();
  timer_ = loop_.every(patience, [this] {
    loop_.post([this] {
      timer_.reset();
      if (connected_pid_ == 0 && child_ == 0 && !stopped_) start();
    });
  });
}

void GatewayProcess::start() {
  if (const int number = host::spawn({command_, {}, {{2, 2}}}, child_); number != 0) {
    log(LogLevel::error, "the gateway can't be started",
        {{"program", command_.front()}, {"error", std::strerror(number)}});
    child_ = 0;
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    return want(pause_);
  }
  child_end_ = UniqueFd(pidfd_open(child_, 0));
  watch_ = loop_.on_readable(child_end_.get(), [this] {
    // Posted: the handle that called us must not be destroyed under us.
    loop_.post([this] { ended(); });
  });
}

void GatewayProcess::ended() {
  int status = 0;
  if (child_ == 0 || ::waitpid(child_, &status, WNOHANG) != child_) return;
  watch_.reset();
  child_end_ = UniqueFd();
  child_ = 0;
  if (stopped_) return;
  log(LogLevel::warning, "the gateway ended", {{"status", status}});
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  want(pause_);
}

void GatewayProcess::stop() {
  stopped_ = true;
  timer_.reset();
  if (command_.empty()) return;
  const pid_t pid = child_ != 0 ? child_ : connected_pid_;
  if (pid > 0) ::kill(pid, SIGTERM);
}

}  // namespace estiva::daemon
