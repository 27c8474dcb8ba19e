#include "act/command.h"

#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/messages/act.h"
#include "base/unique_fd.h"
#include "format/text.h"

extern "C" {
#include <sys/pidfd.h>
}

extern char** environ;

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr std::size_t kKept = 64 << 10;  // of what it writes; the rest is not needed by any step
constexpr std::size_t kShown = 300;      // of its last line, in a sentence

// The folders of administrators' programs are not in every PATH that runs us.
constexpr std::string_view kMoreFolders = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";

std::string find_program(const std::string& name) {
  if (name.find('/') != name.npos) return name;
  const char* path = std::getenv("PATH");
  std::string folders = fmt::format("{}:{}", path == nullptr ? "" : path, kMoreFolders);
  for (std::string_view rest = folders; !rest.empty();) {
    const auto end = rest.find(':');
    const auto folder = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    // A relative folder in PATH is nothing that root should run programs from.
    if (!folder.starts_with('/')) continue;
    std::string file = fmt::format("{}/{}", folder, name);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::string read_kept(const UniqueFd& fd) {
  std::string text(kKept, '\0');
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

// Its words with a plain language and no pager, whatever the caller's environment says.
std::vector<std::string> environment() {
  std::vector<std::string> out{"LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (text.starts_with("LC_ALL=") || text.starts_with("SYSTEMD_")) continue;
    out.emplace_back(text);
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

class Spawned {
 public:
  Spawned()
      : output_(::memfd_create("output", MFD_CLOEXEC)),
        errors_(::memfd_create("errors", MFD_CLOEXEC)) {}
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;
  ~Spawned() { end(); }

  // 0 or an errno value.
  int start(const std::string& program, std::vector<std::string> words) {
    if (!output_ || !errors_) return errno;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output_.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, errors_.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    auto variables = environment();
    const auto words_at = pointers(words), variables_at = pointers(variables);
    const int error = ::posix_spawn(&pid_, program.c_str(), &files, &attributes, words_at.data(),
                                    variables_at.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) pid_ = 0;
    return error;
  }

  // False when it did not end in time.
  bool wait(std::chrono::milliseconds limit) {
    const UniqueFd ended(::pidfd_open(pid_, 0));
    const SteadyTime deadline = steady_now() + limit;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_now()).count();
      if (left <= 0) return false;
      pollfd watched{ended.get(), POLLIN, 0};
      if (::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000))) > 0) {
        return true;
      }
    }
  }

  // Ends it where it still runs, with those it started.
  CommandEnd end() {
    CommandEnd result;
    if (pid_ <= 0) return result;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    result.output = read_kept(output_);
    result.errors = read_kept(errors_);
    return result;
  }

 private:
  UniqueFd output_, errors_;
  pid_t pid_ = 0;
};

std::string last_line(std::string_view text) {
  text = format::trim(text);
  if (const auto line = text.rfind('\n'); line != text.npos) text.remove_prefix(line + 1);
  return format::escape_for_terminal(text.substr(0, kShown));
}

}  // namespace

Result<CommandEnd> RealCommands::run(const Command& command) {
  const std::string program = find_program(command.words.front());
  if (program.empty()) {
    return fail(ErrorKind::not_found, fmt::format(m::kNoProgram, command.words.front()),
                std::string(m::kNoProgramHow));
  }
  Spawned child;
  if (const int error = child.start(program, command.words); error != 0) {
    return fail_errno(shown(command), error);
  }
  if (!child.wait(command.limit)) {
    const auto seconds = std::chrono::duration<double>(command.limit).count();
    return fail(ErrorKind::timed_out, fmt::format(m::kProgramSlow, shown(command), seconds));
  }
  return child.end();
}

std::string shown(const Command& command) {
  return format::escape_for_terminal(fmt::format("{}", fmt::join(command.words, " ")));
}

Result<std::string> run_checked(CommandRunner& runner, const Command& command) {
  auto end = runner.run(command);
  if (!end) return Failure(end.error());
  if (end->exit_code == 0) return std::move(end->output);
  std::string words = last_line(end->errors);
  if (words.empty()) words = last_line(end->output);
  if (words.empty()) words = m::kSaidNothing;
  const bool signalled = end->exit_code > 128;
  return fail(fmt::format(fmt::runtime(signalled ? m::kProgramSignal : m::kProgramFailed),
                          shown(command), signalled ? end->exit_code - 128 : end->exit_code, words),
              std::string(m::kProgramFailedHow));
}

}  // namespace estiva::act
