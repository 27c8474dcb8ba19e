// What several makers of plans say of a step, and what showing a plan leaves out.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kEffectWritten = "written to {}";
inline constexpr std::string_view kUndoFile = "the file is as it was, or gone";

}  // namespace estiva::msg
