#include "host/beside.h"

#include <climits>
#include <unistd.h>

namespace estiva::host {

std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) return ".";
  const std::string whole(path, static_cast<std::size_t>(size));
  return whole.substr(0, whole.rfind('/'));
}

std::string program_beside(const std::string& name) {
  std::string beside = own_folder() + "/" + name;
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  const std::string installed = own_folder() + "/../libexec/estiva/" + name;
  return ::access(installed.c_str(), X_OK) == 0 ? installed : beside;
}

}  // namespace estiva::host
