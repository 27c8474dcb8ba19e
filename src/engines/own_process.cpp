#include "engines/own_process.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "base/messages/engines.h"
#include "engines/launcher.h"
#include "format/text.h"
#include "host/process.h"
#include "host/random.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

using std::chrono::milliseconds;

// After KILL. What does not end by then hangs in the kernel.
constexpr Nanoseconds kKillTime = std::chrono::seconds(5);
// Between two looks whether all have ended; the leader's end is told at once.
constexpr Nanoseconds kShortestLook = milliseconds(2), kLongestLook = milliseconds(100);
constexpr int kMostRemovals = 10;

// The kernel's protection of estivad from its out-of-memory killer is not the engine's. Then the
// word to go: without it, and with us dead, the pipe ends and so does the shell. exec keeps the
// process, its number and its start time.
constexpr const char* kHold =
    "{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null; "
    "read -r go <&3 || exit 1; exec 3<&-; exec \"$@\"";
constexpr int kGoDescriptor = 3;

// Without taking the zombie away: its number stays its own until end() is through. Another child
// of ours that has the number of a dead one is not looked at.
std::optional<int> look_at_status(const host::Root& root, const Holder& leader) {
  const auto ticks = host::start_ticks_of(root, leader.pid);
  if (!ticks || *ticks != leader.start_ticks) return std::nullopt;
  siginfo_t info{};
  const auto id = static_cast<id_t>(leader.pid);
  if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != leader.pid)
    return std::nullopt;
  return info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : info.si_status;
}

// In the group from its first moment where the kernel can, else put there; without it where neither
// works.
int spawn_in(std::optional<ControlGroup>& group, const host::Spawn& what, pid_t& pid) {
  const UniqueFd folder = group ? open_control_group(*group) : UniqueFd();
  if (const auto born = folder ? host::spawn_into(folder.get(), what, pid) : std::nullopt)
    return *born;
  const int number = host::spawn(what, pid);
  if (group && (number != 0 || !put_into(*group, pid))) {
    remove_control_group(*group);
    group.reset();
  }
  return number;
}

std::string numbers(const std::vector<Member>& members) {
  std::vector<pid_t> pids;
  for (const Member& member : members) pids.push_back(member.pid);
  return fmt::format("{}", fmt::join(pids, ", "));
}

}  // namespace

Result<std::string> new_mark() {
  std::array<std::uint8_t, 16> bytes;
  if (auto filled = host::fill_random(bytes); !filled) return Failure(filled.error());
  return format::to_hex(bytes);
}

OwnProcess::OwnProcess(net::Loop& loop, const host::Root& root, std::string boot_id,
                       std::string launcher)
    : loop_(loop),
      root_(root),
      boot_id_(std::move(boot_id)),
      launcher_(std::move(launcher)),
      changed_(loop) {}
OwnProcess::~OwnProcess() = default;

Result<void> OwnProcess::hold(const Launch& launch, const std::string& name, std::string mark,
                              const UniqueFd& output) {
  const auto failed = [&](int number) {
    return fail_errno(fmt::format(msg::kStartingModel, name), number,
                      std::string(msg::kStartingModelHow));
  };
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return failed(errno);
  const UniqueFd theirs(pipe[0]);
  UniqueFd ours(pipe[1]);
  host::Spawn what;
  what.words = {"/bin/sh", "-c", kHold, "sh"};
  what.words.insert(what.words.end(), launch.words.begin(), launch.words.end());
  what.environment = launch.environment;
  what.handed = {{-1, STDIN_FILENO},
                 {output.get(), STDOUT_FILENO},
                 {output.get(), STDERR_FILENO},
                 {theirs.get(), kGoDescriptor}};
  what.directory = launch.directory;
  what.own_session = true;
  auto group = make_control_group(root_, group_name(name, mark));
  pid_t pid = 0;
  if (const int number = spawn_in(group, what, pid); number != 0) return failed(number);
  // Not reaped yet, so the number is its own whatever has become of it.
  const auto ticks = host::start_ticks_of(root_, pid);
  tree_ = {{pid, ticks.value_or(0), boot_id_}, std::move(mark), std::move(group)};
  has_ended_ = is_ending_ = false;
  status_.reset();
  go_ = std::move(ours);
  if (!ticks) return Failure(ticks.error());
  return watch();
}

net::Awaitable<Result<void>> OwnProcess::hold_apart(LaunchRequest request, UniqueFd output) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) {
    co_return fail_errno(fmt::format(msg::kStartingModel, request.model), errno,
                         std::string(msg::kStartingModelHow));
  }
  UniqueFd theirs(pipe[0]), ours(pipe[1]);
  std::string mark = request.mark, launcher = launcher_;
  auto held = co_await launch_apart(loop_, std::move(launcher), std::move(request),
                                    std::move(output), std::move(theirs));
  if (!held) co_return Failure(held.error());
  tree_ = {{held->pid, held->start_ticks, boot_id_}, std::move(mark), std::move(held->group)};
  has_ended_ = is_ending_ = false;
  status_.reset();
  go_ = std::move(ours);
  told_ = std::move(held->connection);
  co_return watch();
}

void OwnProcess::let_go() {
  // It may be dead by now: SIGPIPE is ignored in every program of ours, and the watch tells.
  [[maybe_unused]] const ssize_t put = ::write(go_.get(), "go\n", 3);
  go_.reset();
}

Result<void> OwnProcess::adopt(ProcessTree tree) {
  tree_ = std::move(tree);
  has_ended_ = is_ending_ = false;
  status_.reset();
  return watch();
}

Result<void> OwnProcess::watch() {
  auto fd = host::watch_holder(root_, tree_.leader, boot_id_);
  if (!fd) {
    has_ended_ = true;
    status_ = look_at_status(root_, tree_.leader);
    return Failure(fd.error());
  }
  pidfd_ = std::move(*fd);
  if (told_) {
    watch_ = loop_.on_readable(told_.get(), [this] { hear_end(); });
  } else {
    watch_ = loop_.on_readable(pidfd_.get(), [this] { ended_by_itself(); });
  }
  return {};
}

// A launcher that goes before its program leaves it running: then nobody can tell how it ends.
void OwnProcess::hear_end() {
  status_ = read_end(told_);
  watch_.reset();
  told_.reset();
  if (status_ || host::has_ended(pidfd_.get())) return ended_by_itself();
  watch_ = loop_.on_readable(pidfd_.get(), [this] { ended_by_itself(); });
}

void OwnProcess::ended_by_itself() {
  watch_.reset();
  has_ended_ = true;
  if (!status_) status_ = look_at_status(root_, tree_.leader);
  changed_.notify_all();
  if (!is_ending_ && ended_) ended_();
}

std::string OwnProcess::how_it_ended() const {
  if (!status_) return std::string(msg::kExitUnknown);
  if (WIFSIGNALED(*status_)) {
    return fmt::format(msg::kExitSignal, WTERMSIG(*status_), ::strsignal(WTERMSIG(*status_)));
  }
  return fmt::format(msg::kExitCode, WEXITSTATUS(*status_));
}

std::vector<Member> OwnProcess::members() const {
  return members_of(root_, tree_, boot_id_);
}

net::Awaitable<void> OwnProcess::wait(Nanoseconds most) {
  co_await changed_.wait(most);
}

// Without a control group all of /proc is looked through, 10 us a process: on a thread of its own
// then, which touches nothing of ours and may outlive us.
net::Awaitable<std::vector<Member>> OwnProcess::look() {
  if (tree_.group && members_of(*tree_.group)) co_return members();
  struct Look {
    std::optional<std::vector<Member>> found;
    UniqueFd done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  };
  const auto look = std::make_shared<Look>();
  try {
    std::thread([look, dir = root_.dir(), tree = tree_, boot = boot_id_] {
      if (const auto root = host::Root::open(dir)) look->found = members_of(*root, tree, boot);
      ::eventfd_write(look->done.get(), 1);
    }).detach();
  } catch (const std::system_error&) {  // no room for a thread
    co_return members();
  }
  net::Notice came(loop_);
  const auto watch = loop_.on_readable(look->done.get(), [&came] { came.notify_all(); });
  eventfd_t count = 0;
  while (::eventfd_read(look->done.get(), &count) != 0) co_await came.wait();
  co_return look->found ? std::move(*look->found) : members();
}

net::Awaitable<bool> OwnProcess::wait_for_none(std::string mark, Nanoseconds most, bool kills) {
  const SteadyTime deadline = steady_now() + most;
  for (Nanoseconds pause = kShortestLook;; pause = std::min(pause * 2, kLongestLook)) {
    // While the leader lives there is no need to search for the others.
    const bool looks = has_ended_ || kills;
    std::vector<Member> found;
    if (looks && tree_.mark == mark) found = co_await look();
    // Another end() may have been first.
    if (tree_.mark != mark || (looks && found.empty())) co_return true;
    const Nanoseconds left = deadline - steady_now();
    if (left <= Nanoseconds::zero()) co_return false;
    if (kills && !(tree_.group && kill_members(*tree_.group)))
      signal_members(root_, found, SIGKILL);
    const bool waits_for_leader = !has_ended_ && !kills;
    co_await wait(waits_for_leader ? left : std::min(left, pause));
  }
}

net::Awaitable<Result<void>> OwnProcess::end(std::string name, Nanoseconds patience) {
  if (tree_.leader.pid == 0) co_return Result<void>();
  const std::string mark = tree_.mark;
  is_ending_ = true;
  go_.reset();  // one that is still held ends by that
  bool are_gone = false;
  if (patience > Nanoseconds::zero()) {
    const auto all = co_await look();
    if (tree_.mark != mark) co_return Result<void>();
    const bool is_sent = signal_members(root_, all, SIGTERM);
    if (!is_sent && tree_.group && !launcher_.empty()) (void)ask_to_end(launcher_, *tree_.group);
    are_gone = co_await wait_for_none(mark, patience, false);
  }
  if (!are_gone && !co_await wait_for_none(mark, kKillTime, true)) {
    const auto left = members();
    co_return fail(fmt::format(msg::kCannotEnd, left.size(), name, numbers(left)),
                   std::string(msg::kCannotEndHow));
  }
  if (tree_.mark != mark) co_return Result<void>();
  const auto group = tree_.group;
  forget();
  // The last one's end is seen a little before its group is empty. What stays is removed later.
  for (int i = 0; group && !remove_control_group(*group) && i < kMostRemovals; ++i)
    co_await wait(kShortestLook);
  co_return Result<void>();
}

void OwnProcess::forget() {
  if (const auto status = look_at_status(root_, tree_.leader)) {
    status_ = status;
    ::waitpid(tree_.leader.pid, nullptr, WNOHANG);
  }
  has_ended_ = true;
  watch_.reset();
  pidfd_.reset();
  told_.reset();
  tree_ = {};
}

}  // namespace estiva::engines
