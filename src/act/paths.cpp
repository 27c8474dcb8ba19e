#include "act/paths.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/act.h"
#include "format/text.h"
#include "host/folder.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr int kMostLinks = 40;  // as the kernel follows
constexpr int kFolderFlags = O_PATH | O_DIRECTORY;

Failure bad_path(std::string_view why, std::string_view path) {
  return fail(ErrorKind::refused,
              fmt::format(fmt::runtime(why), format::escape_for_terminal(path)));
}

// What a symbolic link says; empty: it is none, or is not there.
std::string read_link(const Spot& spot) {
  std::string text(PATH_MAX, '\0');
  const ssize_t n = ::readlinkat(spot.folder.get(), spot.name.c_str(), text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

}  // namespace

Result<std::string> clean_path(std::string_view path) {
  if (!path.starts_with('/')) return bad_path(m::kNotAbsolute, path);
  if (path.find('\0') != path.npos || path.size() >= PATH_MAX) return bad_path(m::kBadPath, path);
  std::string clean;
  for (std::string_view rest = path; !rest.empty();) {
    const auto end = std::min(rest.find('/'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.size() > NAME_MAX) return bad_path(m::kBadPath, path);
    if (!part.empty() && part != ".") clean.append("/").append(part);
  }
  if (clean.empty() || path.ends_with("/.") || clean.ends_with("/..")) {
    return bad_path(m::kBadPath, path);
  }
  return clean;
}

std::string folder_of(std::string_view path) {
  return std::string(host::folder_of(path));
}

std::string name_of(std::string_view path) {
  return std::string(host::name_of(path));
}

Result<Spot> open_spot(const host::Root& root, const std::string& path) {
  const std::string folder = folder_of(path);
  const int fd = root.open_at(folder.c_str(), kFolderFlags);
  if (fd >= 0) return Spot{UniqueFd(fd), name_of(path), path};
  if (fd == -ENOTDIR || fd == -ELOOP) {  // a link that leads back to itself is no folder either
    auto failure = bad_path(m::kParentNotFolder, folder);
    failure.value().kind = ErrorKind::not_found;
    return failure;
  }
  auto failure = fail_errno(fmt::format(m::kReading, format::escape_for_terminal(folder)), -fd);
  if (fd == -ENOENT) failure.value().kind = ErrorKind::not_found;
  return failure;
}

Result<std::string> follow_links(const host::Root& root, const std::string& path) {
  std::string at = path;
  for (int i = 0; i < kMostLinks; ++i) {
    const auto spot = open_spot(root, at);
    if (!spot && spot.error().kind == ErrorKind::not_found) return at;
    if (!spot) return Failure(spot.error());
    const std::string link = read_link(*spot);
    if (link.empty()) return at;
    auto next = clean_path(link.starts_with('/') ? link : folder_of(at) + "/" + link);
    if (!next) return next;
    at = std::move(*next);
  }
  return bad_path(m::kTooManyLinks, path);
}

std::string plain_path(const host::Root& root, const std::string& path) {
  std::string folder = folder_of(path), rest = "/" + name_of(path);
  for (;;) {
    const UniqueFd fd(root.open_at(folder.c_str(), kFolderFlags));
    if (fd) {
      const auto real = host::path_of(fd.get()), top = host::path_of(root.dirfd());
      // Without procfs the path as it is written has to do.
      if (!real || !top || !real->starts_with(*top)) return path;
      return (*top == "/" ? *real == "/" ? "" : *real : real->substr(top->size())) + rest;
    }
    if (folder == "/") return path;
    rest.insert(0, "/" + name_of(folder));
    folder = folder_of(folder);
  }
}

Result<std::vector<std::string>> missing_folders(const host::Root& root, const std::string& path) {
  std::vector<std::string> missing;
  for (std::string folder = folder_of(path); folder != "/"; folder = folder_of(folder)) {
    const UniqueFd fd(root.open_at(folder.c_str(), kFolderFlags));
    if (fd) break;
    const int error = -fd.get();
    if (error == ENOTDIR || UniqueFd(root.open_at(folder.c_str(), O_PATH | O_NOFOLLOW))) {
      return bad_path(m::kParentNotFolder, folder);
    }
    if (error != ENOENT) return fail_errno(fmt::format(m::kReading, folder), error);
    missing.push_back(folder);
  }
  std::reverse(missing.begin(), missing.end());
  return missing;
}

Result<void> make_folder(const host::Root& root, const std::string& path) {
  const auto doing = fmt::format(m::kMakingFolder, format::escape_for_terminal(path));
  const auto spot = open_spot(root, path);
  if (!spot) return Failure(spot.error().in(doing));
  if (::mkdirat(spot->folder.get(), spot->name.c_str(), 0755) != 0) {
    if (errno == EEXIST) return {};
    return fail_errno(doing, errno, std::string(m::kWritingHow));
  }
  // The caller's umask does not decide what others may read.
  const UniqueFd made(::openat(spot->folder.get(), spot->name.c_str(),
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const UniqueFd parent(::openat(spot->folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!made || !parent || ::fchmod(made.get(), 0755) != 0 || ::fsync(made.get()) != 0 ||
      ::fsync(parent.get()) != 0) {
    return fail_errno(doing, errno, std::string(m::kWritingHow));
  }
  return {};
}

void remove_empty_folder(const host::Root& root, const std::string& path) {
  const auto spot = open_spot(root, path);
  if (spot) ::unlinkat(spot->folder.get(), spot->name.c_str(), AT_REMOVEDIR);
}

}  // namespace estiva::act
