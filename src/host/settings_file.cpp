#include "host/settings_file.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/host.h"
#include "host/files.h"

namespace estiva::host {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

FileOwner owner_of(const struct stat& info) {
  return {info.st_uid, info.st_gid, info.st_mode & 07777};
}

// Owners of the file that was opened (not of what stands there a moment later) and of its folder.
Result<void> check_on_disk(const std::string& path, const struct stat& file) {
  const auto slash = path.rfind('/');
  const auto folder = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    return fail_errno(fmt::format(msg::kReading, folder), errno);
  }
  return check_only_owner_writes(path, owner_of(file), owner_of(info), ::geteuid());
}

std::string user_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return fmt::format("{}/estiva/estiva.toml", config);
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fmt::format("{}/.config/estiva/estiva.toml", home);
  return {};
}

}  // namespace

std::string find_settings(const std::string& named) {
  if (!named.empty()) return named;
  if (::geteuid() != 0) {
    auto own = user_file();
    if (!own.empty() && ::access(own.c_str(), F_OK) == 0) return own;
  }
  const std::string system = "/etc/estiva/estiva.toml";
  return ::access(system.c_str(), F_OK) == 0 ? system : std::string();
}

Result<void> check_only_owner_writes(const std::string& path, FileOwner file, FileOwner folder,
                                     uid_t self) {
  const auto trusted = [=](uid_t uid) { return uid == 0 || uid == self; };
  std::string why;
  if (!trusted(file.uid)) {
    why = fmt::format(msg::kSettingsUnsafeOwner, file.uid);
  } else if ((file.mode & kOthersWrite) != 0) {
    why = fmt::format(msg::kSettingsUnsafeFile, file.mode);
  } else if (!trusted(folder.uid)) {
    why = fmt::format(msg::kSettingsUnsafeFolderOwner, folder.uid);
  } else if ((folder.mode & kOthersWrite) != 0 && (folder.mode & S_ISVTX) == 0) {
    why = fmt::format(msg::kSettingsUnsafeFolder, folder.mode);
  }
  if (why.empty()) return {};
  return fail(ErrorKind::refused, fmt::format(msg::kSettingsUnsafe, path, why),
              fmt::format(msg::kSettingsUnsafeHow, path));
}

Result<LoadedSettings> read_settings(const std::string& named) {
  LoadedSettings loaded;
  loaded.file = find_settings(named);
  if (loaded.file.empty()) return loaded;
  // One descriptor for owner and content: a file swapped in between is not the one that counts.
  const UniqueFd fd(::open(loaded.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return fail_errno(fmt::format(msg::kReading, loaded.file), errno);
  }
  const auto text = read_open_file(fd, loaded.file, format::kMaxSettingsFile);
  if (!text) return Failure(text.error());
  auto settings = format::parse_settings(*text, loaded.file);
  if (!settings) return Failure(std::move(settings.error()));
  if (format::has_commands(*settings)) {
    if (auto checked = check_on_disk(loaded.file, info); !checked) {
      return Failure(std::move(checked.error()));
    }
  }
  loaded.settings = std::move(*settings);
  return loaded;
}

}  // namespace estiva::host
