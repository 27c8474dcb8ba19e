#include "host/machine.h"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include "base/messages/host.h"
#include "format/json_key.h"
#include "format/mounts.h"
#include "format/proc.h"
#include "format/text.h"

namespace estiva::host {
namespace {

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
// Our own name space for node ids; made once with a random generator.
constexpr const char* kNodeSpace = "5b3c7a0e-9d52-4f1b-8a44-1e6f2c97d0b3";

bool exists(const Root& root, const std::string& path) {
  const UniqueFd fd(std::max(root.open_at(path.c_str(), O_PATH), -1));
  return static_cast<bool>(fd);
}

std::vector<format::Mount> cgroup_mounts(const Root& root) {
  const auto text = read_file(root, "/proc/self/mountinfo", 8 << 20);
  if (!text) return {};
  auto mounts = format::parse_mountinfo(*text);
  std::erase_if(mounts, [](const format::Mount& mount) {
    return mount.filesystem != "cgroup" && mount.filesystem != "cgroup2";
  });
  return mounts;
}

bool is_memory_v1(const format::Mount& mount) {
  const auto options = "," + mount.super_options + ",";
  return mount.filesystem == "cgroup" && options.find(",memory,") != options.npos;
}

std::string host_name(const Root& root) {
  const auto text = read_file(root, "/proc/sys/kernel/hostname", 4096);
  return text ? std::string(format::trim(*text)) : std::string();
}

}  // namespace

Result<std::string> read_boot_id(const Root& root) {
  if (const auto text = read_file(root, kBootId, 256)) {
    if (auto id = format::parse_boot_id(*text)) return std::move(*id);
  }
  if (const auto text = read_file(root, "/proc/stat")) {
    const auto stat = format::parse_proc_stat(*text);
    if (stat && stat->boot_time != 0) return fmt::format("btime-{}", stat->boot_time);
  }
  return fail(fmt::format(msg::kNoBootId, root.shown(kBootId), root.shown("/proc/stat")),
              std::string(msg::kNoBootIdHow));
}

std::string read_node_id(const Root& root) {
  std::string name;
  if (const auto text = read_file(root, "/etc/machine-id", 256)) name = format::trim(*text);
  // An image that was never booted says "uninitialized" or nothing.
  if (name.size() != 32) name = "host:" + host_name(root);
  const auto space = boost::uuids::string_generator()(kNodeSpace);
  return to_string(boost::uuids::name_generator_sha1(space)(name));
}

std::string detect_cgroup_layout(const Root& root) {
  bool v1 = false, v2 = false;
  for (const auto& mount : cgroup_mounts(root)) {
    if (mount.filesystem == "cgroup2") {
      v2 = true;
    } else {
      // A named hierarchy without controllers ("name=systemd") limits nothing.
      v1 = v1 || mount.super_options.find("name=") == std::string::npos;
    }
  }
  if (v1 && v2) return "hybrid";
  return v1 ? "v1" : v2 ? "v2" : "none";
}

std::string memory_cgroup_mount(const Root& root) {
  std::string unified;
  for (const auto& mount : cgroup_mounts(root)) {
    if (is_memory_v1(mount)) return mount.point;
    if (mount.filesystem == "cgroup2" && exists(root, mount.point + "/cgroup.controllers")) {
      unified = mount.point;
    }
  }
  return unified;
}

std::string docker_root(const Root& root, const std::string& setting) {
  if (!setting.empty()) return setting;
  if (const auto text = read_file(root, "/etc/docker/daemon.json")) {
    const auto folder = format::top_level_string(*text, "data-root");
    if (folder && folder->starts_with('/')) return *folder;
  }
  return "/var/lib/docker";
}

SteadyTime time_of_printk(std::uint64_t microseconds) {
  timespec mono{};
  ::clock_gettime(CLOCK_MONOTONIC, &mono);
  const SteadyTime now = steady_now();
  const std::int64_t since =
      mono.tv_sec * 1'000'000 + mono.tv_nsec / 1000 - static_cast<std::int64_t>(microseconds);
  return now + -std::chrono::microseconds(std::clamp<std::int64_t>(since, 0, now.ns / 1000));
}

}  // namespace estiva::host
