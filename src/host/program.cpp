#include "host/program.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/messages/host.h"
#include "base/unique_fd.h"
#include "base/units.h"
#include "format/text.h"
#include "host/spawn.h"

extern "C" {
#include <sys/pidfd.h>
}

namespace estiva::host {
namespace {

using std::chrono::milliseconds;

// After the kill: what does not end by then hangs in the kernel.
constexpr milliseconds kDeathTime{200};
// Between two looks where the kernel or a filter of calls has no pidfd.
constexpr milliseconds kLook{5};

// One of its two streams: a pipe, of which we hold the end to read from, or a file in memory.
struct Stream {
  UniqueFd ours, theirs;
  std::string text;

  int open(bool as_file) {
    if (as_file) {
      theirs = UniqueFd(::memfd_create("output", MFD_CLOEXEC));
      // Opened anew: with a place of its own to read from.
      const auto path = fmt::format("/proc/self/fd/{}", theirs.get());
      ours = UniqueFd(theirs ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1);
      return ours ? 0 : errno;
    }
    int pair[2];
    if (::pipe2(pair, O_CLOEXEC) != 0) return errno;
    ours = UniqueFd(pair[0]);
    theirs = UniqueFd(pair[1]);
    return ::fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
  }
};

class Running {
 public:
  Running(const std::vector<std::string>& words, const ProgramLimits& limits)
      : name_(words[0]), limits_(limits), deadline_(steady_now() + limits.time) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { end(); }

  Result<void> start(const std::vector<std::string>& words) {
    int error = output_.open(limits_.outlives_us);
    if (error == 0 && limits_.keeps_errors) error = errors_.open(limits_.outlives_us);
    const Spawn what{words,
                     limits_.environment,
                     {{-1, STDIN_FILENO},
                      {output_.theirs.get(), STDOUT_FILENO},
                      {limits_.keeps_errors ? errors_.theirs.get() : -1, STDERR_FILENO}}};
    if (error == 0) error = spawn(what, pid_);
    output_.theirs.reset();
    errors_.theirs.reset();
    if (error == 0) {
      ended_ = UniqueFd(::pidfd_open(pid_, 0));
      return {};
    }
    pid_ = 0;
    auto failure = fail_errno(fmt::format(msg::kStarting, name_), error);
    if (error == ENOENT) failure.value().kind = ErrorKind::not_found;
    return failure;
  }

  // Reads what it says until it has ended.
  Result<void> listen() {
    for (;;) {
      const bool ended = has_ended();  // asked first: what it said is all there then
      if (ended || !limits_.outlives_us) {
        for (Stream* stream : {&output_, &errors_})
          if (auto read = read_all(*stream); !read) return read;
      }
      if (ended) return {};
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_now());
      if (left.count() <= 0) {
        return fail(ErrorKind::timed_out,
                    fmt::format(msg::kProgramSilent, name_, limits_.time.count()));
      }
      wait(ended_ ? left : std::min(left, kLook));
    }
  }

  ProgramAnswer answer() {
    const int status = end();
    ProgramAnswer answer;
    answer.output = std::move(output_.text);
    answer.errors = std::move(errors_.text);
    if (WIFSIGNALED(status)) answer.signal = WTERMSIG(status);
    if (WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
    return answer;
  }

 private:
  // It stays to be reaped, so its number is nobody else's.
  bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid_;
  }

  Result<void> read_all(Stream& stream) {
    char buffer[16384];
    while (stream.ours) {
      const ssize_t got = ::read(stream.ours.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return {};
      if (got < 0) return fail_errno(fmt::format(msg::kReading, name_), errno);
      if (got == 0) stream.ours.reset();
      const auto room = limits_.output - stream.text.size();
      const auto more = static_cast<std::size_t>(got);
      if (more > room && !limits_.cuts_output) {
        return fail(fmt::format(msg::kFileTooBig, name_, to_text(Bytes{limits_.output})));
      }
      stream.text.append(buffer, std::min(more, room));
      if (steady_now() >= deadline_) return {};  // it may write without an end
    }
    return {};
  }

  void wait(milliseconds time) const {
    const bool by_pipe = !limits_.outlives_us;  // a file can always be read
    pollfd watched[] = {{by_pipe ? output_.ours.get() : -1, POLLIN, 0},  // below 0: passed over
                        {by_pipe ? errors_.ours.get() : -1, POLLIN, 0},
                        {ended_.get(), POLLIN, 0}};
    ::poll(watched, std::size(watched),
           static_cast<int>(std::min<std::int64_t>(time.count(), 60'000)));
  }

  // With those that it started. Its status.
  int end() {
    if (pid_ <= 0) return 0;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    for (const SteadyTime last = steady_now() + kDeathTime; steady_now() < last; ::usleep(500)) {
      const pid_t got = ::waitpid(pid_, &status, WNOHANG);
      if (got == pid_ || (got < 0 && errno != EINTR)) break;
    }
    pid_ = 0;
    return status;
  }

  const std::string& name_;
  const ProgramLimits& limits_;
  const SteadyTime deadline_;
  Stream output_, errors_;
  UniqueFd ended_;
  pid_t pid_ = 0;
};

}  // namespace

Result<ProgramAnswer> ask_program(const std::vector<std::string>& words,
                                  const ProgramLimits& limits) {
  Running program(words, limits);
  if (auto started = program.start(words); !started) return Failure(started.error());
  if (auto heard = program.listen(); !heard) return Failure(heard.error());
  return program.answer();
}

std::string last_line(std::string_view said, std::size_t most) {
  said = format::trim(said);
  if (const auto line = said.rfind('\n'); line != said.npos) said.remove_prefix(line + 1);
  return format::escape_for_terminal(said.substr(0, most));
}

}  // namespace estiva::host
