// A small, conservative look at a Compose file: what each service says about GPUs. It reads block
// style only, and gives no verdict where it can't see: anchors and merge keys, `extends`,
// `include`, flow mappings, variables and other files of the project are not followed. The real
// parser is another part; a rule that uses this one says nothing rather than something wrong.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace estiva::decide {

struct ComposeLine {
  std::string text;
  unsigned line = 0;  // from 1
};

// An item of deploy.resources.reservations.devices, or of `gpus`.
struct ComposeGpuRequest {
  std::string driver;
  bool is_gpu = false;  // its capabilities name "gpu"
  bool has_count = false, has_ids = false;
  std::vector<std::string> ids;
  unsigned line = 0;         // where the item begins
  unsigned driver_line = 0;  // 0: no driver
};

struct ComposeService {
  std::string name, image, runtime;
  unsigned line = 0, image_line = 0, runtime_line = 0;
  std::vector<ComposeLine> devices;
  std::vector<ComposeGpuRequest> requests;
};

// Services by their place in the file; none where the file is not what is read here.
std::vector<ComposeService> glance_at_compose(std::string_view text);

}  // namespace estiva::decide
