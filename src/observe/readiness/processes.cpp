#include "observe/readiness/processes.h"

#include <algorithm>
#include <array>
#include <unistd.h>

#include "format/proc.h"
#include "format/text.h"
#include "host/process.h"

namespace estiva::observe {
namespace {

constexpr std::array<std::string_view, 4> kWanted = {"dockerd", "nvidia-persiste",
                                                     "nv-fabricmanage", "nvidia-cuda-mps"};
constexpr std::size_t kLongestName = 15;  // TASK_COMM_LEN of the kernel, without its zero

// Parts that each end with a zero byte.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The rows "Gid:" (the effective one is the second) and "Groups:" of its status.
std::vector<gid_t> groups_of(std::string_view status) {
  std::vector<gid_t> groups;
  for (std::string_view line; format::next_line(status, line);) {
    if (!line.starts_with("Gid:") && !line.starts_with("Groups:")) continue;
    line.remove_prefix(line.find(':') + 1);
    for (std::string_view word; format::next_word(line, word);) {
      if (const auto id = format::parse_u64(word)) groups.push_back(static_cast<gid_t>(*id));
    }
  }
  return groups;
}

Reading<std::int64_t> start_of(const Tree& tree, pid_t pid) {
  const auto ticks = host::start_ticks_of(tree.root(), pid);
  const auto stat = format::parse_proc_stat(tree.text("/proc/stat").value_or(""));
  if (!ticks || !stat || stat->boot_time == 0) return Missing::failed;
  const long hz = tree.is_real() ? ::sysconf(_SC_CLK_TCK) : 100;
  return static_cast<std::int64_t>(stat->boot_time + *ticks / static_cast<std::uint64_t>(hz));
}

}  // namespace

std::vector<FoundProcess> find_processes(const Tree& tree) {
  std::vector<FoundProcess> found;
  for (const std::string& entry : tree.names("/proc")) {
    const auto pid = format::parse_u64(entry);
    if (!pid || *pid > INT32_MAX) continue;
    std::string name = host::name_of(tree.root(), static_cast<pid_t>(*pid));
    if (std::find(kWanted.begin(), kWanted.end(), name) == kWanted.end()) continue;
    found.push_back({static_cast<pid_t>(*pid), std::move(name)});
  }
  std::sort(found.begin(), found.end(),
            [](const FoundProcess& a, const FoundProcess& b) { return a.pid < b.pid; });
  return found;
}

bool is_running(const std::vector<FoundProcess>& processes, std::string_view name) {
  name = name.substr(0, kLongestName);
  return std::any_of(processes.begin(), processes.end(),
                     [&](const FoundProcess& process) { return process.name == name; });
}

ProcessDetail read_process(const Tree& tree, pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  ProcessDetail detail;
  detail.program = tree.link(folder + "/exe").value_or("");
  // Of a program that was replaced by an upgrade while it runs.
  constexpr std::string_view kDeleted = " (deleted)";
  if (detail.program.ends_with(kDeleted)) {
    detail.program.resize(detail.program.size() - kDeleted.size());
  }
  detail.arguments = parts_of(tree.text(folder + "/cmdline").value_or(""));
  if (!detail.arguments.empty()) detail.arguments.erase(detail.arguments.begin());
  const auto environment = tree.text(folder + "/environ");
  detail.environment_known = environment.known();
  detail.environment = parts_of(environment.value_or(""));
  const std::string status = tree.text(folder + "/status").value_or("");
  detail.uid = format::parse_pid_status(status).uid.value_or(0);
  detail.gids = groups_of(status);
  detail.started_at = start_of(tree, pid);
  return detail;
}

std::string value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace estiva::observe
