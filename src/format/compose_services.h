// What the services of a Compose file say about GPUs: read whatever its style, with anchors,
// aliases and merge keys followed. `extends`, `include`, variables and the other files of a project
// are not: what only they say is not seen.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "format/yaml_tree.h"

namespace estiva::format {

struct ComposeLine {
  std::string text;
  unsigned line = 0;  // from 1
};

// An item of deploy.resources.reservations.devices, or what `gpus` asks for.
struct ComposeGpuRequest {
  std::string driver;
  bool is_gpu = false;  // its capabilities name "gpu"
  bool has_count = false, has_ids = false;
  bool is_by_gpus = false;
  std::string count;  // as it stands there; empty: none
  std::vector<std::string> ids;
  std::vector<std::string> capabilities;  // "gpu", "video"
  unsigned line = 0;                      // where the item begins
  unsigned driver_line = 0;               // 0: no driver
};

struct ComposeService {
  std::string name, image, runtime;
  unsigned line = 0, image_line = 0, runtime_line = 0;
  // Says something under deploy, gpus, runtime or devices, whatever it is.
  bool concerns_gpu = false;
  std::string driver_capabilities;  // NVIDIA_DRIVER_CAPABILITIES of its environment
  std::vector<ComposeLine> devices;
  std::vector<ComposeGpuRequest> requests;
};

// NVIDIA's driver is asked, by its name or because nobody else gives GPUs.
bool is_legacy(const ComposeGpuRequest& request);

// Services by their place in the file; none where the text is no YAML or has no services.
std::vector<ComposeService> read_compose_services(std::string_view text);
std::vector<ComposeService> read_compose_services(const YamlTree& tree);

}  // namespace estiva::format
