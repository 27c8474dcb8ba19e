// Folders, links and nodes under a root: what is there, and where a link ends. Nothing here leads
// out of the root. Thread-safe, blocking.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include "format/path.h"
#include "host/files.h"

namespace estiva::host {

struct FolderEntry {
  std::string name;
  bool is_link = false, is_folder = false;
  friend bool operator==(const FolderEntry&, const FolderEntry&) = default;
};

// The largest folder of a usual host (/usr/bin, /usr/lib of Arch) has some 5,000 entries.
constexpr std::size_t kMaxFolderEntries = 65536;

// The value, or an errno value.
template <class T>
using OrErrno = tl::expected<T, int>;

using IsWanted = std::function<bool(std::string_view name)>;
// By name, without "." and ".."; only those that `wanted` takes, and of at most `most` that are
// looked at.
OrErrno<std::vector<FolderEntry>> entries_at(const Root& root, const std::string& path,
                                             std::size_t most = kMaxFolderEntries,
                                             const IsWanted& wanted = {});
// The same; empty where the folder can't be read.
std::vector<FolderEntry> list_folder(const Root& root, const std::string& path,
                                     const IsWanted& wanted = {});

// What is at the end of `path`, links followed inside the root.
OrErrno<struct stat> stat_at(const Root& root, const std::string& path);
bool exists(const Root& root, const std::string& path);
// Where a symbolic link points, as it is written there. ENOENT where it is none.
OrErrno<std::string> link_at(const Root& root, const std::string& path);
// Where an open file or folder is, as this process sees it. Needs /proc.
OrErrno<std::string> path_of(int fd);

// Finds where paths end: "/lib/libx.so.1" -> "/usr/lib/libx.so.1.2". Needs /proc.
class RealPaths {
 public:
  explicit RealPaths(const Root& root);
  // nullopt: nothing is there. The path is one of the root's, and no part of it is a link.
  std::optional<std::string> of(const std::string& path) const;

 private:
  const Root& root_;
  std::string prefix_;  // the root's own path, "" for "/"
};

using format::folder_of;
using format::name_of;

}  // namespace estiva::host
