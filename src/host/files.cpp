#include "host/files.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/messages/host.h"
#include "base/units.h"
#include "host/folder.h"

namespace estiva::host {
namespace {

// Of an open that a race ended; a busy machine ends one in some thousands.
constexpr int kMostTries = 1'000;

template <class Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// Reads to the end of the file, at most limit bytes (one more is asked for to see that it fits).
Result<std::string> read_all(int fd, const std::string& name, std::size_t limit) {
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = retry([&] { return ::read(fd, buffer, sizeof buffer); });
    if (got < 0) return fail_errno(fmt::format(msg::kReading, name), errno);
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > limit) {
      return fail(fmt::format(msg::kFileTooBig, name, to_text(Bytes{limit})));
    }
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

Failure reading_failed(const std::string& name, int number) {
  auto failure = fail_errno(fmt::format(msg::kReading, name), number);
  if (number == ENOENT) failure.value().kind = ErrorKind::not_found;
  return failure;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = retry([&] { return ::write(fd, content.data(), content.size()); });
    if (put < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool sync_folder(const std::string& folder) {
  const UniqueFd fd(
      retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  return fd && ::fsync(fd.get()) == 0;
}

}  // namespace

Result<Root> Root::open(std::string dir) {
  Root root;
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  root.fd_ = UniqueFd(::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.fd_) {
    return fail_errno(fmt::format(msg::kRootOpen, dir), errno, std::string(msg::kRootOpenHow));
  }
  root.dir_ = std::move(dir);
  return root;
}

int Root::open_at(const char* path, int flags) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT;
  long fd = -1;
  // With ".." on the way, which links have, any rename on the machine meanwhile ends in EAGAIN
  // (openat2(2)); each try is a few microseconds.
  for (int tries = 0; tries < kMostTries; ++tries) {
    fd = retry([&] { return ::syscall(SYS_openat2, fd_.get(), path, &how, sizeof how); });
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN) break;
  }
  // Before Linux 5.6, and under a seccomp filter that does not know the call. The real root needs
  // no fence; a tree in a folder does, and is refused.
  if (is_real() && (errno == ENOSYS || errno == EPERM)) {
    const int plain = retry([&] { return ::open(path, flags | O_CLOEXEC); });
    return plain >= 0 ? plain : -errno;
  }
  return -errno;
}

std::string Root::shown(std::string_view path) const {
  return is_real() ? std::string(path) : fmt::format("{}{}", dir_, path);
}

Result<std::string> read_file(const Root& root, const std::string& path, std::size_t limit) {
  const int fd = root.open_at(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (fd < 0) return reading_failed(root.shown(path), -fd);
  return read_open_file(UniqueFd(fd), root.shown(path), limit);
}

ssize_t read_into(const Root& root, const char* path, std::span<char> buffer) {
  const int opened = root.open_at(path, O_RDONLY | O_NONBLOCK);
  if (opened < 0) return opened;
  const UniqueFd fd(opened);
  const ssize_t got = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
  return got < 0 ? -errno : got;
}

Result<std::string> read_open_file(const UniqueFd& fd, const std::string& name, std::size_t limit) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format(msg::kReading, name), errno);
  // A FIFO or a device in the place of a file would block or never end.
  if (!S_ISREG(info.st_mode)) return fail(fmt::format(msg::kNotAFile, name));
  return read_all(fd.get(), name, limit);
}

Result<std::vector<std::string>> read_folder(const Root& root, const std::string& path,
                                             std::size_t most) {
  auto entries = entries_at(root, path, most + 1);
  if (!entries) {
    auto failure = reading_failed(root.shown(path), entries.error());
    const bool is_denied = entries.error() == EACCES || entries.error() == EPERM;
    if (is_denied) failure.value().kind = ErrorKind::denied;
    return failure;
  }
  if (entries->size() > most) {
    return fail(fmt::format(msg::kFolderTooFull, root.shown(path), most));
  }
  std::vector<std::string> names;
  for (FolderEntry& entry : *entries) names.push_back(std::move(entry.name));
  return names;
}

Result<std::string> read_local_file(const std::string& path, std::size_t limit) {
  const UniqueFd fd(
      retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }));
  if (!fd) return reading_failed(path, errno);
  return read_open_file(fd, path, limit);
}

Result<void> write_file_atomic(const std::string& path, std::string_view content, mode_t mode) {
  std::string temp = path + ".XXXXXX";
  const auto failed = [&](int number) {
    return fail_errno(fmt::format(msg::kWriting, path), number, std::string(msg::kWritingHow));
  };
  UniqueFd fd(::mkostemp(temp.data(), O_CLOEXEC));
  if (!fd) return failed(errno);
  const bool written = write_all(fd.get(), content) && ::fchmod(fd.get(), mode) == 0 &&
                       ::fsync(fd.get()) == 0 && ::rename(temp.c_str(), path.c_str()) == 0;
  if (!written) {
    const int number = errno;
    ::unlink(temp.c_str());
    return failed(number);
  }
  if (!sync_folder(folder_of(path))) return failed(errno);
  return {};
}

Result<void> ensure_dir(const std::string& path, mode_t mode) {
  const auto failed = [&](int number) {
    return fail_errno(fmt::format(msg::kMakingDir, path), number, std::string(msg::kWritingHow));
  };
  for (std::size_t slash = path.find('/', 1); slash != path.npos;
       slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) return failed(errno);
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return failed(errno);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && (errno == ENOTDIR || errno == ELOOP)) {
    return fail(ErrorKind::refused, fmt::format(msg::kNotADir, path),
                std::string(msg::kNotADirHow));
  }
  if (!fd) return failed(errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return failed(errno);
  const bool ours = info.st_uid == ::geteuid();
  if (ours && (info.st_mode & 07777) != mode && ::fchmod(fd.get(), mode) != 0) return failed(errno);
  return {};
}

Result<void> ensure_named_dir(const std::string& path, mode_t mode) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return ensure_dir(path, mode);
}

Result<void> check_writable_dir(const std::string& path) {
  // access(2) answers for the real user and misses full and broken disks: make a file instead.
  std::string temp = path + "/.writable.XXXXXX";
  const UniqueFd fd(::mkostemp(temp.data(), O_CLOEXEC));
  if (!fd) {
    const auto what = errno == EROFS ? msg::kDirReadOnly : msg::kDirNotWritable;
    return fail_errno(fmt::format(fmt::runtime(what), path), errno,
                      std::string(msg::kDirNotWritableHow));
  }
  ::unlink(temp.c_str());
  return {};
}

Result<PidFile> PidFile::lock(const std::string& path) {
  UniqueFd fd(
      retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644); }));
  if (!fd)
    return fail_errno(fmt::format(msg::kWriting, path), errno, std::string(msg::kWritingHow));
  if (retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    const auto pid = read_local_file(path, 64);
    const bool known = pid && !pid->empty();
    const auto who =
        known ? fmt::format(msg::kAlreadyRunningPid, pid->substr(0, pid->find('\n'))) : "";
    return fail(ErrorKind::refused, fmt::format(msg::kAlreadyRunning, who, path),
                std::string(msg::kAlreadyRunningHow));
  }
  const auto text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || !write_all(fd.get(), text)) {
    return fail_errno(fmt::format(msg::kWriting, path), errno, std::string(msg::kWritingHow));
  }
  return PidFile(std::move(fd));
}

}  // namespace estiva::host
