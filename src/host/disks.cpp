#include "host/disks.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/messages/host.h"
#include "format/mounts.h"

namespace estiva::host {
namespace {

constexpr std::size_t kMountinfoLimit = 8 << 20;

std::vector<format::Mount> read_mounts(const Root& root) {
  const auto text = read_file(root, "/proc/self/mountinfo", kMountinfoLimit);
  return text ? format::parse_mountinfo(*text) : std::vector<format::Mount>();
}

Result<Disk> measure(const Root& root, const std::string& role, const std::string& path,
                     const std::vector<format::Mount>& mounts) {
  const auto doing = [&] { return fmt::format(msg::kDiskUnreadable, root.shown(path), role); };
  const int opened = root.open_at(path.c_str(), O_PATH);
  if (opened < 0) return fail_errno(doing(), -opened);
  const UniqueFd fd(opened);
  struct statvfs info {};
  if (::fstatvfs(fd.get(), &info) != 0) return fail_errno(doing(), errno);

  Disk disk;
  disk.role = role;
  disk.path = path;
  if (const auto* mount = format::mount_of(mounts, path)) disk.filesystem = mount->filesystem;
  const std::uint64_t block = info.f_frsize != 0 ? info.f_frsize : info.f_bsize;
  disk.total = {info.f_blocks * block};
  disk.used = Bytes{info.f_blocks * block} - Bytes{info.f_bfree * block};
  disk.available = {info.f_bavail * block};
  const auto usable = disk.used + disk.available;
  if (usable.value > 0) {
    disk.used_ratio = {static_cast<double>(disk.used.value) / static_cast<double>(usable.value)};
  }
  return disk;
}

// Docker's folder may lie on a mount that hangs and that nobody asked us to touch.
bool may_touch(const std::vector<format::Mount>& mounts, const std::string& path, bool named) {
  const auto* mount = format::mount_of(mounts, path);
  return named || mount == nullptr || !format::is_network_filesystem(mount->filesystem);
}

}  // namespace

Result<Disk> read_disk(const Root& root, const std::string& role, const std::string& path) {
  return measure(root, role, path, read_mounts(root));
}

std::vector<Disk> read_disks(const Root& root, const std::string& docker_root,
                             const std::vector<std::string>& model_folders,
                             std::vector<std::string>* trouble) {
  const auto mounts = read_mounts(root);
  std::vector<Disk> disks;
  const auto add = [&](const std::string& role, const std::string& path, bool named) {
    if (path.empty() || !may_touch(mounts, path, named)) return;
    auto disk = measure(root, role, path, mounts);
    if (disk) {
      disks.push_back(std::move(*disk));
    } else if (trouble != nullptr && named) {
      trouble->push_back(disk.error().sentence());
    }
  };
  add("root", "/", true);
  add("docker", docker_root, false);
  for (const auto& folder : model_folders) add("models", folder, true);
  return disks;
}

std::vector<SwapArea> read_swap_areas(const Root& root) {
  const auto text = read_file(root, "/proc/swaps", 64 << 10);
  return text ? format::parse_swaps(*text) : std::vector<SwapArea>();
}

}  // namespace estiva::host
