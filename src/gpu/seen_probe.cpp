#include "gpu/seen_probe.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace estiva::gpu {
namespace {

// Of CUDA's driver API (cuda.h), which keeps its ABI: results are int, 0 is success.
using Init = int (*)(unsigned flags);
using GetCount = int (*)(int* count);
using GetDevice = int (*)(int* device, int ordinal);
using GetName = int (*)(char* name, int size, int device);
constexpr int kMostDevices = 64;
constexpr int kComputes = 0, kBroken = 1, kNone = 3;

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

std::vector<std::string> node_paths() {
  std::vector<std::string> paths;
  DIR* const folder = ::opendir("/dev");
  while (const dirent* entry = folder != nullptr ? ::readdir(folder) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name.starts_with("nvidia") && entry->d_type != DT_DIR)
      paths.push_back(std::string("/dev/").append(name));
  }
  if (folder != nullptr) ::closedir(folder);
  std::sort(paths.begin(), paths.end());
  return paths;
}

void print_nodes() {
  for (const std::string& path : node_paths()) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    std::printf("node %d %s\n", fd >= 0 ? 0 : errno, path.c_str());
    if (fd >= 0) ::close(fd);
  }
}

void print_devices(void* library) {
  const auto count_of = find<GetCount>(library, "cuDeviceGetCount");
  const auto device_of = find<GetDevice>(library, "cuDeviceGet");
  const auto name_of = find<GetName>(library, "cuDeviceGetName");
  int count = 0;
  if (count_of == nullptr || device_of == nullptr || name_of == nullptr) return;
  if (count_of(&count) != 0) return;
  for (int i = 0; i < std::min(count, kMostDevices); ++i) {
    int device = 0;
    char name[128] = {};
    if (device_of(&device, i) == 0 && name_of(name, sizeof name - 1, device) == 0)
      std::printf("device %s\n", name);
  }
}

std::string file_of(void* library) {
  const link_map* map = nullptr;
  if (::dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return {};
  return map->l_name;
}

}  // namespace

int answer_seen_probe(const std::string& library) {
  print_nodes();
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"))
    std::printf("visible %s\n", visible);
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW);
  if (handle == nullptr) {
    std::printf("nolibrary %s\n", ::dlerror());
    std::fflush(stdout);
    return kNone;
  }
  std::printf("library %s\n", file_of(handle).c_str());
  const auto init = find<Init>(handle, "cuInit");
  const int result = init == nullptr ? -1 : init(0);
  std::printf("init %d\n", result);
  if (result == 0) print_devices(handle);
  std::fflush(stdout);
  return result == 0 ? kComputes : kBroken;
}

}  // namespace estiva::gpu
