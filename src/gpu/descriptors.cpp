#include "gpu/descriptors.h"

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <unistd.h>

namespace estiva::gpu {

std::vector<int> open_descriptors() {
  std::vector<int> found;
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return found;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') found.push_back(std::atoi(entry->d_name));
  }
  std::erase(found, dirfd(folder));
  closedir(folder);
  std::sort(found.begin(), found.end());
  return found;
}

std::size_t close_all_but(const std::vector<int>& known) {
  std::size_t closed = 0;
  if (known.empty()) return closed;
  for (const int fd : open_descriptors()) {
    if (fd <= STDERR_FILENO || std::binary_search(known.begin(), known.end(), fd)) continue;
    ::close(fd);
    ++closed;
  }
  return closed;
}

}  // namespace estiva::gpu
