// The NVIDIA driver's files of procfs.
#include <cstdlib>

#include "format/nvidia_proc.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto version = parse_module_version(text).version;
  if (!version.empty() && !is_driver_version(version)) std::abort();
  const auto gpu = parse_gpu_information(text);
  if (!gpu.uuid.empty() && !is_gpu_uuid(gpu.uuid)) std::abort();
  if (parse_mig_minors(text).size() > kMaxMigMinors) std::abort();
  return 0;
}
