#include "daemon/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/messages/daemon.h"
#include "base/unique_fd.h"
#include "host/program.h"
#include "host/spawn.h"

extern "C" {
#include <sys/pidfd.h>
}

extern char** environ;

namespace estiva::daemon {
namespace {

// Of what it printed, for the sentence of an error.
constexpr std::size_t kKept = 4096, kShown = 200;

// A file without a name: it takes what is written at once, so no pipe can fill up.
Result<UniqueFd> memory_file(const char* name, std::string_view content) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return fail_errno("make room for a program's input", errno);
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_errno("write a program's input", errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

class Child : public std::enable_shared_from_this<Child> {
 public:
  Child(net::Loop& loop, ChildDone done) : loop_(loop), done_(std::move(done)) {}
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<void> start(ChildRun run) {
    auto input = memory_file("input", run.input);
    auto output = memory_file("output", {});
    if (!input) return Failure(input.error());
    if (!output) return Failure(output.error());
    output_ = std::move(*output);
    name_ = run.command.empty() ? std::string() : run.command.front();
    if (auto spawned = spawn(run, input->get()); !spawned) return spawned;
    ended_ = UniqueFd(::pidfd_open(pid_, 0));
    if (!ended_) return fail_errno("watch " + name_, errno);
    watch_ = loop_.on_readable(ended_.get(), [this] { has_ended(); });
    timer_ = loop_.every(run.limit, [this] {
      timed_out_ = true;
      ::kill(-pid_, SIGKILL);
    });
    return {};
  }

 private:
  Result<void> spawn(ChildRun& run, int input) {
    host::Spawn what{
        std::move(run.command),
        std::move(run.environment),
        {{input, STDIN_FILENO}, {output_.get(), STDOUT_FILENO}, {output_.get(), STDERR_FILENO}}};
    for (char** variable = environ; *variable != nullptr; ++variable) {
      what.environment.emplace_back(*variable);
    }
    const int error = host::spawn(what, pid_);
    if (error == 0) return {};
    pid_ = 0;
    if (error != ENOENT) return fail_errno("start " + name_, error);
    return fail(ErrorKind::not_found, fmt::format(msg::kNoProgram, name_), msg::kNoProgramRemedy);
  }

  // The last line that it printed, fit to be shown.
  std::string last_words() const {
    char text[kKept];
    const off_t size = ::lseek(output_.get(), 0, SEEK_END);
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(sizeof text));
    const ssize_t n = ::pread(output_.get(), text, sizeof text, from);
    return host::last_line({text, n > 0 ? static_cast<std::size_t>(n) : 0}, kShown);
  }

  void has_ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
    ::kill(-pid_, SIGKILL);  // what it left running
    pid_ = 0;
    Result<void> result;
    if (timed_out_) {
      result = fail(ErrorKind::timed_out, fmt::format(msg::kProgramSlow, name_));
    } else if (WIFSIGNALED(status)) {
      result = fail(fmt::format(msg::kProgramSignal, name_, WTERMSIG(status), last_words()));
    } else if (WEXITSTATUS(status) != 0) {
      result = fail(fmt::format(msg::kProgramFailed, name_, WEXITSTATUS(status), last_words()));
    }
    // Posted: the handle may be dropped by whoever is told, and this is the watch's own call.
    loop_.post([self = weak_from_this(), result = std::move(result)] {
      const auto child = self.lock();
      if (child && child->done_) std::exchange(child->done_, {})(result);
    });
    loop_.post([watch = std::move(watch_), timer = std::move(timer_)] {});
  }

  void end() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);  // killed: at once
    pid_ = 0;
  }

  net::Loop& loop_;
  ChildDone done_;
  std::string name_;
  UniqueFd output_, ended_;
  std::shared_ptr<void> watch_, timer_;
  pid_t pid_ = 0;
  bool timed_out_ = false;
};

}  // namespace

std::shared_ptr<void> run_child(net::Loop& loop, ChildRun run, ChildDone done) {
  auto child = std::make_shared<Child>(loop, done);
  auto started = child->start(std::move(run));
  if (!started) {
    loop.post([done = std::move(done), error = started.error()] { done(Failure(error)); });
    return nullptr;
  }
  return child;
}

}  // namespace estiva::daemon
