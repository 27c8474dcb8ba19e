#include "act/files.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/messages/act.h"
#include "base/units.h"
#include "format/sha256.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;
using format::escape_for_terminal;

constexpr std::int64_t kSecond = 1'000'000'000;
// The kernel's own bounds on the names and on one value (XATTR_LIST_MAX, XATTR_SIZE_MAX).
constexpr std::size_t kAttributeBytes = 65536;

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * kSecond + time.tv_nsec;
}

Failure failed(std::string_view doing, const std::string& path, int error) {
  const std::string name = escape_for_terminal(path);
  if (error == ENOSPC || error == EDQUOT) {
    return fail(fmt::format(m::kWritingFull, name), std::string(m::kWritingFullHow));
  }
  return fail_errno(fmt::format(fmt::runtime(doing), name), error, std::string(m::kWritingHow));
}

std::vector<Attribute> read_attributes(int fd) {
  std::vector<Attribute> attributes;
  std::string names(kAttributeBytes, '\0'), value(kAttributeBytes, '\0');
  const ssize_t n = ::flistxattr(fd, names.data(), names.size());
  names.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const char* name = names.c_str() + at;
    const ssize_t size = ::fgetxattr(fd, name, value.data(), value.size());
    if (size >= 0) attributes.push_back({name, value.substr(0, static_cast<std::size_t>(size))});
  }
  return attributes;
}

Result<std::string> read_content(int fd, const std::string& path, std::uint64_t size) {
  std::string content;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(m::kReading, path, errno);
    if (n == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(n));
    if (content.size() > kLargestFile) {
      return fail(ErrorKind::refused,
                  fmt::format(m::kFileTooLarge, escape_for_terminal(path),
                              to_text(Bytes{std::max<std::uint64_t>(size, content.size())}),
                              to_text(Bytes{kLargestFile})));
    }
  }
}

void note_info(Found& found, const struct stat& info) {
  found.device = info.st_dev, found.inode = info.st_ino;
  found.changed_ns = nanoseconds(info.st_ctim);
  State& state = found.state;
  state.mode = info.st_mode & 07777, state.uid = info.st_uid, state.gid = info.st_gid;
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    state.is = State::Is::node;
    state.node = fmt::format("{} {} {}", S_ISCHR(info.st_mode) ? 'c' : 'b', major(info.st_rdev),
                             minor(info.st_rdev));
  } else if (S_ISREG(info.st_mode)) {
    state.is = State::Is::file;
    state.modified_ns = nanoseconds(info.st_mtim);
  } else if (S_ISLNK(info.st_mode)) {
    state.is = State::Is::link;
  } else {
    state.is = S_ISDIR(info.st_mode) ? State::Is::folder : State::Is::other;
  }
}

Result<void> read_file_at(const Spot& spot, Found& found) {
  const UniqueFd fd(::openat(spot.folder.get(), spot.name.c_str(),
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return failed(m::kReading, found.path, errno);
  note_info(found, info);
  auto content = read_content(fd.get(), found.path, static_cast<std::uint64_t>(info.st_size));
  if (!content) return Failure(content.error());
  found.content = std::move(*content);
  found.state.size = found.content.size();
  found.state.sha256 = format::sha256_hex(found.content);
  found.state.attributes = read_attributes(fd.get());
  return {};
}

std::string link_at(const Spot& spot) {
  std::string text(PATH_MAX, '\0');
  const ssize_t n = ::readlinkat(spot.folder.get(), spot.name.c_str(), text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

// 'i' or 'a' where the inode has that attribute, else 0. File systems without them have none.
char protection_of(const UniqueFd& fd) {
  unsigned flags = 0;
  if (!fd || ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) != 0) return 0;
  if ((flags & FS_IMMUTABLE_FL) != 0) return 'i';
  return (flags & FS_APPEND_FL) != 0 ? 'a' : '\0';
}

Result<void> check_unprotected(const UniqueFd& fd, const std::string& path) {
  const char attribute = protection_of(fd);
  if (attribute == 0) return {};
  return fail(ErrorKind::refused,
              fmt::format(m::kImmutable, escape_for_terminal(path), attribute, attribute));
}

// 0, or an errno value. Whatever is asked for is set even where the umask or a folder's default
// says something else.
int dress(int fd, const State& wanted) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno;
  const bool owned = info.st_uid == wanted.uid && info.st_gid == wanted.gid;
  if (!owned && ::fchown(fd, wanted.uid, wanted.gid) != 0) return errno;
  if (::fchmod(fd, wanted.mode) != 0) return errno;
  for (const Attribute& attribute : wanted.attributes) {
    const auto& [name, value] = attribute;
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) continue;
    // A label that this process may not set was set by the kernel as the policy says.
    if (!name.starts_with("security.")) return errno;
  }
  if (wanted.modified_ns == 0) return 0;
  const timespec time{wanted.modified_ns / kSecond, wanted.modified_ns % kSecond};
  const timespec times[2] = {time, time};
  return ::futimens(fd, times) == 0 ? 0 : errno;
}

int write_all(const Machine& machine, int fd, std::string_view content) {
  bool half = content.size() > 1;
  while (!content.empty()) {
    const std::size_t part = half ? content.size() / 2 : content.size();
    const ssize_t n = ::write(fd, content.data(), part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
    if (half) machine.pass();
    half = false;
  }
  return 0;
}

int make_temp_file(const Machine& machine, const Spot& spot, const Becoming& becoming) {
  const UniqueFd fd(::openat(spot.folder.get(), becoming.temp.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return errno;
  machine.pass();
  if (const int error = write_all(machine, fd.get(), becoming.content)) return error;
  if (const int error = dress(fd.get(), becoming.wanted)) return error;
  return ::fsync(fd.get()) == 0 ? 0 : errno;
}

int make_temp_node(const Spot& spot, const Becoming& becoming) {
  char type = 0;
  unsigned major_number = 0, minor_number = 0;
  const State& wanted = becoming.wanted;
  if (std::sscanf(wanted.node.c_str(), "%c %u %u", &type, &major_number, &minor_number) != 3) {
    return EINVAL;
  }
  const mode_t kind = type == 'b' ? S_IFBLK : S_IFCHR;
  const char* name = becoming.temp.c_str();
  const int folder = spot.folder.get();
  if (::mknodat(folder, name, kind | 0600, makedev(major_number, minor_number)) != 0) return errno;
  if (::fchownat(folder, name, wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  return ::fchmodat(folder, name, wanted.mode, 0) == 0 ? 0 : errno;
}

int make_temp_link(const Spot& spot, const Becoming& becoming) {
  const char* name = becoming.temp.c_str();
  const State& wanted = becoming.wanted;
  if (::symlinkat(wanted.leads_to.c_str(), spot.folder.get(), name) != 0) return errno;
  if (wanted.uid == ::geteuid() && wanted.gid == ::getegid()) return 0;
  return ::fchownat(spot.folder.get(), name, wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW) == 0
             ? 0
             : errno;
}

int make_temp(const Machine& machine, const Spot& spot, const Becoming& becoming) {
  switch (becoming.wanted.is) {
    case State::Is::file:
      return make_temp_file(machine, spot, becoming);
    case State::Is::node:
      return make_temp_node(spot, becoming);
    case State::Is::link:
      return make_temp_link(spot, becoming);
    default:
      return EINVAL;
  }
}

// Is what stands there still what was found?
bool is_still(const Spot& spot, const Found& found) {
  struct stat info {};
  if (::fstatat(spot.folder.get(), spot.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT && found.state.is == State::Is::absent;
  }
  return found.state.is != State::Is::absent && info.st_dev == found.device &&
         info.st_ino == found.inode && nanoseconds(info.st_ctim) == found.changed_ns;
}

// 0, or an errno value; ECANCELED where somebody else was faster.
int put_in_place(const Spot& spot, const Found& found, const Becoming& becoming) {
  if (!is_still(spot, found)) return ECANCELED;
  const int folder = spot.folder.get();
  const char* name = spot.name.c_str();
  if (becoming.wanted.is == State::Is::absent) {
    return ::unlinkat(folder, name, 0) == 0 ? 0 : errno;
  }
  const char* temp = becoming.temp.c_str();
  if (found.state.is == State::Is::absent) {
    if (::renameat2(folder, temp, folder, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno == EEXIST) return ECANCELED;
    if (errno != EINVAL && errno != ENOSYS) return errno;  // not every file system knows it
  }
  return ::renameat(folder, temp, folder, name) == 0 ? 0 : errno;
}

int sync_folder(const Spot& spot) {
  const UniqueFd fd(::openat(spot.folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? 0 : errno;
}

}  // namespace

Result<Found> look_at(const host::Root& root, const std::string& path) {
  Found found;
  found.path = path;
  const auto spot = open_spot(root, path);
  if (!spot && spot.error().kind == ErrorKind::not_found) return found;
  if (!spot) return Failure(spot.error());
  struct stat info {};
  if (::fstatat(spot->folder.get(), spot->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return found;
    return failed(m::kReading, path, errno);
  }
  note_info(found, info);
  if (found.state.is == State::Is::link) found.state.leads_to = link_at(*spot);
  if (found.state.is == State::Is::file) {
    if (auto read = read_file_at(*spot, found); !read) return Failure(read.error());
  }
  return found;
}

Result<void> check_replaceable(const host::Root& root, const Found& found) {
  const bool odd = found.state.is == State::Is::folder || found.state.is == State::Is::other;
  if (odd) {
    return fail(ErrorKind::refused, fmt::format(m::kNotReplaced, escape_for_terminal(found.path),
                                                describe(found.state)));
  }
  const auto missing = missing_folders(root, found.path);
  if (!missing) return Failure(missing.error());
  const std::string lowest = missing->empty() ? found.path : missing->front();
  const auto spot = open_spot(root, lowest);
  if (!spot) return Failure(spot.error());
  struct statvfs disk {};
  if (::fstatvfs(spot->folder.get(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0) {
    return fail(ErrorKind::refused, fmt::format(m::kReadOnly, escape_for_terminal(found.path)));
  }
  const int flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  if (found.state.is == State::Is::file) {
    const UniqueFd file(::openat(spot->folder.get(), spot->name.c_str(), flags));
    if (auto fine = check_unprotected(file, found.path); !fine) return fine;
  }
  const UniqueFd folder(::openat(spot->folder.get(), ".", flags | O_DIRECTORY));
  return check_unprotected(folder, folder_of(lowest));
}

Result<void> become(const Machine& machine, const Found& found, const Becoming& becoming) {
  const bool removes = becoming.wanted.is == State::Is::absent;
  const auto doing = removes ? m::kRemoving : m::kWriting;
  const auto spot = open_spot(machine.root, found.path);
  if (!spot) return Failure(spot.error());
  int error = 0;
  if (!removes) {
    ::unlinkat(spot->folder.get(), becoming.temp.c_str(), 0);  // of a crash
    error = make_temp(machine, *spot, becoming);
    machine.pass();
  }
  if (error == 0) error = put_in_place(*spot, found, becoming);
  if (error != 0) {
    if (!removes) ::unlinkat(spot->folder.get(), becoming.temp.c_str(), 0);
    if (error != ECANCELED) return failed(doing, found.path, error);
    return fail(ErrorKind::refused,
                fmt::format(m::kChangedMeanwhile, escape_for_terminal(found.path)),
                std::string(m::kChangedMeanwhileHow));
  }
  machine.pass();
  if (const int unsynced = sync_folder(*spot)) return failed(doing, found.path, unsynced);
  machine.pass();
  return {};
}

void remove_leftover(const host::Root& root, const std::string& beside, const std::string& temp) {
  if (temp.empty()) return;
  const auto spot = open_spot(root, beside);
  if (spot) ::unlinkat(spot->folder.get(), temp.c_str(), 0);
}

}  // namespace estiva::act
