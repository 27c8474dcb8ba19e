#include "decide/cdi/gpu_names.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_cdi.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

bool knows_mig(std::span<const DriverGpu> gpus, const std::string DriverMig::*member,
               std::string_view value) {
  return std::any_of(gpus.begin(), gpus.end(), [&](const DriverGpu& gpu) {
    return std::any_of(gpu.migs.begin(), gpu.migs.end(),
                       [&](const DriverMig& mig) { return mig.*member == value; });
  });
}

// What a GPU's index or UUID leads to.
GpuNameVerdict judge_whole(std::string_view name, const DriverGpu* gpu, const char* gone) {
  GpuNameVerdict verdict;
  if (gpu == nullptr) {
    verdict.fault = fmt::format(fmt::runtime(gone), name);
  } else if (gpu->mig_enabled) {
    verdict.fault = fmt::format(msg::kCdiIndexInMig, name);
  } else {
    verdict.gpu = gpu;
  }
  return verdict;
}

GpuNameVerdict judge_index(std::string_view name, std::uint64_t index,
                           std::span<const DriverGpu> gpus) {
  const auto found = std::find_if(gpus.begin(), gpus.end(),
                                  [&](const DriverGpu& gpu) { return gpu.index == index; });
  return judge_whole(name, found == gpus.end() ? nullptr : &*found, msg::kCdiIndexGone);
}

GpuNameVerdict judge_uuid(std::string_view name, std::span<const DriverGpu> gpus) {
  const auto found = std::find_if(gpus.begin(), gpus.end(),
                                  [&](const DriverGpu& gpu) { return gpu.uuid == name; });
  const bool all_known =
      std::none_of(gpus.begin(), gpus.end(), [](const DriverGpu& gpu) { return gpu.uuid.empty(); });
  if (found == gpus.end() && !all_known) return {};
  return judge_whole(name, found == gpus.end() ? nullptr : &*found, msg::kCdiUuidGone);
}

GpuNameVerdict judge_mig(std::string_view name, bool is_known) {
  return {is_known ? std::string() : fmt::format(msg::kCdiMigGone, name), nullptr};
}

}  // namespace

std::optional<unsigned> gpu_minor_of(std::string_view path) {
  constexpr std::string_view kStart = "/dev/nvidia";
  if (!path.starts_with(kStart)) return std::nullopt;
  const auto minor = format::parse_u64(path.substr(kStart.size()));
  if (!minor || *minor > 0xFFFFF) return std::nullopt;  // minors have 20 bits
  return static_cast<unsigned>(*minor);
}

GpuNameVerdict judge_gpu_name(std::string_view name, std::span<const DriverGpu> gpus) {
  if (gpus.empty()) return {};
  if (name.starts_with("GPU-")) return judge_uuid(name, gpus);
  if (name.starts_with("MIG-")) return judge_mig(name, knows_mig(gpus, &DriverMig::uuid, name));
  std::string_view index = name;
  if (index.starts_with("gpu") || index.starts_with("mig")) index.remove_prefix(3);
  if (const auto whole = format::parse_u64(index)) return judge_index(name, *whole, gpus);
  const std::size_t colon = index.find(':');
  const bool is_mig = colon != index.npos && format::parse_u64(index.substr(0, colon)) &&
                      format::parse_u64(index.substr(colon + 1));
  return is_mig ? judge_mig(name, knows_mig(gpus, &DriverMig::index, index)) : GpuNameVerdict{};
}

}  // namespace estiva::decide
