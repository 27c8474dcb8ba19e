// The GPUs as procfs and sysfs show them, completed by what the driver's library says.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "format/nvidia_proc.h"
#include "format/text.h"
#include "host/driver_files.h"
#include "host/folder.h"

namespace estiva::host {
namespace {

constexpr std::size_t kMaxGpus = 64;
constexpr std::size_t kMaxInstances = 64;  // GPU instances, and compute instances of each
constexpr std::size_t kMigMinorsLimit = 8 << 20;
constexpr const char* kGpus = "/proc/driver/nvidia/gpus";

// GPU instance and compute instance.
using Place = std::pair<unsigned, unsigned>;

// "00000000:01:00.0" of NVML and "0000:01:00.0" of sysfs are one address.
std::string sysfs_bus_id(std::string_view text) {
  while (text.find(':') > 4 && text.find(':') != text.npos && text.front() == '0')
    text.remove_prefix(1);
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// "0000:01:00.0": nothing that leads out of a folder.
bool is_bus_id(std::string_view text) {
  return text.size() >= 12 && text.size() <= 16 &&
         text.find_first_not_of("0123456789abcdef:.") == text.npos && text.find("..") == text.npos;
}

// By PCI address. A domain of five digits (behind a VMD bridge) comes after those of four.
bool is_before(const DriverGpu& a, const DriverGpu& b) {
  return std::pair(a.bus_id.size(), a.bus_id) < std::pair(b.bus_id.size(), b.bus_id);
}

void read_drm(const Root& root, DriverGpu& gpu) {
  const auto wanted = [](std::string_view name) {
    return name.starts_with("card") || name.starts_with("renderD");
  };
  for (const auto& entry :
       list_folder(root, "/sys/bus/pci/devices/" + gpu.bus_id + "/drm", wanted)) {
    const std::string path = "/dev/dri/" + entry.name;
    if (exists(root, path)) gpu.drm.push_back(path);
  }
  for (const char* kind : {"-card", "-render"}) {
    const std::string path = "/dev/dri/by-path/pci-" + gpu.bus_id + kind;
    if (exists(root, path)) gpu.drm_by_path.push_back(path);
  }
}

std::vector<DriverGpu> read_gpus(const Root& root) {
  std::vector<DriverGpu> gpus;
  for (const auto& entry : list_folder(root, kGpus)) {
    const auto text =
        read_file(root, std::string(kGpus) + "/" + entry.name + "/information", 64 << 10);
    if (!text || gpus.size() >= kMaxGpus || !is_bus_id(entry.name)) continue;
    const auto information = format::parse_gpu_information(*text);
    if (!information.minor) continue;  // its node can't be named
    DriverGpu gpu;
    gpu.bus_id = sysfs_bus_id(entry.name);
    gpu.minor = *information.minor;
    gpu.uuid = information.uuid;
    read_drm(root, gpu);
    gpus.push_back(std::move(gpu));
  }
  std::sort(gpus.begin(), gpus.end(), is_before);
  for (unsigned i = 0; i < gpus.size(); ++i) gpus[i].index = i;
  return gpus;
}

unsigned trailing_number(std::string_view name, std::size_t prefix) {
  return static_cast<unsigned>(format::parse_u64(name.substr(prefix)).value_or(0));
}

// The instances that exist now: .../capabilities/gpu0/mig/gi1/ci0.
std::vector<Place> read_places(const Root& root, unsigned minor) {
  const std::string folder =
      "/proc/driver/nvidia/capabilities/gpu" + std::to_string(minor) + "/mig";
  const auto starts = [](std::string_view prefix) {
    return [prefix](std::string_view name) {
      return name.starts_with(prefix) && format::parse_u64(name.substr(prefix.size())).has_value();
    };
  };
  std::vector<Place> places;
  for (const auto& outer : list_folder(root, folder, starts("gi"))) {
    for (const auto& inner : list_folder(root, folder + "/" + outer.name, starts("ci"))) {
      if (places.size() >= kMaxInstances) break;
      places.emplace_back(trailing_number(outer.name, 2), trailing_number(inner.name, 2));
    }
  }
  std::sort(places.begin(), places.end());
  return places;
}

// Which instances a MIG device is of: the driver's library says it; a UUID of before driver 470 has
// it in itself ("MIG-GPU-.../1/0"); and of one device there is no doubt.
std::optional<Place> place_of(const GpuIdentity& identity, const std::vector<Place>& places) {
  if (identity.gpu_instance && identity.compute_instance) {
    return Place{*identity.gpu_instance, *identity.compute_instance};
  }
  const std::string& uuid = identity.id.instance;
  const auto last = uuid.rfind('/');
  const auto first = last == uuid.npos || last == 0 ? uuid.npos : uuid.rfind('/', last - 1);
  if (first != uuid.npos) {
    const auto outer =
        format::parse_u64(std::string_view(uuid).substr(first + 1, last - first - 1));
    const auto inner = format::parse_u64(std::string_view(uuid).substr(last + 1));
    if (outer && inner && *outer < kMaxInstances && *inner < kMaxInstances) {
      return Place{static_cast<unsigned>(*outer), static_cast<unsigned>(*inner)};
    }
  }
  if (places.size() == 1) return places.front();
  return std::nullopt;
}

// The nodes of an instance: one of the GPU instance, one of the compute instance. Both or none.
std::vector<std::string> caps_of(const std::vector<format::MigMinor>& minors, unsigned gpu,
                                 Place place) {
  std::vector<std::string> caps;
  for (const auto& minor : minors) {
    if (minor.gpu != gpu || minor.gpu_instance != place.first) continue;
    if (minor.compute_instance && *minor.compute_instance != place.second) continue;
    caps.push_back("/dev/nvidia-caps/nvidia-cap" + std::to_string(minor.minor));
  }
  std::sort(caps.begin(), caps.end());
  return caps.size() == 2 ? caps : std::vector<std::string>();
}

void complete(DriverGpu& gpu, const std::vector<Gpu>& known) {
  for (const Gpu& said : known) {
    const GpuIdentity& identity = said.identity;
    if (!identity.id.instance.empty() || sysfs_bus_id(identity.pci_bus_id) != gpu.bus_id) continue;
    gpu.index = identity.index;
    if (format::is_gpu_uuid(identity.id.uuid)) gpu.uuid = identity.id.uuid;
    gpu.mig_enabled = identity.mig_enabled;
  }
}

void read_migs(const Root& root, const std::vector<Gpu>& known, DriverGpu& gpu) {
  const auto places = read_places(root, gpu.minor);
  gpu.mig_enabled = gpu.mig_enabled || !places.empty();
  if (!gpu.mig_enabled) return;
  const auto text = read_file(root, "/proc/driver/nvidia-caps/mig-minors", kMigMinorsLimit);
  const auto minors = text ? format::parse_mig_minors(*text) : std::vector<format::MigMinor>();
  const auto add = [&](std::string uuid, std::optional<Place> place) {
    DriverMig mig;
    mig.uuid = std::move(uuid);
    mig.index = std::to_string(gpu.index) + ":" + std::to_string(gpu.migs.size());
    if (place) mig.caps = caps_of(minors, gpu.minor, *place);
    gpu.migs.push_back(std::move(mig));
  };
  for (const Gpu& said : known) {
    const DeviceId& id = said.identity.id;
    if (id.instance.empty() || sysfs_bus_id(said.identity.pci_bus_id) != gpu.bus_id) continue;
    if (gpu.migs.size() < kMaxInstances) add(id.instance, place_of(said.identity, places));
  }
  if (gpu.migs.empty() && places.size() == 1) add("", places.front());
}

}  // namespace

std::vector<DriverGpu> find_driver_gpus(const Root& root, const std::vector<Gpu>& known) {
  auto gpus = read_gpus(root);
  for (DriverGpu& gpu : gpus) {
    complete(gpu, known);
    read_migs(root, known, gpu);
  }
  std::stable_sort(gpus.begin(), gpus.end(),
                   [](const DriverGpu& a, const DriverGpu& b) { return a.index < b.index; });
  return gpus;
}

}  // namespace estiva::host
