// The cards that a scenario can name. Figures are those that NVML or the product's data sheet
// gives.
#pragma once
#include <string_view>
#include <vector>

#include "sim/core/state.h"

namespace estiva::sim {

// nullptr where no card has that name.
const Card* find_card(std::string_view name);
// The names a scenario may use, in the order of the documentation.
std::vector<std::string_view> card_names();

// MIG profiles of one card: "1g.10gb", its size, and how many of 7 slices it takes.
struct InstanceProfile {
  std::string_view name;
  std::uint32_t slices;
  std::uint64_t bytes;
};
// nullptr where the card has no such profile.
const InstanceProfile* find_instance_profile(const Card& card, std::string_view name);

}  // namespace estiva::sim
