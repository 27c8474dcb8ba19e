#include "memd/swap_folder.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/messages/memd.h"
#include "memd/area_files.h"

namespace estiva::memd {

namespace {

constexpr std::uint64_t kTrialSize = 1 << 20;
constexpr long kExt4 = 0xEF53, kXfs = 0x58465342, kBtrfs = 0x9123683E;

// What people are likely to meet; the number of any other.
std::string file_system_name(long type) {
  switch (type) {
    case kExt4:
      return "ext4";
    case kXfs:
      return "xfs";
    case kBtrfs:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x858458f6:
      return "ramfs";
    case 0x794c7630:
      return "overlay";
    case 0x65735546:
      return "FUSE";
    case 0x6969:
      return "NFS";
    case 0xFF534D42:
    case 0xFE534D42:
    case 0x517B:
      return "SMB";
    case 0x01021997:
      return "9p";
    case 0x2FC12FC1:
      return "ZFS";
    case 0xF2F52010:
      return "F2FS";
    case 0x4D44:
      return "FAT";
    default:
      return fmt::format("of type {:#x}", type);
  }
}

Failure refuse(std::string what) {
  return fail(ErrorKind::refused, std::move(what), std::string(msg::kMemdFolderRemedy));
}

Failure refuse_folder(const std::string& path, int number) {
  return refuse(fmt::format(msg::kMemdNoFolder, path, std::strerror(number)));
}

// A subvolume of its own where the parent is btrfs; else an ordinary folder. 0, or the errno.
int make_folder(const std::string& path) {
  const auto slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  const UniqueFd above(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs disk {};
  if (!above || fstatfs(above.get(), &disk) != 0) return errno;
  btrfs_ioctl_vol_args words{};
  if (disk.f_type == kBtrfs && name.size() < sizeof words.name) {
    std::memcpy(words.name, name.c_str(), name.size() + 1);
    if (ioctl(above.get(), BTRFS_IOC_SUBVOL_CREATE, &words) != 0) return errno;
    return fchmodat(above.get(), name.c_str(), 0700, 0) == 0 ? 0 : errno;
  }
  return mkdirat(above.get(), name.c_str(), 0700) == 0 ? 0 : errno;
}

// New files inherit it.
void stop_copy_on_write(int folder) {
  int flags = 0;
  if (ioctl(folder, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_NOCOW_FL;
  ioctl(folder, FS_IOC_SETFLAGS, &flags);
}

Result<void> check(const SwapFolder& folder) {
  struct stat info {};
  struct statfs disk {};
  if (fstat(folder.fd.get(), &info) != 0 || fstatfs(folder.fd.get(), &disk) != 0)
    return refuse_folder(folder.path, errno);
  if (info.st_uid != geteuid() || (info.st_mode & 0077) != 0)
    return refuse(fmt::format(msg::kMemdOpenFolder, folder.path, info.st_uid,
                              static_cast<unsigned>(info.st_mode & 07777)));
  const auto type = static_cast<long>(disk.f_type);
  if (type != kExt4 && type != kXfs && type != kBtrfs)
    return refuse(fmt::format(msg::kMemdFileSystem, folder.path, file_system_name(type)));
  if (type == kBtrfs) stop_copy_on_write(folder.fd.get());
  return {};
}

std::string path_of(int fd, const std::string& otherwise) {
  char path[4096];
  const auto link = fmt::format("/proc/self/fd/{}", fd);
  const ssize_t n = readlink(link.c_str(), path, sizeof path);
  return n > 0 ? std::string(path, static_cast<std::size_t>(n)) : otherwise;
}

}  // namespace

Result<SwapFolder> open_folder(const std::string& path) {
  struct stat info {};
  const bool is_missing = lstat(path.c_str(), &info) != 0 && errno == ENOENT;
  if (is_missing)
    if (const int failed = make_folder(path)) return refuse_folder(path, failed);
  SwapFolder out;
  out.fd.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!out.fd) return refuse_folder(path, errno);
  out.path = path_of(out.fd.get(), path);
  const auto checked = check(out);
  if (!checked) {
    if (is_missing) rmdir(path.c_str());
    return Failure(checked.error());
  }
  return out;
}

Result<void> try_folder(const SwapFolder& folder) {
  const int fd = folder.fd.get();
  if (look_at_area(fd, 0).is_active) deactivate_area(fd, 0);  // left by a run that was cut off
  remove_area(fd, 0);
  AreaFault fault = make_area(fd, 0, kTrialSize, 0);
  if (!fault) fault = activate_area(fd, 0);
  if (!fault) fault = deactivate_area(fd, 0);
  remove_area(fd, 0);
  if (!fault) return {};
  if (fault.step == AreaStep::swapon && fault.error == EPERM && geteuid() != 0)
    return fail(ErrorKind::refused, std::string(msg::kMemdNotRoot),
                std::string(msg::kMemdNotRootRemedy));
  return refuse(
      fmt::format(msg::kMemdTrial, folder.path, step_name(fault.step), std::strerror(fault.error)));
}

}  // namespace estiva::memd
