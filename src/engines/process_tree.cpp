#include "engines/process_tree.h"

#include <cerrno>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unordered_set>

#include "base/unique_fd.h"
#include "format/proc.h"
#include "format/text.h"
#include "host/folder.h"
#include "host/process.h"

namespace estiva::engines {
namespace {

// Processes that are looked at; the kernel's usual pid_max allows that many on a large machine.
constexpr std::size_t kMostProcesses = 1 << 18;
// Of an environment; the kernel allows 128 KiB a variable, and ours stands among the last.
constexpr std::size_t kMostEnvironment = 4 << 20;

struct Seen {
  Member who;
  pid_t parent = 0;
  bool is_ours = false;
};

std::optional<Seen> look_at(const host::Root& root, pid_t pid) {
  char buffer[1024];
  const auto size = host::read_into(root, fmt::format("/proc/{}/stat", pid).c_str(), buffer);
  if (size <= 0) return std::nullopt;
  const auto stat = format::parse_pid_stat({buffer, static_cast<std::size_t>(size)});
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return Seen{{pid, stat->start_ticks}, stat->parent};
}

bool has_mark(const host::Root& root, pid_t pid, std::string_view mark) {
  const auto text = host::read_file(root, fmt::format("/proc/{}/environ", pid), kMostEnvironment);
  if (!text) return false;
  const std::string wanted = fmt::format("{}={}", kMarkVariable, mark);
  const auto at = text->find(wanted);
  const bool begins = at == 0 || (at != text->npos && (*text)[at - 1] == '\0');
  return begins && (at + wanted.size() == text->size() || (*text)[at + wanted.size()] == '\0');
}

// While the leader lives, or waits as a zombie to be reaped, its number is nobody else's, and so
// its session is its own.
bool has_its_number(const host::Root& root, const Holder& leader) {
  const auto ticks = host::start_ticks_of(root, leader.pid);
  return ticks && *ticks == leader.start_ticks;
}

// Those that can be its processes: nothing that it started is older than itself.
std::vector<Seen> candidates(const host::Root& root, const Holder& leader) {
  std::vector<Seen> out;
  const auto is_number = [](std::string_view name) { return name[0] >= '1' && name[0] <= '9'; };
  const auto entries = host::entries_at(root, "/proc", kMostProcesses, is_number);
  if (!entries) return out;
  for (const auto& entry : *entries) {
    const auto pid = format::parse_u64(entry.name);
    const auto seen = pid ? look_at(root, static_cast<pid_t>(*pid)) : std::nullopt;
    if (seen && seen->who.start_ticks >= leader.start_ticks) out.push_back(*seen);
  }
  return out;
}

// Children of ours are ours, to any depth.
void follow_descent(std::vector<Seen>& seen) {
  std::unordered_set<pid_t> ours;
  for (const Seen& one : seen) {
    if (one.is_ours) ours.insert(one.who.pid);
  }
  for (bool found = true; found;) {
    found = false;
    for (Seen& one : seen) {
      if (one.is_ours || !ours.contains(one.parent)) continue;
      found = one.is_ours = true;
      ours.insert(one.who.pid);
    }
  }
}

std::vector<Member> search(const host::Root& root, const ProcessTree& tree) {
  auto seen = candidates(root, tree.leader);
  const bool by_session = root.is_real() && has_its_number(root, tree.leader);
  for (Seen& one : seen) {
    one.is_ours = one.who == Member{tree.leader.pid, tree.leader.start_ticks} ||
                  (by_session && ::getsid(one.who.pid) == tree.leader.pid) ||
                  has_mark(root, one.who.pid, tree.mark);
  }
  follow_descent(seen);
  std::vector<Member> out;
  for (const Seen& one : seen) {
    if (one.is_ours && one.who.pid != ::getpid()) out.push_back(one.who);
  }
  return out;
}

}  // namespace

std::vector<Member> members_of(const host::Root& root, const ProcessTree& tree,
                               const std::string& boot_id) {
  if (tree.leader.pid <= 0 || tree.leader.boot_id != boot_id) return {};
  const auto pids = tree.group ? members_of(*tree.group) : std::nullopt;
  if (!pids) return search(root, tree);
  std::vector<Member> out;
  for (const pid_t pid : *pids) {
    if (const auto seen = look_at(root, pid)) out.push_back(seen->who);
  }
  return out;
}

bool signal_members(const host::Root& root, const std::vector<Member>& members, int signal) {
  bool is_sent = true;
  for (const Member& member : members) {
    const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, member.pid, 0)));
    if (!fd) continue;
    // The descriptor is of whoever has the number now; from here on it can't become another's.
    const auto ticks = host::start_ticks_of(root, member.pid);
    if (!ticks || *ticks != member.start_ticks) continue;
    if (::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0) != 0 && errno == EPERM)
      is_sent = false;
  }
  return is_sent;
}

void kill_tree(const host::Root& root, const ProcessTree& tree, const std::string& boot_id) {
  if (tree.leader.boot_id == boot_id && tree.group && kill_members(*tree.group)) return;
  signal_members(root, members_of(root, tree, boot_id), SIGKILL);
}

}  // namespace estiva::engines
