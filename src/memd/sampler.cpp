#include "memd/sampler.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/messages/memd.h"

namespace estiva::memd {

using decide::memory::kMostAreas;
using decide::memory::MemorySample;

namespace {

std::uint64_t kib(std::string_view text, std::string_view name) {
  return number_after(text, name) * 1024;
}

// The id in "area-3.swap" at the beginning of what follows the folder; 0: none of ours.
std::uint64_t area_in(std::string_view rest) {
  if (!rest.starts_with("/area-")) return 0;
  const std::uint64_t id = number_of(rest.substr(6));
  return id <= kMostAreas ? id : 0;
}

// True where `line` begins with the folder, written as the kernel writes it.
bool skip_folder(std::string_view& line, std::string_view folder) {
  for (const char sign : folder) {
    const bool is_octal = sign == ' ' || sign == '\t' || sign == '\n' || sign == '\\';
    const std::size_t size = is_octal ? 4 : 1;
    if (line.size() < size || (!is_octal && line.front() != sign)) return false;
    if (is_octal && line.front() != '\\') return false;
    line.remove_prefix(size);
  }
  return true;
}

// "FILENAME TYPE SIZE USED PRIORITY": the fourth word.
std::uint64_t used_in(std::string_view line) {
  for (int word = 0; word < 3; ++word) {
    line.remove_prefix(std::min(line.find_first_of(" \t"), line.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  }
  return number_of(line) * 1024;
}

void take_line(SwapTable& table, std::string_view line, std::string_view folder) {
  ++table.all;
  std::string_view rest = line;
  if (!skip_folder(rest, folder)) return;
  const std::uint64_t id = area_in(rest);
  if (id == 0) return;
  if (rest.substr(0, rest.find_first_of(" \t")).ends_with("\\040(deleted)")) {
    ++table.removed;
    return;
  }
  table.is_listed[id - 1] = true;
  table.used[id - 1] = used_in(line);
}

void read_disk(MemorySample& out, int disk) {
  struct statvfs info {};
  if (disk < 0 || fstatvfs(disk, &info) != 0) return;
  out.disk_total = info.f_blocks * info.f_frsize;
  out.disk_free = info.f_bavail * info.f_frsize;
}

}  // namespace

SwapTable parse_swaps(std::string_view text, std::string_view folder) noexcept {
  SwapTable table;
  text.remove_prefix(std::min(text.find('\n'), text.size()));  // the heading
  while (text.size() > 1) {
    text.remove_prefix(1);
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!line.empty()) take_line(table, line, folder);
    text.remove_prefix(line.size());
  }
  return table;
}

Result<void> Sampler::open(const SamplerPaths& paths) {
  if (!meminfo_.open(paths.meminfo))
    return fail(fmt::format(msg::kMemdNoMeminfo, paths.meminfo, std::strerror(errno)));
  // A kernel without pressure files, or a container without /proc/vmstat: those stay unknown.
  pressure_.open("/proc/pressure/memory");
  io_pressure_.open("/proc/pressure/io");
  vmstat_.open("/proc/vmstat");
  swap_list_.open("/proc/swaps");
  folder_ = paths.folder;
  if (paths.group.empty()) return {};
  return group_.emplace().open(paths.group);
}

MemorySample Sampler::read(std::int64_t now_ns, int disk) noexcept {
  MemorySample out;
  out.at_ns = now_ns;
  out.gap_ns = last_ns_ == 0 ? 0 : now_ns - last_ns_;
  last_ns_ = now_ns;
  swaps_ = parse_swaps(swap_list_.read(), folder_);
  out.slots_free = slots_ > swaps_.all ? slots_ - swaps_.all : 0;
  read_meminfo(out);
  read_pressure(out);
  read_vmstat(out);
  read_disk(out, disk);
  return group_ ? decide::memory::in_group(out, group_->read()) : out;
}

void Sampler::read_meminfo(MemorySample& out) const noexcept {
  const std::string_view text = meminfo_.read();
  out.total = kib(text, "MemTotal:");
  out.available = kib(text, "MemAvailable:");
  out.swap_total = kib(text, "SwapTotal:");
  out.swap_free = kib(text, "SwapFree:");
  out.swap_cached = kib(text, "SwapCached:");
  out.anon = kib(text, "AnonPages:");
  out.shmem = kib(text, "Shmem:");
  out.mlocked = kib(text, "Mlocked:");
  out.unevictable = kib(text, "Unevictable:");
}

void Sampler::read_pressure(MemorySample& out) const noexcept {
  const std::string_view text = pressure_.read();
  out.has_psi = !text.empty();
  out.psi_some_us = pressure_total(text, "some");
  out.psi_full_us = pressure_total(text, "full");
  out.psi_io_some_us = pressure_total(io_pressure_.read(), "some");
}

void Sampler::read_vmstat(MemorySample& out) const noexcept {
  const std::string_view text = vmstat_.read();
  const auto page = static_cast<std::uint64_t>(getpagesize());
  out.has_vmstat = !text.empty();
  out.swapped_in = number_after(text, "pswpin ") * page;
  out.swapped_out = number_after(text, "pswpout ") * page;
  out.refault_anon = number_after(text, "workingset_refault_anon ");
  out.refault_file = number_after(text, "workingset_refault_file ");
  out.oom_kills = number_after(text, "oom_kill ");
  for (const char* zone : {"allocstall_dma ", "allocstall_dma32 ", "allocstall_normal ",
                           "allocstall_movable ", "allocstall_device "})
    out.stalls += number_after(text, zone);
}

}  // namespace estiva::memd
