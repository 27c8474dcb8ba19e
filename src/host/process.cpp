#include "host/process.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/messages/host.h"
#include "format/cgroup.h"
#include "format/proc.h"

namespace estiva::host {
namespace {

constexpr std::size_t kStatSize = 1024;  // comm is at most 64 bytes, the rest is 50 numbers

struct Identity {
  std::uint64_t start_ticks = 0;
  bool zombie = false;
};

Failure no_process(pid_t pid) {
  return fail(ErrorKind::not_found, fmt::format(msg::kNoProcess, pid),
              std::string(msg::kNoProcessHow));
}

// ENOENT: no such process; ESRCH: it went while we read.
bool says_gone(ssize_t error) {
  return error == -ENOENT || error == -ESRCH;
}

// With hidepid=2 or 4 (proc(5)) the processes of other users are not in /proc, and live.
bool is_hidden(const Root& root, pid_t pid) {
  return root.is_real() && ::kill(pid, 0) != 0 && errno == EPERM;
}

Result<Identity> read_identity(const Root& root, pid_t pid) {
  if (pid <= 0) return no_process(pid);
  std::array<char, kStatSize> buffer;
  const auto path = fmt::format("/proc/{}/stat", pid);
  const ssize_t size = read_into(root, path.c_str(), buffer);
  if (says_gone(size) && !is_hidden(root, pid)) return no_process(pid);
  const auto unreadable = fmt::format(msg::kProcessUnreadable, pid);
  if (size < 0) return fail_errno(unreadable, static_cast<int>(-size));
  const auto stat = format::parse_pid_stat({buffer.data(), static_cast<std::size_t>(size)});
  if (!stat) return fail(unreadable);
  return Identity{stat->start_ticks, stat->state == 'Z' || stat->state == 'X'};
}

}  // namespace

Result<std::uint64_t> start_ticks_of(const Root& root, pid_t pid) {
  const auto identity = read_identity(root, pid);
  if (!identity) return Failure(identity.error());
  return identity->start_ticks;
}

Result<Holder> identify(const Root& root, pid_t pid, const std::string& boot_id) {
  const auto identity = read_identity(root, pid);
  if (!identity) return Failure(identity.error());
  if (identity->zombie) return no_process(pid);
  return Holder{pid, identity->start_ticks, boot_id};
}

HolderState check_holder(const Root& root, const Holder& holder, const std::string& boot_id) {
  if (holder.boot_id != boot_id) return HolderState::dead;
  const auto identity = read_identity(root, holder.pid);
  if (!identity) {
    return identity.error().kind == ErrorKind::not_found ? HolderState::dead : HolderState::unknown;
  }
  const bool same = identity->start_ticks == holder.start_ticks && !identity->zombie;
  return same ? HolderState::alive : HolderState::dead;
}

Result<UniqueFd> watch_holder(const Root& root, const Holder& holder, const std::string& boot_id) {
  if (holder.pid <= 0) return no_process(holder.pid);
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
  if (!fd && errno == ESRCH) return no_process(holder.pid);
  if (!fd) return fail_errno(fmt::format(msg::kProcessUnreadable, holder.pid), errno);
  // The descriptor is of whoever has the pid now; only the right start time makes it the holder's.
  switch (check_holder(root, holder, boot_id)) {
    case HolderState::alive:
      return fd;
    case HolderState::dead:
      return no_process(holder.pid);
    case HolderState::unknown:
      break;
  }
  return fail(fmt::format(msg::kProcessUnreadable, holder.pid));
}

bool has_ended(int pidfd) {
  pollfd poll_fd{pidfd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) != 0;
}

std::string name_of(const Root& root, pid_t pid) {
  std::array<char, 128> buffer;
  const auto path = fmt::format("/proc/{}/comm", pid);
  const ssize_t size = read_into(root, path.c_str(), buffer);
  if (size <= 0) return {};
  std::string_view name(buffer.data(), static_cast<std::size_t>(size));
  if (name.ends_with('\n')) name.remove_suffix(1);
  return std::string(name);
}

std::string cgroup_of(const Root& root, pid_t pid) {
  const auto text = read_file(root, fmt::format("/proc/{}/cgroup", pid), 64 << 10);
  if (!text) return {};
  return format::cgroup_path_for(format::parse_cgroup_memberships(*text), "memory").value_or("");
}

}  // namespace estiva::host
