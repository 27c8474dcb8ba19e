#include "gpu/nvml_library.h"

#include <climits>
#include <cstdlib>
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include "base/messages/gpu.h"

namespace estiva::gpu::nvml {
namespace {

constexpr const char* kSoname = "libnvidia-ml.so.1";

void* find(void* library, const char* name, const char* older) {
  void* symbol = dlsym(library, name);
  return symbol == nullptr && older != nullptr ? dlsym(library, older) : symbol;
}

const char* missing_function(const Functions& f) {
  if (f.init == nullptr && f.init_with_flags == nullptr) return "nvmlInit_v2";
  if (f.shutdown == nullptr) return "nvmlShutdown";
  if (f.device_count == nullptr) return "nvmlDeviceGetCount_v2";
  if (f.handle_by_index == nullptr) return "nvmlDeviceGetHandleByIndex_v2";
  if (f.error_string == nullptr) return "nvmlErrorString";
  return nullptr;
}

}  // namespace

Result<void> Library::open(const std::string& file) {
  close();
  const char* name = file.empty() ? kSoname : file.c_str();
  handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* why = dlerror();
    return fail(ErrorKind::not_found,
                fmt::format(msg::kGpuLibraryNotOpened, name, why == nullptr ? "" : why),
                std::string(msg::kGpuNoLibraryRemedy));
  }
// NOLINTBEGIN(bugprone-macro-parentheses): a piece of a declarator cannot stand in parentheses
#define ESTIVA_NVML_FIND(member, name, older, parameters) \
  functions_.member = reinterpret_cast<int(*) parameters>(find(handle_, name, older));
  // NOLINTEND(bugprone-macro-parentheses)
  ESTIVA_NVML_FUNCTIONS(ESTIVA_NVML_FIND)
#undef ESTIVA_NVML_FIND
  functions_.error_string =
      reinterpret_cast<const char* (*)(int)>(find(handle_, "nvmlErrorString", nullptr));
  const char* missing = missing_function(functions_);
  if (missing == nullptr) return {};
  auto error = fail(fmt::format(msg::kGpuLibraryIsNotNvml, name, missing),
                    std::string(msg::kGpuNoLibraryRemedy));
  close();
  return error;
}

bool Library::close() {
  if (handle_ == nullptr) return false;
  const std::string path = resolved_path();
  dlclose(handle_);
  handle_ = nullptr;
  functions_ = {};
  void* still_there = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (still_there != nullptr) dlclose(still_there);
  return still_there == nullptr;
}

bool Library::is_simulator() const {
  return handle_ != nullptr && ::dlsym(handle_, "estiva_sim_stats") != nullptr;
}

std::string Library::resolved_path() const {
  link_map* map = nullptr;
  if (handle_ == nullptr || dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) return {};
  char resolved[PATH_MAX];
  return realpath(map->l_name, resolved) == nullptr ? std::string(map->l_name) : resolved;
}

}  // namespace estiva::gpu::nvml
