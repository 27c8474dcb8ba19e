// Files under a root. Every path is resolved inside the root with openat2(RESOLVE_IN_ROOT), so a
// symbolic link in a recorded host tree can't lead out of it. Reads are bounded, writes are atomic
// and durable. Thread-safe (a Root only holds a descriptor), blocking: not for the loop.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace estiva::host {

// A host tree: "/" or a folder with proc/, sys/, etc/ below it.
class Root {
 public:
  static Result<Root> open(std::string dir = "/");

  const std::string& dir() const { return dir_; }
  bool is_real() const { return dir_ == "/"; }
  int dirfd() const { return fd_.get(); }
  // `path` is absolute in the tree ("/proc/stat"). Returns -errno instead of a descriptor.
  int open_at(const char* path, int flags) const;
  // "/srv/tree" + "/proc/stat", for messages.
  std::string shown(std::string_view path) const;

 private:
  std::string dir_;
  UniqueFd fd_;
};

// The whole file, at most `limit` bytes: a longer one is an error. Handles EINTR and files of size
// 0 that have content (procfs).
Result<std::string> read_file(const Root& root, const std::string& path,
                              std::size_t limit = 1 << 20);
// For hot paths: into a buffer of the caller's; the number of bytes, or -errno. What does not fit
// is cut. One read, so for plain files and for those of procfs that the kernel makes in one piece
// (single_open() in its source: stat, meminfo, loadavg, pressure, a process's stat and status).
ssize_t read_into(const Root& root, const char* path, std::span<char> buffer);

// The names in a folder, sorted, without "." and "..". Errors: not_found, denied, failed; more than
// `most` names are an error.
Result<std::vector<std::string>> read_folder(const Root& root, const std::string& path,
                                             std::size_t most = 65'536);

// The same for a path of the machine itself (settings, state): not under a root.
Result<std::string> read_local_file(const std::string& path, std::size_t limit = 1 << 20);
// What an open descriptor has from its position on; `name` is for the error.
Result<std::string> read_open_file(const UniqueFd& fd, const std::string& name,
                                   std::size_t limit = 1 << 20);
// Temp file in the same folder, fsync, rename, fsync of the folder. The temp file is removed on
// failure; the old content stays whole whatever happens.
Result<void> write_file_atomic(const std::string& path, std::string_view content,
                               mode_t mode = 0644);
// Makes the folder and its parents; `mode` is for the last one and is set on it even if it existed,
// where we own it. Refuses a symbolic link or a file in its place.
Result<void> ensure_dir(const std::string& path, mode_t mode);
// The same for a folder that a user named: one that is there already keeps its mode, be it /tmp.
Result<void> ensure_named_dir(const std::string& path, mode_t mode);
// Can this process make files there? The reason why not, as an error.
Result<void> check_writable_dir(const std::string& path);

// A file that says who runs, locked for as long as this value lives (and no longer: the kernel
// drops the lock with the process). The file stays when the value goes; an unlocked one means
// nothing.
class PidFile {
 public:
  // Refused (exit 5) when another process holds it; the sentence has its pid.
  static Result<PidFile> lock(const std::string& path);

 private:
  explicit PidFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace estiva::host
