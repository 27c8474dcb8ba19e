// What estiva-memd says to people. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

// Why a folder can't hold swap files.
inline constexpr std::string_view kMemdNotRoot = "swap can only be added by root";
inline constexpr std::string_view kMemdNotRootRemedy =
    "Start estiva-memd as root; what it reads is shown to everybody by: estiva-memd --once --json";
inline constexpr std::string_view kMemdNoFolder = "opening the swap folder {}: {}";  // path, error
inline constexpr std::string_view kMemdFolderRemedy =
    "Name a folder of root's with mode 0700, on ext4, xfs or btrfs: --folder DIR";
inline constexpr std::string_view kMemdOpenFolder =
    "the swap folder {} may be changed by others (owner {}, mode {:04o})";  // path, uid, mode
inline constexpr std::string_view kMemdFileSystem =
    "the file system of {} is {}, which can't hold swap files";  // path, its name
inline constexpr std::string_view kMemdTrial =
    "a swap file tried out in {} was refused by {}: {}";  // path, system call, error
inline constexpr std::string_view kMemdBusy = "another estiva-memd uses {}";  // the journal
inline constexpr std::string_view kMemdBusyRemedy = "Stop it first, or name other folders";
inline constexpr std::string_view kMemdNoSocket = "making the socket {}: {}";  // path, error
inline constexpr std::string_view kMemdNoRun = "making the journal {}: {}";    // path, error
inline constexpr std::string_view kMemdNoMeminfo = "reading {}: {}";           // path, error
inline constexpr std::string_view kMemdBadSize = "{} is not a size";           // word
inline constexpr std::string_view kMemdBadOption =
    "estiva-memd has no option {}, or it lacks its value";
inline constexpr std::string_view kMemdUsageRemedy = "See estiva-memd --help";

}  // namespace estiva::msg
