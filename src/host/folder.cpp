#include "host/folder.h"

#include <algorithm>
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

// Where an open descriptor's file is, as this process sees it.
std::optional<std::string> path_of(int fd) {
  char target[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  if (size <= 0 || static_cast<std::size_t>(size) == sizeof target || target[0] != '/') {
    return std::nullopt;
  }
  return std::string(target, static_cast<std::size_t>(size));
}

}  // namespace

std::vector<FolderEntry> list_folder(const Root& root, const std::string& path,
                                     const std::function<bool(std::string_view)>& wanted) {
  const int fd = root.open_at(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (fd < 0) return {};
  const std::unique_ptr<DIR, CloseDir> folder(::fdopendir(fd));
  if (!folder) {
    ::close(fd);
    return {};
  }
  std::vector<FolderEntry> entries;
  for (std::size_t seen = 0; seen < kMaxFolderEntries; ++seen) {
    const dirent* entry =
        ::readdir(folder.get());  // of a stream of our own: no other thread has it
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || (wanted && !wanted(name))) continue;
    const unsigned char type = type_of(fd, *entry);
    entries.push_back({std::string(name), type == DT_LNK, type == DT_DIR});
  }
  std::sort(entries.begin(), entries.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return entries;
}

std::optional<struct stat> stat_at(const Root& root, const std::string& path) {
  const int opened = root.open_at(path.c_str(), O_PATH);
  if (opened < 0) return std::nullopt;
  const UniqueFd fd(opened);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return std::nullopt;
  return info;
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
  if (!real->starts_with('/')) return std::nullopt;
  return real;
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos || slash == 0) return "/";
  return path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace estiva::host
