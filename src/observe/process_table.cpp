#include "observe/process_table.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "format/proc.h"
#include "format/text.h"
#include "observe/host_sampler.h"

namespace estiva::observe {
namespace {

// struct linux_dirent64 (getdents64(2)): d_ino, d_off, d_reclen, d_type, d_name.
constexpr std::size_t kReclenOffset = 16, kNameOffset = 19;

// Calls visit(pid) for each numeric name in the folder, at most kMaxProcesses times; false when
// there were more.
template <class Visit>
bool each_pid(int dirfd, Visit visit) {
  alignas(8) std::array<char, 32768> buffer;
  std::size_t count = 0;
  for (;;) {
    const long got = ::syscall(SYS_getdents64, dirfd, buffer.data(), buffer.size());
    if (got <= 0) return true;
    for (long at = 0; at < got;) {
      std::uint16_t length = 0;
      std::memcpy(&length, buffer.data() + at + kReclenOffset, sizeof length);
      const auto pid = format::parse_u64(buffer.data() + at + kNameOffset);
      at += length;
      if (!pid || *pid == 0 || *pid > INT32_MAX) continue;
      if (++count > kMaxProcesses) return false;
      visit(static_cast<pid_t>(*pid));
    }
  }
}

bool read_entry(const host::Root& root, pid_t pid, ProcessTable::Entry& entry) {
  std::array<char, 1024> text;
  std::array<char, 32> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/stat", pid);
  const ssize_t size = host::read_into(root, path.data(), text);
  if (size <= 0) return false;  // gone meanwhile, or hidden from us
  const auto stat = format::parse_pid_stat({text.data(), static_cast<std::size_t>(size)});
  if (!stat) return false;
  entry.pid = pid;
  entry.start_ticks = stat->start_ticks;
  entry.cpu_ticks = stat->cpu_ticks;
  entry.resident_pages = stat->resident_pages;
  const std::size_t length = std::min(stat->comm.size(), entry.name.size() - 1);
  std::copy_n(stat->comm.data(), length, entry.name.data());
  return true;
}

}  // namespace

bool ProcessTable::scan(const host::Root& root, SteadyTime now) {
  const UniqueFd proc(std::max(root.open_at("/proc", O_RDONLY | O_DIRECTORY), -1));
  if (!proc) return false;
  const std::vector<Entry> before = std::move(entries_);
  entries_.clear();
  entries_.reserve(before.size() + 64);
  cut_ = !each_pid(proc.get(), [&](pid_t pid) {
    Entry entry;
    if (read_entry(root, pid, entry)) entries_.push_back(entry);
  });
  // procfs lists by pid; a recorded tree may not.
  const auto by_pid = [](const Entry& a, const Entry& b) { return a.pid < b.pid; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_pid)) {
    std::sort(entries_.begin(), entries_.end(), by_pid);
  }
  seconds_ = scanned_at_.ns == 0 ? 0 : std::chrono::duration<double>(now - scanned_at_).count();
  scanned_at_ = now;
  if (seconds_ > 0) count_new_ticks(before);
  return true;
}

// Both tables are sorted by pid: one walk over the two.
void ProcessTable::count_new_ticks(const std::vector<Entry>& before) {
  auto old = before.begin();
  for (auto& entry : entries_) {
    while (old != before.end() && old->pid < entry.pid) ++old;
    const bool same =
        old != before.end() && old->pid == entry.pid && old->start_ticks == entry.start_ticks;
    // A process that was not there at the last scan used all of its time since.
    const std::uint64_t earlier = same ? old->cpu_ticks : 0;
    entry.new_ticks = entry.cpu_ticks > earlier ? entry.cpu_ticks - earlier : 0;
  }
}

ProcessUse ProcessTable::to_use(const Entry& entry) const {
  static const double kTicksPerSecond = static_cast<double>(::sysconf(_SC_CLK_TCK));
  static const std::uint64_t kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  ProcessUse use;
  use.pid = entry.pid;
  use.start_ticks = entry.start_ticks;
  use.name = entry.name.data();
  use.resident = {entry.resident_pages * kPage};
  if (seconds_ > 0) {
    use.cpu = Ratio{static_cast<double>(entry.new_ticks) / kTicksPerSecond / seconds_};
  }
  return use;
}

std::vector<const ProcessTable::Entry*> largest(const std::vector<ProcessTable::Entry>& entries,
                                                std::uint64_t ProcessTable::Entry::*amount) {
  std::vector<const ProcessTable::Entry*> order;
  for (const auto& entry : entries) {
    if (entry.*amount > 0) order.push_back(&entry);
  }
  const auto end =
      order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), kTopProcesses));
  std::partial_sort(order.begin(), end, order.end(), [=](const auto* a, const auto* b) {
    return a->*amount != b->*amount ? a->*amount > b->*amount : a->pid < b->pid;
  });
  order.erase(end, order.end());
  return order;
}

std::vector<ProcessUse> ProcessTable::top_cpu() const {
  std::vector<ProcessUse> top;
  if (seconds_ <= 0) return top;
  for (const auto* entry : largest(entries_, &Entry::new_ticks)) top.push_back(to_use(*entry));
  return top;
}

std::vector<ProcessUse> ProcessTable::top_memory() const {
  std::vector<ProcessUse> top;
  for (const auto* entry : largest(entries_, &Entry::resident_pages)) top.push_back(to_use(*entry));
  return top;
}

}  // namespace estiva::observe
