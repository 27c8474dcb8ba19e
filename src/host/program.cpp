#include "host/program.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/messages/host.h"
#include "base/unique_fd.h"
#include "base/units.h"

extern char** environ;

namespace estiva::host {
namespace {

using std::chrono::milliseconds;

// After the kill: what does not end by then hangs in the kernel.
constexpr milliseconds kDeathTime{200};

struct SpawnSettings {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

// No input, its output to `out`, signals as a fresh program has them, a group of its own.
void prepare(SpawnSettings& settings, int out) {
  auto* files = &settings.files;
  posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

Result<pid_t> start(const std::vector<std::string>& words, int out) {
  SpawnSettings settings;
  prepare(settings, out);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, argv[0], &settings.files, &settings.attributes, argv.data(), environ);
  if (error == 0) return pid;
  auto failure = fail_errno(fmt::format(msg::kStarting, words[0]), error);
  if (error == ENOENT) failure.value().kind = ErrorKind::not_found;
  return failure;
}

Failure too_slow(const std::string& program, milliseconds limit) {
  return fail(ErrorKind::timed_out, fmt::format(msg::kProgramSilent, program, limit.count()));
}

// To the end of its output.
Result<std::string> read_output(int fd, const std::string& program, const ProgramLimits& limits,
                                SteadyTime deadline) {
  std::string output;
  char buffer[16384];
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_now());
    pollfd query{fd, POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&query, 1, static_cast<int>(left.count()));
    if (ready == 0) return too_slow(program, limits.time);
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got == 0) return output;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format(msg::kReading, program), errno);
    if (output.size() + static_cast<std::size_t>(got) > limits.output) {
      return fail(fmt::format(msg::kFileTooBig, program, to_text(Bytes{limits.output})));
    }
    output.append(buffer, static_cast<std::size_t>(got));
  }
}

// True where it has ended by the deadline.
bool wait_for_end(pid_t pid, SteadyTime deadline, int& status) {
  while (true) {
    const pid_t got = ::waitpid(pid, &status, WNOHANG);
    if (got == pid || (got < 0 && errno != EINTR)) return true;
    if (steady_now() >= deadline) return false;
    ::usleep(500);
  }
}

}  // namespace

Result<ProgramAnswer> ask_program(const std::vector<std::string>& words,
                                  const ProgramLimits& limits) {
  int pair[2];
  if (::pipe2(pair, O_CLOEXEC) != 0) {
    return fail_errno(fmt::format(msg::kStarting, words[0]), errno);
  }
  const UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const SteadyTime deadline = steady_now() + limits.time;
  const auto pid = start(words, theirs.get());
  theirs.reset();
  if (!pid) return Failure(pid.error());
  auto output = read_output(ours.get(), words[0], limits, deadline);
  int status = 0;
  bool has_ended = output && wait_for_end(*pid, deadline, status);
  if (!has_ended) {
    ::kill(-*pid, SIGKILL);
    (void)wait_for_end(*pid, steady_now() + kDeathTime, status);
    if (!output) return Failure(output.error());
    return too_slow(words[0], limits.time);
  }
  ProgramAnswer answer;
  answer.output = std::move(*output);
  if (WIFSIGNALED(status)) answer.signal = WTERMSIG(status);
  if (WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
  return answer;
}

}  // namespace estiva::host
