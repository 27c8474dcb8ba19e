// The difference of two texts as a unified diff, as `diff -u` writes it and `patch` reads it. Pure;
// its work is bounded: texts that differ in more than kMostEdits lines are shown as one replaced
// block, which is still right.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace estiva::format {

struct DiffNames {
  std::string_view before,
      after;  // of the two header lines: "/etc/docker/daemon.json", "/dev/null"
};

// Lines added and removed up to which the shortest difference is looked for: the work and the
// memory grow with its square (16 MB here).
inline constexpr std::size_t kMostEdits = 2000;

// Empty where the texts are equal. Where one of them has a NUL byte: one line that says that they
// differ.
std::string unified_diff(std::string_view before, std::string_view after, DiffNames names);

}  // namespace estiva::format
