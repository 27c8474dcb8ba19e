#include "cli/programs.h"

#include <climits>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>
#include <vector>

#include "base/messages/cli.h"
#include "host/beside.h"

namespace estiva::cli {
namespace {

std::vector<std::string> folders() {
  const char* named = std::getenv("ESTIVA_LIBEXEC");
  if (named != nullptr && *named != '\0') return {named};
  const std::string own = host::own_folder();
  return {own, own + "/../libexec/estiva", own + "/../lib/estiva"};
}

Result<std::string> find(const std::string& file, int access) {
  const auto tried = folders();
  for (const std::string& folder : tried) {
    std::string path = fmt::format("{}/{}", folder, file);
    if (::access(path.c_str(), access) == 0) return path;
  }
  return fail(fmt::format(msg::cli::kNoProgram, file, tried.front()),
              std::string(msg::cli::kNoProgramRemedy));
}

}  // namespace

std::string own_program() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return {path, size > 0 ? static_cast<std::size_t>(size) : 0};
}
Result<std::string> find_program(const std::string& name) {
  return find(name, X_OK);
}
Result<std::string> find_beside(const std::string& file) {
  return find(file, R_OK);
}

}  // namespace estiva::cli
