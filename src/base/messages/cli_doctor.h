// What a user of doctor and verify reads.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kVerbDoctor =
    "Find what keeps GPUs out of containers, now or after the next reboot, and say why";
inline constexpr std::string_view kHelpSarif = "print a SARIF 2.1.0 log";
inline constexpr std::string_view kHelpExplainError =
    "name the causes of the errors in this log (- or no file: standard input)";
inline constexpr std::string_view kHelpDoctorDocker = "ask this engine (default: as docker does)";
inline constexpr std::string_view kHelpRules = "list the signatures that are looked for";
inline constexpr std::string_view kHelpPages = "write a page about each signature into this folder";

inline constexpr std::string_view kForetells = "Containers will say: {}";
inline constexpr std::string_view kDoIt = "To do: {}";
inline constexpr std::string_view kFixAutomatic = "'estiva doctor --fix' does it; undone by: {}";
inline constexpr std::string_view kFixAsks = "it stops something, so it is never done unasked";
inline constexpr std::string_view kNothingFound =
    "Nothing is wrong: none of {} signatures fits this machine.";
inline constexpr std::string_view kFoundSome = "{} error(s), {} warning(s), {} note(s).";
inline constexpr std::string_view kNotSeenTitle = "Could not be looked at:";
inline constexpr std::string_view kDisplaysTitle = "Displays:";
inline constexpr std::string_view kDisplayLine = "  {}  {}: {}";  // bus, name, what it does
inline constexpr std::string_view kDraws = "draws the desktop ({})";
inline constexpr std::string_view kDrawsUnnamed = "draws the desktop";
inline constexpr std::string_view kComputes = "computes";
inline constexpr std::string_view kIdleGpu = "neither draws nor computes";
inline constexpr std::string_view kPowerIs = "{}";
inline constexpr std::string_view kAwakeBecause = "      awake: {}";

inline constexpr std::string_view kNoCause =
    "Nothing in this log is an error that the catalogue of {} signatures knows.";
inline constexpr std::string_view kCauseAt = "line {}: {}";      // number, text
inline constexpr std::string_view kCouldAlsoBe = "could also be: {}";
inline constexpr std::string_view kLogTooLong = "the log is larger than {}";
inline constexpr std::string_view kLogTooLongRemedy =
    "Give the part around the error: journalctl -u docker --since '10 min ago'";

inline constexpr std::string_view kVerbVerify =
    "Prove that a GPU can be used: on this machine, in a container, or in one that runs";
inline constexpr std::string_view kHelpWith =
    "how the container asks for the GPU (auto: CDI where the engine has it)";
inline constexpr std::string_view kHelpDevice = "the CDI device to ask for (nvidia.com/gpu=all)";
inline constexpr std::string_view kHelpNoContainer = "look at the machine only; start no container";
inline constexpr std::string_view kHelpGraphics =
    "draw with OpenGL, with and without the offload variables, and say which GPU drew";
inline constexpr std::string_view kHelpTime = "longest time for the container (30s)";
inline constexpr std::string_view kNoSuchContainer = "no container or service is called '{}'";
inline constexpr std::string_view kNoSuchContainerRemedy = "'docker ps -a' lists them";
inline constexpr std::string_view kSeveralContainers =
    "'{}' is the name of several containers: {}";
inline constexpr std::string_view kSeveralContainersRemedy = "Name one of them";

}  // namespace estiva::msg::cli
