#include "memd/group_files.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>

#include "base/messages/memd.h"

namespace estiva::memd {

using decide::memory::GroupMemory;
using decide::memory::kNoLimit;

namespace {

// v1 writes "no limit" as the largest multiple of a page.
std::uint64_t limit_of(std::uint64_t read) {
  return read >= 1ULL << 62 ? kNoLimit : read;
}

}  // namespace

Result<void> GroupFiles::open(const std::string& path) {
  v2_ = current_.open(path + "/memory.current");
  if (!v2_ && !current_.open(path + "/memory.usage_in_bytes"))
    return fail(fmt::format(msg::kMemdNoMeminfo, path, std::strerror(errno)));
  // Swap accounting may be switched off, and a v1 group has no pressure file: what is not there
  // stays unknown.
  limit_.open(path + (v2_ ? "/memory.max" : "/memory.limit_in_bytes"));
  swap_current_.open(path + (v2_ ? "/memory.swap.current" : "/memory.memsw.usage_in_bytes"));
  if (v2_) swap_limit_.open(path + "/memory.swap.max");
  events_.open(path + (v2_ ? "/memory.events" : "/memory.oom_control"));
  stat_.open(path + "/memory.stat");
  pressure_.open(path + "/memory.pressure");
  return {};
}

GroupMemory GroupFiles::read() const noexcept {
  GroupMemory out = v2_ ? read_v2() : read_v1();
  out.oom_kills = number_after(events_.read(), "oom_kill ");
  const std::string_view pressure = pressure_.read();
  out.has_psi = !pressure.empty();
  out.psi_some_us = pressure_total(pressure, "some");
  out.psi_full_us = pressure_total(pressure, "full");
  return out;
}

GroupMemory GroupFiles::read_v2() const noexcept {
  GroupMemory out;
  out.limit = number_of(limit_.read(), kNoLimit);
  out.current = number_of(current_.read());
  out.swap_limit = number_of(swap_limit_.read(), kNoLimit);
  out.swap_current = number_of(swap_current_.read());
  const std::string_view stat = stat_.read();
  out.anon = number_after(stat, "anon ");
  out.shmem = number_after(stat, "shmem ");
  out.unevictable = number_after(stat, "unevictable ");
  out.inactive_file = number_after(stat, "inactive_file ");
  return out;
}

GroupMemory GroupFiles::read_v1() const noexcept {
  GroupMemory out;
  out.limit = limit_of(number_of(limit_.read(), kNoLimit));
  out.current = number_of(current_.read());
  const std::string_view stat = stat_.read();
  out.swap_current = number_after(stat, "total_swap ");
  out.anon = number_after(stat, "total_rss ");
  out.shmem = number_after(stat, "total_shmem ");
  out.unevictable = number_after(stat, "total_unevictable ");
  out.inactive_file = number_after(stat, "total_inactive_file ");
  return out;
}

}  // namespace estiva::memd
