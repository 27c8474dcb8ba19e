// What a user of 'estiva cdi' reads.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kVerbCdi =
    "Make, list or check the CDI specifications that give GPUs to containers";
inline constexpr std::string_view kHelpOutput = "write it there (- or nothing: standard output)";
inline constexpr std::string_view kHelpCdiRoot =
    "the machine is this folder; absolute paths of files are inside it";
inline constexpr std::string_view kHelpKind = "kind of the devices (nvidia.com/gpu)";
inline constexpr std::string_view kHelpCapabilities =
    "beside compute and utility: graphics,video,display,compat32 or all";
inline constexpr std::string_view kHelpCdiVersion =
    "newest version of the format that the engine reads (0.6.0)";

inline constexpr std::string_view kCdiNoGpu =
    "there is no NVIDIA GPU here, so there is nothing to declare";
inline constexpr std::string_view kWouldNotWork =
    "no specification was made: containers could not use the GPU by it: {} ({})";
inline constexpr std::string_view kWouldNotWorkRemedy = "'estiva doctor' says what to do";
inline constexpr std::string_view kWouldBeRefused =
    "no specification was made: engines would refuse it: {}: {}";
inline constexpr std::string_view kReadAgain = "reading the specification again";
inline constexpr std::string_view kReadsDifferently =
    "no specification was made: what was written is not what was meant (a fault of estiva's)";
inline constexpr std::string_view kWrongKind = "'{}' is no kind of devices: {}";
inline constexpr std::string_view kWrongCapability =
    "'{}' is no capability; there are compute, utility, graphics, video, display, compat32 and all";
inline constexpr std::string_view kWrongVersion = "'{}' is no version of the CDI format";
inline constexpr std::string_view kWrongEnding = "engines would not read {}";
inline constexpr std::string_view kWrongEndingRemedy = "Give it a name that ends in .yaml or .json";
inline constexpr std::string_view kNoFolder = "there is no folder {}";
inline constexpr std::string_view kNoFolderRemedy =
    "Make it first; only /etc/cdi, /run/cdi and /var/run/cdi are made";
inline constexpr std::string_view kNoFolderInTree =
    ". With --root an absolute path is inside {}";  // the root
inline constexpr std::string_view kOutsideTree = "{} is not inside {}, which --root names";
inline constexpr std::string_view kOutsideTreeRemedy =
    "With --root name the file as the machine in that folder does: /srv/compose.yaml";
inline constexpr std::string_view kNoFileHere = "'estiva cdi {}' takes no file";
inline constexpr std::string_view kCdiNote = "note: {}";
inline constexpr std::string_view kCdiWritten = "Written: {}";

inline constexpr std::string_view kCdiNoDevices = "No CDI device is declared in {}.";
inline constexpr std::string_view kCdiShadowed = "also declared in {}, which counts for less";
inline constexpr std::string_view kCdiLost =
    "declared twice in one folder, so it is there for nobody: {}";
inline constexpr std::string_view kCdiUnused = "{} is not used ({}): {}";
inline constexpr std::string_view kCdiHealthy = "{}: good, {} device(s)";
inline constexpr std::string_view kCdiNoFiles = "There is no specification to check.";
inline constexpr std::string_view kCdiBroken = "{}: {}";
inline constexpr std::string_view kCdiProblem = "{}{}: {}: {}";  // path, line, id, text

}  // namespace estiva::msg::cli
