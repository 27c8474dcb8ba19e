#include "format/proc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "format/text.h"

namespace estiva::format {
namespace {

// Words to numbers; what is not a number ends it. Returns how many there were.
std::size_t read_numbers(std::string_view text, std::span<std::uint64_t> out) {
  std::size_t count = 0;
  std::string_view word;
  while (count < out.size() && next_word(text, word)) {
    const auto number = parse_u64(word);
    if (!number) break;
    out[count++] = *number;
  }
  return count;
}

// "   123 kB" in bytes.
std::optional<Bytes> parse_kib_line(std::string_view text) {
  std::string_view word;
  if (!next_word(text, word)) return std::nullopt;
  const auto number = parse_u64(word);
  if (!number || *number > UINT64_MAX / 1024) return std::nullopt;
  return kib(*number);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void read_cpu_line(std::string_view numbers, CpuTicks& ticks) {
  std::array<std::uint64_t, 8> part{};  // user nice system idle iowait irq softirq steal
  read_numbers(numbers, part);
  for (const auto amount : part) ticks.total += amount;
  ticks.idle = part[3] + part[4];
}

}  // namespace

std::optional<CpuTicks> parse_proc_stat(std::string_view text) {
  CpuTicks ticks;
  bool found = false;
  std::string_view line;
  while (next_line(text, line)) {
    if (line.starts_with("cpu ")) {
      read_cpu_line(line.substr(4), ticks);
      found = ticks.total != 0;
    } else if (line.size() > 3 && line.starts_with("cpu") && is_digit(line[3])) {
      ++ticks.cores;
    } else if (line.starts_with("btime ")) {
      ticks.boot_time = parse_u64(trim(line.substr(6))).value_or(0);
    }
  }
  if (!found) return std::nullopt;
  return ticks;
}

std::optional<Ratio> busy_share(const CpuTicks& before, const CpuTicks& now) {
  if (now.total <= before.total) return std::nullopt;
  const std::uint64_t passed = now.total - before.total;
  // The kernel's iowait counter may go back by a tick or two.
  const std::uint64_t idle = now.idle > before.idle ? now.idle - before.idle : 0;
  return Ratio{static_cast<double>(passed - std::min(passed, idle)) / static_cast<double>(passed)};
}

std::optional<HostMemory> parse_meminfo(std::string_view text) {
  HostMemory memory;
  bool has_total = false, has_available = false;
  std::string_view line;
  while (next_line(text, line)) {
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto key = line.substr(0, colon);
    const auto amount = parse_kib_line(line.substr(colon + 1));
    if (!amount) continue;
    if (key == "MemTotal") {
      memory.total = *amount;
      has_total = true;
    } else if (key == "MemAvailable") {
      memory.available = *amount;
      has_available = true;
    } else if (key == "MemFree") {
      memory.free = *amount;
    } else if (key == "Cached") {
      memory.cached = *amount;
    } else if (key == "Dirty") {
      memory.dirty = *amount;
    } else if (key == "Shmem") {
      memory.shmem = *amount;
    } else if (key == "SwapTotal") {
      memory.swap_total = *amount;
    } else if (key == "SwapFree") {
      memory.swap_free = *amount;
    }
  }
  if (!has_total) return std::nullopt;
  if (!has_available) memory.available = std::min(memory.total, memory.free + memory.cached);
  return memory;
}

std::optional<ProcStat> parse_pid_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return std::nullopt;
  ProcStat stat;
  const auto pid = parse_i64(trim(text.substr(0, open)));
  if (!pid || *pid <= 0 || *pid > INT32_MAX) return std::nullopt;
  stat.pid = static_cast<pid_t>(*pid);
  stat.comm = text.substr(open + 1, close - open - 1);

  // proc(5) numbers the fields from 1; the state is field 3 and the first word here.
  constexpr unsigned kState = 3, kParent = 4, kUser = 14, kSystem = 15, kStart = 22, kResident = 24;
  std::string_view rest = text.substr(close + 1), word;
  for (unsigned field = kState; field <= kResident; ++field) {
    if (!next_word(rest, word)) return std::nullopt;
    if (field == kState) {
      stat.state = word.front();
      continue;
    }
    if (field != kParent && field != kUser && field != kSystem && field != kStart &&
        field != kResident) {
      continue;
    }
    const auto number = parse_u64(trim(word));
    if (!number) return std::nullopt;
    if (field == kParent)
      stat.parent = static_cast<pid_t>(std::min<std::uint64_t>(*number, INT32_MAX));
    if (field == kUser || field == kSystem) stat.cpu_ticks += *number;
    if (field == kStart) stat.start_ticks = *number;
    if (field == kResident) stat.resident_pages = *number;
  }
  return stat;
}

ProcStatus parse_pid_status(std::string_view text) {
  constexpr std::size_t kMaxNesting = 32;  // MAX_PID_NS_LEVEL
  ProcStatus status;
  std::string_view line;
  while (next_line(text, line)) {
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto key = line.substr(0, colon), rest = line.substr(colon + 1);
    std::array<std::uint64_t, kMaxNesting> numbers{};
    if (key == "Uid" && read_numbers(rest, numbers) > 0 && numbers[0] <= UINT32_MAX) {
      status.uid = static_cast<unsigned>(numbers[0]);
    } else if (key == "Gid" && read_numbers(rest, numbers) > 0 && numbers[0] <= UINT32_MAX) {
      status.gid = static_cast<unsigned>(numbers[0]);
    } else if (key == "VmRSS") {
      status.resident = parse_kib_line(rest);
    } else if (key == "VmSwap") {
      status.swapped = parse_kib_line(rest);
    } else if (key == "NSpid" && status.ns_pids.empty()) {
      const std::size_t count = read_numbers(rest, numbers);
      for (std::size_t i = 0; i < count; ++i) {
        status.ns_pids.push_back(
            static_cast<pid_t>(std::min<std::uint64_t>(numbers[i], INT32_MAX)));
      }
    }
  }
  return status;
}

std::optional<double> parse_loadavg(std::string_view text) {
  std::string_view word;
  if (!next_word(text, word)) return std::nullopt;
  double load = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), load);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  if (!std::isfinite(load) || load < 0) return std::nullopt;
  return load;
}

std::optional<std::string> parse_boot_id(std::string_view text) {
  text = trim(text);
  if (text.size() != 36) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex) return std::nullopt;
  }
  return std::string(text);
}

}  // namespace estiva::format
