// estiva-launch: starts one program of estivad's, apart from it, and stays until all of it has
// ended. systemd starts one of these for each connection to launch.sock, each in a unit of its own
// below estiva-models.slice; so the program has neither estivad's limits nor its sandbox, and does
// not end with it. Root, so that it can become the model's user; it becomes nobody else's.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engines/control_group.h"
#include "engines/launch.h"
#include "engines/launch_protocol.h"
#include "engines/launch_rules.h"
#include "engines/process_tree.h"
#include "host/process.h"
#include "host/settings_file.h"
#include "host/spawn.h"

extern char** environ;

using namespace estiva;
using namespace estiva::engines;

namespace {

constexpr int kConnection = STDIN_FILENO;
// After the first process has ended, others of it may live; looked at this often.
constexpr useconds_t kLook = 50'000;

int refuse(const UniqueFd& connection, const Error& error) {
  LaunchAnswer answer;
  answer.kind = static_cast<int>(error.kind);
  answer.error = error.what;
  answer.remedy = error.remedy;
  std::fprintf(stderr, "%s\n", error.sentence().c_str());
  return send_packet(connection, to_text(answer)) == 0 ? 0 : 1;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// Groups first, then the user, and no way back. Nothing of the asker's is looked at before.
bool become(const Account& account) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         (::geteuid() != 0 || ::initgroups(account.name.c_str(), account.gid) == 0) &&
         ::setresgid(account.gid, account.gid, account.gid) == 0 &&
         ::setresuid(account.uid, account.uid, account.uid) == 0;
}

// In the child: waits for the word to go and becomes the program. Without that word, which is the
// end of the pipe when estivad is dead, it ends. exec keeps the process, its number and start time.
[[noreturn]] void be_the_program(const Permit& permit, const Account& account, int output, int go) {
  const auto words = pointers(permit.words), variables = pointers(permit.environment);
  const auto fail_with = [&](const char* doing) {
    ::dprintf(output, "%s: %s: %s\n", permit.words[0].c_str(), doing, std::strerror(errno));
    ::_exit(127);
  };
  ::setsid();
  if (!become(account)) fail_with(account.name.c_str());
  if (::chdir(permit.directory.c_str()) != 0) fail_with(permit.directory.c_str());
  char word = 0;
  ssize_t got = 0;
  while ((got = ::read(go, &word, 1)) < 0 && errno == EINTR) {
  }
  if (got != 1) ::_exit(1);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (::dup2(nothing, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0)
    fail_with("descriptors");
  ::close_range(3, ~0U, 0);
  ::execve(words[0], words.data(), variables.data());
  ::dprintf(2, "%s: %s\n", words[0], std::strerror(errno));
  ::_exit(127);
}

// Waits for the first process's end and tells it; then until nobody is left of the group.
int stay(const UniqueFd& connection, pid_t pid, const ControlGroup& group) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  LaunchAnswer end;
  end.has_ended = true;
  end.status = status;
  send_packet(connection, to_text(end));  // nobody may listen any more
  for (auto left = members_of(group); left && !left->empty(); left = members_of(group))
    ::usleep(kLook);
  remove_control_group(group);
  return 0;
}

// TERM to each that is in the group before and after its number is held by a descriptor: so it
// can't be another's by then.
void end_members(const ControlGroup& group) {
  std::vector<std::pair<pid_t, UniqueFd>> held;
  for (const pid_t pid : members_of(group).value_or(std::vector<pid_t>()))
    held.emplace_back(pid, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const auto still = members_of(group).value_or(std::vector<pid_t>());
  for (const auto& [pid, fd] : held) {
    if (fd && std::find(still.begin(), still.end(), pid) != still.end())
      ::syscall(SYS_pidfd_send_signal, fd.get(), SIGTERM, nullptr, 0);
  }
}

int start(const UniqueFd& connection, const host::Root& root, const LaunchRequest& request,
          const Account& asker, const std::vector<UniqueFd>& handed) {
  const auto settings = []() -> Result<format::Settings> {
    auto loaded = host::read_settings();
    if (!loaded) return Failure(loaded.error());
    return std::move(loaded->settings);
  };
  auto permit = permit_launch(request, asker.name, environ, settings);
  if (!permit) return refuse(connection, permit.error());
  const auto account = permit->user.empty() ? asker : find_account(permit->user);
  if (!account) return refuse(connection, Error{ErrorKind::usage, permit->user, {}});
  const auto group = make_control_group(root, group_name(request.model, request.mark));
  if (!group || !let_kill(*group, asker.uid))
    return refuse(connection, fail_errno("cgroup", errno).value());
  const UniqueFd folder = open_control_group(*group);
  const pid_t born = folder ? host::fork_into(folder.get()) : -1;
  const pid_t pid = born < 0 ? ::fork() : born;
  if (pid == 0) be_the_program(*permit, *account, handed[0].get(), handed[1].get());
  if (pid < 0) return refuse(connection, fail_errno("fork", errno).value());
  LaunchAnswer answer;
  answer.pid = pid;
  const auto ticks = host::start_ticks_of(root, pid);
  answer.start_ticks = ticks.value_or(0);
  answer.group = group->folder;
  answer.group_inode = group->inode;
  if ((born < 0 && !put_into(*group, pid)) || !ticks ||
      send_packet(connection, to_text(answer)) != 0)
    ::kill(pid, SIGKILL);
  return stay(connection, pid, *group);
}

}  // namespace

int main() {
  const UniqueFd connection(::fcntl(kConnection, F_DUPFD_CLOEXEC, 3));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(kConnection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    std::fprintf(stderr, "estiva-launch is started by systemd\n");
    return 2;
  }
  const auto packet = receive_packet(connection);
  const auto request =
      packet ? parse_launch_request(packet->text) : Result<LaunchRequest>(fail(""));
  const auto asker = find_account(peer.uid);
  const auto root = host::Root::open();
  if (!request || !asker || !root) return 2;
  if (request->is_end) {
    const ControlGroup group{request->group, request->group_inode};
    if (!may_kill(group, peer.uid)) return 2;
    end_members(group);
    return 0;
  }
  if (packet->handed.size() != 2) return 2;
  return start(connection, *root, *request, *asker, packet->handed);
}
