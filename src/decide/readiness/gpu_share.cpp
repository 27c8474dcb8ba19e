#include "decide/readiness/gpu_share.h"

#include <algorithm>

#include "decide/readiness/cdi_view.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

bool asks_for_gpu(const DeviceRequest& request) {
  if (request.driver == "nvidia") return true;
  const auto& capabilities = request.capabilities;
  return request.driver.empty() &&
         std::find(capabilities.begin(), capabilities.end(), "gpu") != capabilities.end();
}

// "nvidia.com/gpu=0"; other devices are no GPU.
void add_cdi(const std::string& name, GpuShare& share) {
  if (!is_cdi_name(name) || name.find("/gpu=") == std::string::npos) return;
  const std::string device = name.substr(name.find('=') + 1);
  share.by_cdi = true;
  share.all = share.all || device == "all";
  share.devices.push_back(device);
}

void add_request(const DeviceRequest& request, GpuShare& share, std::size_t& counted) {
  share.by_request = true;
  if (!request.ids.empty()) {
    share.devices.insert(share.devices.end(), request.ids.begin(), request.ids.end());
  } else if (request.count > 0) {
    counted += static_cast<std::size_t>(request.count);
  } else {
    share.all = true;
  }
}

void add_runtime(const ContainerFact& container, GpuShare& share) {
  const auto value = variable(container.environment, "NVIDIA_VISIBLE_DEVICES");
  if (container.runtime != "nvidia" || !value) return;
  if (value->empty() || *value == "void" || *value == "none") return;
  share.by_runtime = true;
  share.all = *value == "all";
  for (const std::string_view part : parts_of_list(*value)) share.devices.emplace_back(part);
}

bool has_mig(const ReadinessFacts& facts) {
  return std::any_of(facts.driver.files.gpus.begin(), facts.driver.files.gpus.end(),
                     [](const DriverGpu& gpu) { return gpu.mig_enabled; }) ||
         std::any_of(facts.driver.gpus.begin(), facts.driver.gpus.end(),
                     [](const Gpu& gpu) { return gpu.identity.mig_enabled; });
}

}  // namespace

GpuShare share_of(const ContainerFact& container, const ReadinessFacts& facts) {
  GpuShare share;
  std::size_t counted = 0;
  for (const DeviceRequest& request : container.requests) {
    if (request.driver == "cdi") {
      for (const std::string& id : request.ids) add_cdi(id, share);
    } else if (asks_for_gpu(request)) {
      add_request(request, share, counted);
    }
  }
  for (const std::string& path : container.device_paths) add_cdi(path, share);
  if (!share.any()) add_runtime(container, share);
  const std::size_t on_host = gpu_count(facts);
  if (on_host > 0 && !has_mig(facts)) {
    share.count = share.all ? on_host : std::min(on_host, share.devices.size() + counted);
  }
  return share;
}

std::size_t gpu_count(const ReadinessFacts& facts) {
  // NVML's list has the MIG instances of a GPU beside it.
  const auto whole = std::ranges::count_if(
      facts.driver.gpus, [](const Gpu& gpu) { return gpu.identity.id.instance.empty(); });
  return std::max(static_cast<std::size_t>(whole), facts.driver.files.gpus.size());
}

std::vector<std::string> gpu_uuids(const ReadinessFacts& facts) {
  std::vector<std::string> uuids;
  for (const DriverGpu& gpu : facts.driver.files.gpus) {
    if (!gpu.uuid.empty()) uuids.push_back(gpu.uuid);
  }
  for (const Gpu& gpu : facts.driver.gpus) uuids.push_back(gpu.identity.id.uuid);
  return uuids;
}

std::optional<std::string_view> variable(const std::vector<std::string>& environment,
                                         std::string_view name) {
  std::optional<std::string_view> value;
  for (const std::string_view line : environment) {
    if (line.size() > name.size() && line[name.size()] == '=' &&
        line.substr(0, name.size()) == name) {
      value = line.substr(name.size() + 1);
    }
  }
  return value;
}

bool is_number(std::string_view text) {
  return format::parse_u64(text).has_value();
}

std::vector<std::string_view> parts_of_list(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.push_back(format::trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

}  // namespace estiva::decide
