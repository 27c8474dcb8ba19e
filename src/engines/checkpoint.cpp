#include "engines/checkpoint.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/messages/engines_checkpoint.h"
#include "base/unique_fd.h"
#include "format/json_tree.h"
#include "format/text.h"
#include "host/process.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

using net::Awaitable;

constexpr std::size_t kMostOutput = 1 << 20;
// From SIGKILL to its end; a process that hangs in the driver may never end.
constexpr Nanoseconds kDying = std::chrono::seconds(1);
constexpr Nanoseconds kReapPause = std::chrono::seconds(5);

std::optional<std::uint64_t> major_of(std::string_view version) {
  return format::parse_u64(version.substr(0, version.find('.')));
}

Error must_be_killed(ErrorKind kind, std::string why) {
  return {kind, std::move(why), std::string(msg::kCheckpointKill)};
}

Failure not_begun(const Failure& why) {
  return fail(ErrorKind::refused, why.value().what, why.value().remedy);
}

// The last line of what the helper printed.
Result<void> read_end(std::string_view output) {
  std::string_view last;
  for (std::string_view line; format::next_line(output, line);) last = line;
  const auto tree = format::JsonTree::parse(last);
  const auto end = tree ? tree->root()["end"].text() : std::nullopt;
  if (!end) return Failure(must_be_killed(ErrorKind::failed, std::string(msg::kCheckpointCrashed)));
  if (*end == "done") return {};
  std::string why(tree->root()["why"].text().value_or(""));
  if (*end != "unchanged") return Failure(must_be_killed(ErrorKind::failed, std::move(why)));
  if (tree->root()["out_of_memory"].boolean().value_or(false))
    return fail(ErrorKind::no_room, std::move(why), std::string(msg::kCheckpointStillFrozen));
  return fail(ErrorKind::refused, std::move(why), std::string(msg::kCheckpointAsBefore));
}

std::string read_output(int fd) {
  std::string text(kMostOutput, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

// One that hangs in the kernel is waited for beside all else.
Awaitable<void> reap(net::Loop& loop, pid_t pid) {
  while (::waitpid(pid, nullptr, WNOHANG) == 0) co_await loop.sleep(kReapPause);
}

}  // namespace

CheckpointVerdict may_checkpoint(const CheckpointFacts& facts) {
  constexpr std::uint64_t kFirstDriver = 570, kFirstWithIpc = 610;
  const std::uint64_t driver = major_of(facts.driver).value_or(0);
  const auto close = [](std::string why) {
    return CheckpointVerdict{CheckpointGate::closed, std::move(why)};
  };
  if (!facts.is_wanted) return close(std::string(msg::kCheckpointOff));
  if (driver < kFirstDriver)
    return close(fmt::format(msg::kCheckpointOldDriver, facts.driver.empty() ? "?" : facts.driver));
  if (facts.machine != "x86_64") return close(fmt::format(msg::kCheckpointMachine, facts.machine));
  if (facts.is_on_mig) return close(std::string(msg::kCheckpointMig));
  if (facts.uses_managed_memory) return close(std::string(msg::kCheckpointUvm));
  if (facts.shares_memory && driver < kFirstWithIpc)
    return close(fmt::format(msg::kCheckpointIpc, facts.driver));
  if (!facts.trial) return {CheckpointGate::trial, {}};
  if (!facts.trial->empty()) return close(fmt::format(msg::kCheckpointRefused, *facts.trial));
  return {CheckpointGate::open, {}};
}

Checkpoint::Checkpoint(net::Loop& loop, CheckpointSettings settings)
    : loop_(loop), settings_(std::move(settings)) {}

Awaitable<Result<void>> Checkpoint::freeze(std::vector<Holder> unit) {
  return run("freeze", std::move(unit));
}
Awaitable<Result<void>> Checkpoint::thaw(std::vector<Holder> unit) {
  return run("thaw", std::move(unit));
}

Awaitable<Result<void>> Checkpoint::run(std::string verb, std::vector<Holder> unit) {
  net::Loop& loop = loop_;
  const auto limit = settings_.limit;
  host::Spawn what;
  what.words = {settings_.program, verb, settings_.library,
                std::to_string(settings_.lock_limit.count())};
  for (const Holder& holder : unit)
    what.words.push_back(fmt::format("{}:{}", holder.pid, holder.start_ticks));
  const UniqueFd output(::memfd_create("checkpoint", MFD_CLOEXEC));
  if (!output) co_return not_begun(fail_errno("make room for a program's output", errno));
  what.handed = {{-1, STDIN_FILENO}, {output.get(), STDOUT_FILENO}, {-1, STDERR_FILENO}};
  pid_t pid = 0;
  if (const int error = host::spawn(what, pid); error != 0) {
    co_return not_begun(fail_errno("start " + settings_.program, error));
  }
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const auto notice = std::make_shared<net::Notice>(loop);
  auto watch = loop.on_readable(ended.get(), [notice] { notice->notify_all(); });
  SteadyTime deadline = steady_now() + limit;
  bool is_slow = false;
  while (!host::has_ended(ended.get())) {
    const Nanoseconds left = deadline - steady_now();
    if (left.count() <= 0 && is_slow) break;
    if (left.count() <= 0) {
      is_slow = true;
      ::kill(-pid, SIGKILL);
      deadline = steady_now() + kDying;
      continue;
    }
    (void)co_await notice->wait(left);
  }
  watch.reset();
  loop.spawn(reap(loop, pid));
  if (is_slow) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    co_return Failure(must_be_killed(ErrorKind::timed_out,
                                     fmt::format(msg::kCheckpointSlow, verb, seconds.count())));
  }
  co_return read_end(read_output(output.get()));
}

}  // namespace estiva::engines
