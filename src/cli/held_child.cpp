#include "cli/held_child.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/messages/cli.h"

namespace estiva::cli {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
};

void close_all(std::initializer_list<int> fds) {
  for (const int fd : fds)
    if (fd >= 0) ::close(fd);
}

bool open_pipe(Pipe& pipe) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  pipe = {fds[0], fds[1]};
  return true;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[512];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count > 0)
      text.append(buffer, static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
      return text;
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

int shell_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// "go\0NAME=VALUE\0NAME=VALUE\0": the first word tells a grant from an end of file.
bool take_environment(std::string text) {
  if (!text.starts_with(std::string_view("go\0", 3))) return false;
  for (std::size_t at = 3; at < text.size();) {
    const std::size_t end = text.find('\0', at);
    const std::size_t equals = text.find('=', at);
    if (end == std::string::npos || equals > end) return false;
    text[equals] = '\0';
    if (::setenv(text.c_str() + at, text.c_str() + equals + 1, 1) != 0) return false;
    at = end + 1;
  }
  return true;
}

// The child from fork to exec; never returns.
[[noreturn]] void hold_then_run(const std::vector<std::string>& command, const sigset_t& signals,
                                pid_t parent, int go, int errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(125);  // it ended before we could ask to be told
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  if (!take_environment(read_all(go))) ::_exit(125);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  const int number = errno;
  (void)!::write(errors, &number, sizeof number);
  ::_exit(number == ENOENT ? 127 : 126);
}

}  // namespace

Result<HeldChild> HeldChild::start(const std::vector<std::string>& command,
                                   const sigset_t& signals) {
  Pipe go, errors;
  if (!open_pipe(go) || !open_pipe(errors)) {
    const int number = errno;
    close_all({go.read_end, go.write_end});
    return fail_errno(msg::cli::kMakingPipe, number);
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int number = errno;
    close_all({go.read_end, go.write_end, errors.read_end, errors.write_end});
    return fail_errno(msg::cli::kMakingProcess, number);
  }
  if (pid == 0) {
    close_all({go.write_end, errors.read_end});
    hold_then_run(command, signals, parent, go.read_end, errors.write_end);
  }
  close_all({go.read_end, errors.write_end});
  return HeldChild(pid, go.write_end, errors.read_end);
}

HeldChild::HeldChild(HeldChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      go_(std::exchange(other.go_, -1)),
      errors_(std::exchange(other.errors_, -1)) {}

HeldChild::~HeldChild() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait_exit();
  }
  close_all({go_, errors_});
}

int HeldChild::let_go(const EnvironmentChanges& environment) {
  std::string text("go\0", 3);
  for (const auto& [name, value] : environment) {
    text.append(name).append("=").append(value);
    text += '\0';
  }
  write_all(std::as_const(go_), text);  // a child that is gone shows in its exit status
  close_all({std::exchange(go_, -1)});
  const std::string answer = read_all(errors_);
  if (answer.size() != sizeof(int)) return 0;
  wait_exit();
  int number = 0;
  std::memcpy(&number, answer.data(), sizeof number);
  return number;
}

std::optional<int> HeldChild::poll_exit() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return shell_status(status);
}

int HeldChild::wait_exit() {
  int status = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return shell_status(status);
}

}  // namespace estiva::cli
