// What a user reads about parts of the machine that could not be sampled.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kNotSampled = "{} can't be read: {}";
inline constexpr std::string_view kProcessTableCut =
    "this machine has more than {} processes: only these were looked at";

}  // namespace estiva::msg
