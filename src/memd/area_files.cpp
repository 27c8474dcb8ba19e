#include "memd/area_files.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace estiva::memd {

namespace {

// By the descriptor, so that it is the file that was looked at, whatever the name means by now.
AreaName path_of(int file) {
  AreaName path;
  std::snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", file);
  return path;
}

UniqueFd open_area(int folder, std::uint32_t id) {
  return UniqueFd(openat(folder, area_name(id).text, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

// The kernel refuses to change a file that it swaps to; the change is none for any other.
bool is_swapped_to(int file) {
  return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 1) != 0 && errno == ETXTBSY;
}

bool is_private(const struct stat& info) {
  return S_ISREG(info.st_mode) && (info.st_mode & 07777) == 0600 && info.st_nlink == 1 &&
         info.st_uid == geteuid();
}

AreaFile look_at(int file) {
  struct stat info {};
  AreaFile out;
  out.kind = FileKind::foreign;
  if (fstat(file, &info) != 0 || !is_private(info)) return out;
  const FileHeader header = read_header(file);
  if (header.kind == FileHeaderKind::foreign) return out;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const bool is_whole = header.kind == FileHeaderKind::ours && header.size == size &&
                        static_cast<std::uint64_t>(info.st_blocks) * 512 >= size;
  out.kind = is_whole ? FileKind::ours : FileKind::cut_off;
  out.is_active = is_swapped_to(file);
  out.size = size;
  out.inode = info.st_ino;
  out.device = info.st_dev;
  out.uuid = header.uuid;
  return out;
}

bool breaks_floor(int folder, std::uint64_t size, std::uint64_t floor) {
  struct statvfs disk {};
  if (fstatvfs(folder, &disk) != 0) return true;
  return disk.f_bavail * disk.f_frsize < size + floor || (disk.f_files > 0 && disk.f_favail == 0);
}

AreaFault fill(int file, std::uint64_t size) {
  if (fallocate(file, 0, 0, static_cast<off_t>(size)) != 0) return {AreaStep::allocate, errno};
  Uuid uuid{};
  if (getrandom(uuid.data(), uuid.size(), GRND_NONBLOCK) < 0) uuid[0] = 1;  // only a name
  const int failed = write_header(file, size, uuid);
  return failed != 0 ? AreaFault{AreaStep::header, failed} : AreaFault{};
}

}  // namespace

const char* step_name(AreaStep step) noexcept {
  constexpr const char* kNames[] = {"none",   "disk floor", "open",    "fallocate",
                                    "header", "swapon",     "swapoff", "unlink"};
  return kNames[static_cast<std::size_t>(step)];
}

AreaName area_name(std::uint32_t id) noexcept {
  AreaName name;
  std::snprintf(name.text, sizeof name.text, id == 0 ? "trial.swap" : "area-%u.swap", id);
  return name;
}

AreaFile look_at_area(int folder, std::uint32_t id) noexcept {
  const UniqueFd file = open_area(folder, id);
  if (file) return look_at(file.get());
  AreaFile out;
  if (errno != ENOENT) out.kind = FileKind::foreign;
  return out;
}

AreaFault make_area(int folder, std::uint32_t id, std::uint64_t size,
                    std::uint64_t floor) noexcept {
  if (breaks_floor(folder, size, floor)) return {AreaStep::disk_floor, ENOSPC};
  const UniqueFd file(
      openat(folder, area_name(id).text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return {AreaStep::open, errno};
  const AreaFault fault = fill(file.get(), size);
  if (fault) unlinkat(folder, area_name(id).text, 0);
  return fault;
}

AreaFault activate_area(int folder, std::uint32_t id) noexcept {
  const UniqueFd file = open_area(folder, id);
  if (!file) return {AreaStep::open, errno};
  if (look_at(file.get()).kind != FileKind::ours) return {AreaStep::open, EINVAL};
  if (swapon(path_of(file.get()).text, 0) != 0) return {AreaStep::swapon, errno};
  return {};
}

AreaFault deactivate_area(int folder, std::uint32_t id) noexcept {
  const UniqueFd file = open_area(folder, id);
  if (!file) return {AreaStep::open, errno};
  if (look_at(file.get()).kind != FileKind::ours) return {AreaStep::open, EINVAL};
  if (swapoff(path_of(file.get()).text) != 0) return {AreaStep::swapoff, errno};
  return {};
}

AreaFault remove_area(int folder, std::uint32_t id) noexcept {
  const AreaFile file = look_at_area(folder, id);
  if (file.kind == FileKind::absent) return {};
  if (file.kind == FileKind::foreign) return {AreaStep::remove, EINVAL};
  if (file.is_active) return {AreaStep::remove, EBUSY};
  if (unlinkat(folder, area_name(id).text, 0) != 0) return {AreaStep::remove, errno};
  return {};
}

}  // namespace estiva::memd
