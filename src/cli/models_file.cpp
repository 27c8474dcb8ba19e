#include "cli/models_file.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/cli_discover.h"
#include "format/settings.h"
#include "host/files.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

}  // namespace

Result<ModelsFile> ModelsFile::read(const std::string& path) {
  ModelsFile file;
  file.path = path;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd && errno == ENOENT) return file;
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno(path, errno);
  if (!S_ISREG(info.st_mode)) return fail_errno(path, EINVAL);
  if (info.st_uid != ::geteuid())
    return fail(ErrorKind::denied, fmt::format(m::kDiscoverOthersFile, path, info.st_uid),
                std::string(m::kDiscoverOthersFileHow));
  auto text = host::read_open_file(fd, path, format::kMaxSettingsFile);
  if (!text) return Failure(text.error());
  auto models = format::parse_model_identities(*text, path);
  if (!models) return Failure(models.error());
  file.is_there = true;
  file.text = std::move(*text);
  file.models = std::move(*models);
  file.mode = info.st_mode & 07777;
  return file;
}

Result<std::string> ModelsFile::with(std::string_view tables) const {
  std::string whole = text;
  if (!whole.empty() && whole.back() != '\n') whole += '\n';
  if (!whole.empty()) whole += '\n';
  whole += tables;
  if (auto tables_now = format::parse_model_identities(whole, path); !tables_now)
    return Failure(tables_now.error());
  return whole;
}

Result<void> ModelsFile::write(std::string_view whole) const {
  const auto now = read(path);
  if (!now) return Failure(now.error());
  if (now->is_there != is_there || now->text != text)
    return fail(ErrorKind::refused, fmt::format(m::kDiscoverChanged, path),
                std::string(m::kDiscoverChangedHow));
  // A link stays a link: the file that it names is written.
  char* real = is_there ? ::realpath(path.c_str(), nullptr) : nullptr;
  const std::string target = real != nullptr ? real : path;
  ::free(real);
  return host::write_file_atomic(target, whole, mode);
}

}  // namespace estiva::cli
