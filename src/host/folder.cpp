#include "host/folder.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace estiva::host {
namespace {

struct CloseDir {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

unsigned char type_of(int folder, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat info {};
  if (::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
  return IFTODT(info.st_mode);
}

OrErrno<std::string> target_of(int folder, const char* name) {
  char target[PATH_MAX];
  const ssize_t size = ::readlinkat(folder, name, target, sizeof target);
  if (size < 0) return tl::unexpected(errno == EINVAL ? ENOENT : errno);
  if (static_cast<std::size_t>(size) == sizeof target) return tl::unexpected(ENAMETOOLONG);
  return std::string(target, static_cast<std::size_t>(size));
}

}  // namespace

OrErrno<std::vector<FolderEntry>> entries_at(const Root& root, const std::string& path,
                                             std::size_t most, const IsWanted& wanted) {
  const int fd = root.open_at(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (fd < 0) return tl::unexpected(-fd);
  const std::unique_ptr<DIR, CloseDir> folder(::fdopendir(fd));
  if (!folder) {
    const int error = errno;
    ::close(fd);
    return tl::unexpected(error);
  }
  std::vector<FolderEntry> entries;
  for (std::size_t seen = 0; seen < most;) {
    errno = 0;
    const dirent* entry =
        ::readdir(folder.get());  // of a stream of our own: no other thread has it
    if (entry == nullptr && errno != 0) return tl::unexpected(errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    ++seen;
    if (wanted && !wanted(name)) continue;
    const unsigned char type = type_of(fd, *entry);
    entries.push_back({std::string(name), type == DT_LNK, type == DT_DIR});
  }
  std::sort(entries.begin(), entries.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return entries;
}

std::vector<FolderEntry> list_folder(const Root& root, const std::string& path,
                                     const IsWanted& wanted) {
  return entries_at(root, path, kMaxFolderEntries, wanted).value_or(std::vector<FolderEntry>());
}

OrErrno<struct stat> stat_at(const Root& root, const std::string& path) {
  const int opened = root.open_at(path.c_str(), O_PATH);
  if (opened < 0) return tl::unexpected(-opened);
  const UniqueFd fd(opened);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return tl::unexpected(errno);
  return info;
}

OrErrno<std::string> link_at(const Root& root, const std::string& path) {
  const int opened = root.open_at(path.c_str(), O_PATH | O_NOFOLLOW);
  if (opened < 0) return tl::unexpected(-opened);
  return target_of(UniqueFd(opened).get(), "");
}

OrErrno<std::string> path_of(int fd) {
  return target_of(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd)).c_str());
}

bool exists(const Root& root, const std::string& path) {
  return stat_at(root, path).has_value();
}

RealPaths::RealPaths(const Root& root) : root_(root) {
  prefix_ = path_of(root.dirfd()).value_or("");
  if (prefix_ == "/") prefix_.clear();
}

std::optional<std::string> RealPaths::of(const std::string& path) const {
  const int opened = root_.open_at(path.c_str(), O_PATH);
  if (opened < 0) return std::nullopt;
  const UniqueFd fd(opened);
  auto real = path_of(fd.get());
  if (!real || !real->starts_with(prefix_)) return std::nullopt;
  real->erase(0, prefix_.size());
  if (real->empty()) return "/";
  if (!real->starts_with('/')) return std::nullopt;
  return *real;
}

}  // namespace estiva::host
