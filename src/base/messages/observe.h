// What a user reads about parts of the machine that could not be sampled.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kNotSampled = "{} can't be read: {}";
inline constexpr std::string_view kProcessTableCut =
    "this machine has more than {} processes: only these were looked at";

// Sources of readiness.
inline constexpr std::string_view kRpmOfATree =
    "rpm's database in a host tree can't be read: put what 'rpm -qa' says into its file 'packages'";
inline constexpr std::string_view kNoRecordedEngine =
    "this host tree has no recorded answers of a container engine (docker/version.json)";

// What is kept of a recorded file, in brackets behind its path.
inline constexpr std::string_view kRecordPaths = "without paths that not every machine has";
inline constexpr std::string_view kRecordMounts = "without options, servers and unusual paths";
inline constexpr std::string_view kRecordModules = "only those of GPUs";
inline constexpr std::string_view kRecordReplaced = "the identity is replaced";
inline constexpr std::string_view kRecordRelease = "numbers, and names that distributions have";
inline constexpr std::string_view kRecordDataRoot = "only data-root";
inline constexpr std::string_view kRecordBuilder = "without who built it";
inline constexpr std::string_view kRecordProgram = "only well-known program names";
inline constexpr std::string_view kRecordGroups = "container ids are replaced";

// A recording that can't be made or used.
inline constexpr std::string_view kRecordingThere = "{} is there already and not empty";  // folder
inline constexpr std::string_view kRecordingThereRemedy = "Name a folder that is not there yet";
inline constexpr std::string_view kNoFolderThere = "there is no folder {}";
inline constexpr std::string_view kNoFolderThereRemedy = "Make it first, or name another place";
inline constexpr std::string_view kNoRecording = "{} is no recorded machine: {}";  // folder, why
inline constexpr std::string_view kNoRecordingRemedy = "'estiva record DIR' makes one";
inline constexpr std::string_view kRecordingCut =
    "the recording {} is not whole: {} {}";  // folder, file, how
inline constexpr std::string_view kRecordingCutRemedy = "Record the machine again, or copy it anew";
inline constexpr std::string_view kIsMissing = "is missing";
inline constexpr std::string_view kHasOtherSize = "has {} bytes, and had {}";

}  // namespace estiva::msg
