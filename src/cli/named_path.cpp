#include "cli/named_path.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>

#include "act/paths.h"
#include "base/messages/cli_cdi.h"
#include "host/folder.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
namespace fs = std::filesystem;

// A container's GPU is looked for there, so a missing one is no slip of the pen.
constexpr std::array<std::string_view, 3> kOwnFolders = {"/etc/cdi", "/run/cdi", "/var/run/cdi"};

Failure no_folder(const std::string& shown, const std::string& in_tree = {}) {
  return fail(ErrorKind::not_found, fmt::format(m::kNoFolder, shown),
              std::string(m::kNoFolderRemedy) + in_tree);
}

// Where the folder of `path` is, as this process sees it.
Result<std::string> folder_in(const host::Root& root, const std::string& path) {
  const std::string folder = act::folder_of(path);
  if (std::ranges::find(kOwnFolders, folder) != kOwnFolders.end()) {
    const auto missing = act::missing_folders(root, path);
    if (!missing) return Failure(missing.error());
    for (const std::string& one : *missing)
      if (auto made = act::make_folder(root, one); !made) return Failure(made.error());
  }
  const auto spot = act::open_spot(root, path);
  if (!spot && spot.error().kind == ErrorKind::not_found)
    return no_folder(root.shown(folder),
                     root.is_real() ? "" : fmt::format(m::kNoFolderInTree, root.dir()));
  if (!spot) return Failure(spot.error());
  const auto real = host::path_of(spot->folder.get());
  if (!real) return fail_errno(fmt::format(m::kNoFolder, folder), real.error());
  return *real == "/" ? std::string() : *real;
}

}  // namespace

Result<std::string> read_named(const host::Root& root, const std::string& path, std::size_t limit) {
  return path.starts_with('/') ? host::read_file(root, path, limit)
                               : host::read_local_file(path, limit);
}

Result<std::string> write_named_spec(const host::Root& root, const std::string& path,
                                     std::string_view text) {
  if (!path.starts_with('/')) {
    const fs::path folder = fs::path(path).parent_path();
    std::error_code ignored;
    if (!folder.empty() && !fs::is_directory(folder, ignored)) return no_folder(folder.string());
    if (auto ok = host::write_file_atomic(path, text, 0644); !ok) return Failure(ok.error());
    return path;
  }
  const auto clean = act::clean_path(path);
  if (!clean) return Failure(clean.error());
  const auto folder = folder_in(root, *clean);
  if (!folder) return Failure(folder.error());
  const std::string real = fmt::format("{}/{}", *folder, act::name_of(*clean));
  if (auto ok = host::write_file_atomic(real, text, 0644); !ok) return Failure(ok.error());
  return root.shown(*clean);
}

Result<std::string> machine_path_of(const std::string& root, const std::string& file) {
  const fs::path path(file);
  if (root == "/" || path.is_absolute()) return fs::absolute(path).lexically_normal().string();
  std::error_code failed;
  const fs::path tree = fs::weakly_canonical(root, failed);
  const fs::path inside = fs::weakly_canonical(path, failed).lexically_relative(tree);
  if (failed || inside.empty() || *inside.begin() == "..")
    return fail(ErrorKind::usage, fmt::format(m::kOutsideTree, file, root),
                std::string(m::kOutsideTreeRemedy));
  return "/" + inside.string();
}

}  // namespace estiva::cli
