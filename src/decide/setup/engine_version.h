// Docker Engine's version, as far as what it can do depends on it.
#pragma once
#include <compare>
#include <optional>
#include <string_view>

namespace estiva::decide {

struct EngineVersion {
  unsigned major = 0, minor = 0;
  friend auto operator<=>(const EngineVersion&, const EngineVersion&) = default;
};

// A byte order mark in daemon.json is skipped (moby PR 44777).
inline constexpr EngineVersion kReadsByteOrderMark{23, 0};
// --add-runtime and "runtimes" may be used together; measured with 20.10.24.
inline constexpr EngineVersion kMergesRuntimes{20, 10};
// CDI can be switched on with "features".
inline constexpr EngineVersion kHasCdi{25, 0};
// CDI is on without a word, and is there before containers are started again (moby 49989).
inline constexpr EngineVersion kCdiByDefault{28, 2};

// Podman takes CDI names for --device (containers/podman, release notes of 4.1.0).
inline constexpr EngineVersion kPodmanHasCdi{4, 1};

// "28.5.2", "20.10.24+dfsg1", "v29.0.0-rc.1"; nothing for what does not begin so.
std::optional<EngineVersion> parse_engine_version(std::string_view text);

}  // namespace estiva::decide
