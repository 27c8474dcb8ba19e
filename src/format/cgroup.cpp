#include "format/cgroup.h"

#include <algorithm>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kMaxMemberships = 64;
constexpr std::size_t kIdLength = 64;
// v1 writes LONG_MAX rounded down to a page for "no limit"; nothing real comes near 4 EiB.
constexpr std::uint64_t kNoLimitFrom = std::uint64_t{1} << 62;

std::optional<CgroupMembership> parse_membership(std::string_view line) {
  const auto first = line.find(':');
  if (first == line.npos) return std::nullopt;
  const auto second = line.find(':', first + 1);
  if (second == line.npos || second + 1 >= line.size() || line[second + 1] != '/') {
    return std::nullopt;
  }
  const auto number = parse_u64(line.substr(0, first));
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return CgroupMembership{static_cast<unsigned>(*number),
                          std::string(line.substr(first + 1, second - first - 1)),
                          std::string(line.substr(second + 1))};
}

bool has_controller(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (list.substr(0, comma) == wanted) return true;
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  }
  return false;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// "name 123"
bool read_pair(std::string_view line, std::string_view& name, std::uint64_t& number) {
  std::string_view word;
  if (!next_word(line, name) || !next_word(line, word)) return false;
  const auto parsed = parse_u64(word);
  if (!parsed) return false;
  number = *parsed;
  return true;
}

}  // namespace

std::vector<CgroupMembership> parse_cgroup_memberships(std::string_view text) {
  std::vector<CgroupMembership> lines;
  std::string_view line;
  while (lines.size() < kMaxMemberships && next_line(text, line)) {
    if (auto membership = parse_membership(line)) lines.push_back(std::move(*membership));
  }
  return lines;
}

std::optional<std::string> cgroup_path_for(const std::vector<CgroupMembership>& lines,
                                           std::string_view controller) {
  const CgroupMembership* unified = nullptr;
  for (const auto& line : lines) {
    if (has_controller(line.controllers, controller)) return line.path;
    if (line.hierarchy == 0 && line.controllers.empty()) unified = &line;
  }
  if (unified == nullptr) return std::nullopt;
  return unified->path;
}

std::vector<std::string> container_ids_of(std::string_view path) {
  std::vector<std::string> ids;
  std::size_t run = 0;
  // Walks backwards, one beyond the start; `run` counts the hex digits that begin at `at` + 1.
  for (std::size_t at = path.size() + 1; at-- > 0;) {
    const bool hex = at > 0 && is_hex(path[at - 1]);
    if (hex) {
      ++run;
      continue;
    }
    if (run == kIdLength) ids.emplace_back(path.substr(at, kIdLength));
    run = 0;
  }
  return ids;
}

std::optional<std::string> container_id_of(std::string_view path) {
  std::vector<std::string> ids = container_ids_of(path);
  if (ids.empty()) return std::nullopt;
  return std::move(ids.front());
}

std::string_view container_group_of(std::string_view path) {
  const auto id = container_id_of(path);
  return id ? path.substr(0, path.find('/', path.rfind(*id))) : std::string_view();
}

std::optional<unsigned> slice_owner_of(std::string_view path) {
  constexpr std::string_view kMark = "/user.slice/user-";
  const std::size_t at = path.find(kMark);
  if (at == path.npos) return std::nullopt;
  const std::string_view rest = path.substr(at + kMark.size());
  const auto number = parse_u64(rest.substr(0, rest.find(".slice")));
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<unsigned>(*number);
}

ContainerKind container_kind_of(std::string_view path) {
  ContainerKind kind;
  const auto has = [path](std::string_view part) { return path.find(part) != path.npos; };
  // The outermost slice says whose it is: further in a user may name groups as they like.
  kind.rootless = has("/user.slice/user-") && slice_owner_of(path).value_or(1) != 0;
  if (has("kubepods")) {
    kind.runtime = "kubernetes";
  } else if (has("libpod")) {
    kind.runtime = "podman";
  } else if (has("/docker/") || has("/docker-")) {
    kind.runtime = "docker";
  } else if (has("nerdctl-") || path.starts_with("/default/")) {
    kind.runtime = "containerd";
  }
  return kind;
}

CgroupMemoryStat parse_cgroup_memory_stat(std::string_view text) {
  CgroupMemoryStat stat;
  bool has_totals = false;
  std::string_view line, name;
  std::uint64_t number = 0;
  while (next_line(text, line)) {
    if (!read_pair(line, name, number)) continue;
    const bool total = name.starts_with("total_");
    if (total && !has_totals) {
      has_totals = true;
      stat = {};
    }
    if (has_totals && !total) continue;
    if (total) name.remove_prefix(6);
    if (name == "anon" || name == "rss") stat.anon = Bytes{number};
    if (name == "file" || name == "cache") stat.file = Bytes{number};
    if (name == "shmem") stat.shmem = Bytes{number};
    if (name == "kernel") stat.kernel = Bytes{number};
    if (name == "workingset_refault_anon") stat.refault_anon = number;
    if (name == "workingset_refault_file" || name == "workingset_refault")
      stat.refault_file = number;
    if (name == "pgmajfault") stat.major_faults = number;
  }
  return stat;
}

std::optional<CgroupAmount> parse_cgroup_amount(std::string_view text) {
  text = trim(text);
  if (text == "max") return CgroupAmount{};
  const auto number = parse_u64(text);
  if (!number) return std::nullopt;
  if (*number >= kNoLimitFrom) return CgroupAmount{};
  return CgroupAmount{Bytes{*number}};
}

std::optional<CgroupCpu> parse_cgroup_cpu(std::string_view text) {
  CgroupCpu cpu;
  if (const auto nanoseconds = parse_u64(trim(text))) {
    cpu.usage_us = *nanoseconds / 1000;
    return cpu;
  }
  std::string_view line, name;
  std::uint64_t number = 0;
  while (next_line(text, line)) {
    if (!read_pair(line, name, number)) continue;
    if (name == "usage_usec") cpu.usage_us = number;
    if (name == "throttled_usec") cpu.throttled_us = number;
    if (name == "throttled_time") cpu.throttled_us = number / 1000;
    if (name == "nr_throttled") cpu.throttled_periods = number;
  }
  if (!cpu.usage_us && !cpu.throttled_us && !cpu.throttled_periods) return std::nullopt;
  return cpu;
}

}  // namespace estiva::format
