#include "host/device_users.h"

#include <algorithm>
#include <fmt/format.h>

#include "format/text.h"
#include "host/folder.h"
#include "host/process.h"

namespace estiva::host {
namespace {

// A process may hold a million descriptors; those of a GPU are among the first few.
constexpr std::size_t kMostDescriptors = 65'536;

bool begins_with_any(std::string_view path, std::span<const std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return path.starts_with(prefix); });
}

std::vector<std::string> open_devices(const Root& root, const std::string& folder,
                                      const std::vector<std::string>& descriptors,
                                      std::span<const std::string_view> prefixes) {
  std::vector<std::string> devices;
  for (const std::string& descriptor : descriptors) {
    auto path = link_at(root, fmt::format("{}/{}", folder, descriptor));
    if (path && begins_with_any(*path, prefixes)) devices.push_back(std::move(*path));
  }
  std::sort(devices.begin(), devices.end());
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  return devices;
}

}  // namespace

DeviceUsers find_device_users(const Root& root, std::span<const std::string_view> prefixes) {
  DeviceUsers found;
  const auto names = read_folder(root, "/proc");
  if (!names) return found;
  for (const std::string& name : *names) {
    const auto pid = format::parse_u64(name);
    if (!pid) continue;
    const std::string folder = fmt::format("/proc/{}/fd", name);
    const auto descriptors = read_folder(root, folder, kMostDescriptors);
    if (!descriptors) {
      // One that has ended meanwhile hides nothing.
      if (descriptors.error().kind == ErrorKind::denied) ++found.hidden;
      continue;
    }
    auto devices = open_devices(root, folder, *descriptors, prefixes);
    if (devices.empty()) continue;
    const pid_t id = static_cast<pid_t>(*pid);
    found.users.push_back({id, name_of(root, id), std::move(devices)});
  }
  std::sort(found.users.begin(), found.users.end(),
            [](const DeviceUser& a, const DeviceUser& b) { return a.pid < b.pid; });
  return found;
}

}  // namespace estiva::host
