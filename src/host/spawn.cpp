#include "host/spawn.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char** environ;

namespace estiva::host {
namespace {

struct Settings {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  Settings() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~Settings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
};

void hand_on(const std::vector<Handed>& handed, posix_spawn_file_actions_t* files) {
  int next = STDERR_FILENO + 1;
  for (const auto& [ours, theirs] : handed) {
    const int way = theirs == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    if (ours < 0) {
      posix_spawn_file_actions_addopen(files, theirs, "/dev/null", way, 0);
    } else {
      posix_spawn_file_actions_adddup2(files, ours, theirs);
    }
    if (theirs >= next) next = theirs + 1;
  }
  posix_spawn_file_actions_addclosefrom_np(files, next);
}

void be_fresh(posix_spawnattr_t* attributes, bool own_session) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setpgroup(attributes, 0);
  const int apart = own_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(
      attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | apart));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// What posix_spawn(3) does in the child, by calls that are safe after a fork. Does not return.
[[noreturn]] void become(const Spawn& what, char* const* words, char* const* variables) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (what.own_session) {
    ::setsid();
  } else {
    ::setpgid(0, 0);
  }
  bool is_well = what.directory.empty() || ::chdir(what.directory.c_str()) == 0;
  int next = STDERR_FILENO + 1;
  for (const auto& [ours, theirs] : what.handed) {
    const int way = theirs == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    const int fd = ours < 0 ? ::open("/dev/null", way) : ours;
    is_well = is_well && ::dup2(fd, theirs) == theirs;
    if (fd == theirs) is_well = is_well && ::fcntl(fd, F_SETFD, 0) == 0;
    if (theirs >= next) next = theirs + 1;
  }
  ::close_range(static_cast<unsigned>(next), ~0U, 0);
  if (is_well) ::execve(words[0], words, variables);
  ::_exit(127);
}

}  // namespace

pid_t fork_into(int group_folder) {
  clone_args how{};
  how.flags = CLONE_INTO_CGROUP;
  how.exit_signal = SIGCHLD;
  how.cgroup = static_cast<__u64>(group_folder);
  return static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
}

std::optional<int> spawn_into(int group_folder, const Spawn& what, pid_t& pid) {
  if (what.words.empty() || what.words[0].empty()) return ENOENT;
  const auto words = pointers(what.words), variables = pointers(what.environment);
  pid = fork_into(group_folder);
  if (pid == 0) become(what, words.data(), what.environment.empty() ? environ : variables.data());
  if (pid < 0) return std::nullopt;
  return 0;
}

int spawn(const Spawn& what, pid_t& pid) {
  if (what.words.empty() || what.words[0].empty()) return ENOENT;
  Settings settings;
  hand_on(what.handed, &settings.files);
  if (!what.directory.empty())
    posix_spawn_file_actions_addchdir_np(&settings.files, what.directory.c_str());
  be_fresh(&settings.attributes, what.own_session);
  const auto words = pointers(what.words), variables = pointers(what.environment);
  return ::posix_spawnp(&pid, words[0], &settings.files, &settings.attributes, words.data(),
                        what.environment.empty() ? environ : variables.data());
}

}  // namespace estiva::host
