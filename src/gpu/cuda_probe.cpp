#include "gpu/cuda_probe.h"

#include <algorithm>
#include <cstdio>
#include <dlfcn.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "format/text.h"
#include "gpu/sensor_launcher.h"
#include "host/program.h"

namespace estiva::gpu {
namespace {

// Of CUDA's driver API (cuda.h), which keeps its ABI: results are int, 0 is success.
using Init = int (*)(unsigned flags);
using GetCount = int (*)(int* count);
using GetDevice = int (*)(int* device, int ordinal);
using GetAttribute = int (*)(int* value, int attribute, int device);
constexpr int kComputeMode = 20;            // CU_DEVICE_ATTRIBUTE_COMPUTE_MODE
constexpr int kNoLibrary = 3, kNoInit = 4;  // exit codes
constexpr int kMostDevices = 64;

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

// A prohibited GPU among open ones matters: the highest of all.
std::optional<int> strictest_mode(void* library) {
  const auto count_of = find<GetCount>(library, "cuDeviceGetCount");
  const auto device_of = find<GetDevice>(library, "cuDeviceGet");
  const auto attribute_of = find<GetAttribute>(library, "cuDeviceGetAttribute");
  int count = 0;
  if (count_of == nullptr || device_of == nullptr || attribute_of == nullptr) return std::nullopt;
  if (count_of(&count) != 0 || count <= 0) return std::nullopt;
  std::optional<int> strictest;
  for (int i = 0; i < std::min(count, kMostDevices); ++i) {
    int device = 0, mode = 0;
    if (device_of(&device, i) != 0 || attribute_of(&mode, kComputeMode, device) != 0) continue;
    strictest = std::max(strictest.value_or(0), mode);
  }
  return strictest;
}

}  // namespace

int answer_cuda_probe(const std::string& library) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  void* handle = ::dlopen(library.c_str(), RTLD_NOW);
  if (handle == nullptr) return kNoLibrary;
  const auto init = find<Init>(handle, "cuInit");
  if (init == nullptr) return kNoInit;
  const int result = init(0);
  std::printf("init %d\n", result);
  if (result == 0) {
    if (const auto mode = strictest_mode(handle)) std::printf("mode %d\n", *mode);
  }
  std::fflush(stdout);
  return 0;
}

CudaAnswer parse_cuda_answer(std::string_view text) {
  CudaAnswer answer{Missing::failed, Missing::not_supported};
  for (std::string_view line; format::next_line(text, line);) {
    std::string_view key, value;
    if (!format::next_word(line, key) || !format::next_word(line, value)) continue;
    const auto number = format::parse_i64(value);
    if (!number) continue;
    if (key == "init") answer.init = static_cast<int>(*number);
    if (key == "mode") answer.compute_mode = static_cast<unsigned>(*number);
  }
  return answer;
}

CudaAnswer probe_cuda(const CudaProbe& probe) {
  SensorOptions options;
  options.program = probe.program;
  const auto said =
      host::ask_program({sensor_program(options), "--cuda", probe.library}, {probe.limit, 4096});
  if (!said) {
    const bool is_slow = said.error().kind == ErrorKind::timed_out;
    const Missing why = is_slow ? Missing::unresponsive : Missing::failed;
    return {why, why};
  }
  if (said->signal == 0 && said->exit_code == kNoLibrary) {
    return {Missing::not_supported, Missing::not_supported};
  }
  return parse_cuda_answer(said->output);
}

}  // namespace estiva::gpu
