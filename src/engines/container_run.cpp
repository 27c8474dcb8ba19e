#include "engines/container_run.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/engines_container.h"
#include "format/cgroup.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "host/machine.h"
#include "host/process.h"

namespace estiva::engines {
namespace {

constexpr std::size_t kMostProcesses = 4096;

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

}  // namespace

std::optional<Holder> holder_of(const host::Root& root, const container::Standing& run,
                                const std::string& boot_id) {
  if (run.pid <= 0) return std::nullopt;
  const auto holder = host::identify(root, run.pid, boot_id);
  if (!holder) return std::nullopt;
  // Read after the identity: a process that has the number since is found out by its start time.
  const auto ids = format::container_ids_of(host::cgroup_of(root, run.pid));
  if (std::find(ids.begin(), ids.end(), run.id) == ids.end()) return std::nullopt;
  return *holder;
}

std::vector<pid_t> processes_beside(const host::Root& root, pid_t first) {
  std::vector<pid_t> found = {first};
  const std::string group = host::cgroup_of(root, first);
  if (group.empty() || group == "/") return found;
  const auto text =
      host::read_file(root, host::memory_cgroup_mount(root) + group + "/cgroup.procs", 64 << 10);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  for (std::string_view line; found.size() < kMostProcesses && format::next_line(rest, line);) {
    const auto pid = format::parse_u64(line);
    if (pid && static_cast<pid_t>(*pid) != first && *pid != 0)
      found.push_back(static_cast<pid_t>(*pid));
  }
  return found;
}

std::string end_of(const Result<container::Standing>& run) {
  if (!run) return std::string(msg::kContainerRemoved);
  if (run->is_out_of_memory) return std::string(msg::kContainerOutOfMemory);
  return fmt::format(msg::kContainerExited, run->exit_code);
}

const std::string* line_of_gpu_memory(const std::vector<std::string>& lines) {
  constexpr std::array<std::string_view, 3> kAlone = {
      "cuda_error_out_of_memory", "cudaerrormemoryallocation", "erroroutofdevicememory"};
  constexpr std::array<std::string_view, 5> kDevices = {"cuda", "gpu", "vram", "torch", "device"};
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
    const std::string text = lower(line);
    const auto has = [&](std::string_view word) { return text.find(word) != text.npos; };
    if (std::any_of(kAlone.begin(), kAlone.end(), has)) return true;
    return has("out of memory") && std::any_of(kDevices.begin(), kDevices.end(), has);
  });
  return found == lines.end() ? nullptr : &*found;
}

std::string format_container_record(const ContainerRecord& record) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("container", record.id).field("started_at", record.started_at);
  json.end_object();
  return text;
}

Result<ContainerRecord> parse_container_record(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  const auto id = tree ? tree->root()["container"].text() : std::nullopt;
  if (!id || id->empty()) return fail(std::string(msg::kContainerRecord));
  return ContainerRecord{std::string(*id),
                         std::string(tree->root()["started_at"].text().value_or(""))};
}

}  // namespace estiva::engines
