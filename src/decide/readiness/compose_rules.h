// P1-P4, P9, P13 and P14: how containers and Compose files ask for a GPU. Containers are looked at
// first; a Compose file for services that have no container yet, and for what would be rewritten in
// it.
#pragma once
#include <vector>

#include "decide/readiness/rule.h"

namespace estiva::decide {

std::vector<Hit> find_cdi_as_path(const ReadinessFacts& facts);       // P1
std::vector<Hit> find_cdi_on_podman(const ReadinessFacts& facts);     // P2
std::vector<Hit> find_asked_twice(const ReadinessFacts& facts);       // P3
std::vector<Hit> find_count_and_ids(const ReadinessFacts& facts);     // P4
std::vector<Hit> find_numbered_gpus(const ReadinessFacts& facts);     // P9
std::vector<Hit> find_withdrawn_images(const ReadinessFacts& facts);  // P13
std::vector<Hit> find_old_way(const ReadinessFacts& facts);           // P14

// Whether NVIDIA has withdrawn an image's tag, or no longer maintains it: "nvidia/cuda:11.0-base".
bool is_withdrawn_cuda_image(std::string_view image);

}  // namespace estiva::decide
