// What `estiva top` says. Templates are fmt's.
#pragma once
#include <string_view>
#include <utility>

namespace estiva::msg::cli {

inline constexpr std::string_view kVerbTop =
    "Show GPUs and the processes on them, live: whose they are and what they use";
inline constexpr std::string_view kHelpOnce = "print once and end";
inline constexpr std::string_view kHelpTopJson =
    "a JSON document a line for each reading, or one with --once";
inline constexpr std::string_view kHelpSort = "order of the processes (vram)";
inline constexpr std::string_view kHelpLines = "at most N processes (on a terminal: what has room)";
inline constexpr std::string_view kHelpTopInterval =
    "time between two screens at least, such as 2s (200ms); without a daemon between readings (1s)";
inline constexpr std::string_view kHelpTopSeconds = "stop after N seconds";
inline constexpr std::string_view kHelpTopGpu = "this GPU only: its number or UUID";

inline constexpr std::string_view kTopTitle = "estiva top, by {}; q ends";
inline constexpr std::string_view kTopNoGpu = "No GPU here is '{}'";
inline constexpr std::string_view kTopNoGpuRemedy = "'estiva gpu' shows numbers and UUIDs";
inline constexpr std::string_view kTopNoProcess = "No process is on a GPU.";
inline constexpr std::string_view kTopMore = "... and {} more";
inline constexpr std::string_view kTopRam = "RAM {} of {} ({})";
inline constexpr std::string_view kTopRamUnknown = "RAM n/a";
inline constexpr std::string_view kTopSwap = "swap {} of {}";
inline constexpr std::string_view kTopNoSwap = "no swap";
inline constexpr std::string_view kTopPressure =
    "waiting (10 s): memory {}, all {}; CPU {}; disk {}";
inline constexpr std::string_view kTopSilent =
    "The daemon has said nothing for {:.0f} s; what is below is as old.";
inline constexpr std::string_view kTopLost = "Old figures, trying again: {}.";
inline constexpr std::string_view kTopWaiting = "Waiting for the first reading.";
inline constexpr std::string_view kTopPreparing = "Getting ready to wait for readings";

inline constexpr const char* kThrottleColumn = "Throttle";
inline constexpr const char* kSmColumn = "SM";
inline constexpr const char* kTopRamColumn = "RAM";
// What holds the clocks down, from the API's name.
inline constexpr std::pair<std::string_view, std::string_view> kThrottles[] = {
    {"hw_thermal_slowdown", "heat (hw)"},
    {"hw_power_brake_slowdown", "power brake"},
    {"hw_slowdown", "hardware"},
    {"sw_thermal_slowdown", "heat"},
    {"sw_power_cap", "power cap"}};

}  // namespace estiva::msg::cli
