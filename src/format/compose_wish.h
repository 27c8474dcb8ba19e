// Which GPUs one service of a Compose file asks for, read strictly: what could also concern another
// service, or is not understood to the last word, is refused with its place. A part of
// compose_to_cdi.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "format/compose_services.h"
#include "format/yaml_tree.h"

namespace estiva::format {

enum class ComposeAsk : std::uint8_t {
  legacy,      // deploy.resources reservations, `gpus` and `runtime: nvidia`
  cdi_driver,  // reservations with `driver: cdi`, which Podman leaves out
};

struct ComposeTrouble {
  TextPlace place;
  std::string why;
};

struct ComposeWish {
  std::vector<std::uint32_t> items;         // of reservations.devices, that go
  std::vector<std::uint32_t> reservations;  // deploy ... devices: the values on the way
  bool takes_gpus = false, takes_runtime = false;
  std::vector<std::string> devices;  // CDI names, each once: "nvidia.com/gpu=0"
  bool has_devices = false;          // the service asks by CDI already, nothing is to be added
  TextPlace place;                   // of what asks first
  bool any() const { return !items.empty() || takes_gpus || takes_runtime; }
};

// How many parents each node of the tree has: more than one where aliases name it.
std::vector<unsigned> count_uses(const YamlTree& tree);

// Whether a service asks in that way at all, merge keys followed.
bool asks_so(const ComposeService& service, ComposeAsk ask);
// `services`: the mapping of all of them; `service`: the value of the one that `seen` was read
// from. A wish without any() where it asks for nothing in that way.
std::optional<ComposeTrouble> read_compose_wish(const YamlTree& tree, std::uint32_t services,
                                                std::uint32_t service, const ComposeService& seen,
                                                ComposeAsk ask, ComposeWish& wish);

}  // namespace estiva::format
