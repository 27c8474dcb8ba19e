// What a user reads about files, folders and processes of the machine.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kRootOpen = "opening the host tree {}";
inline constexpr std::string_view kRootOpenHow = "Give a folder that holds proc/, sys/ and etc/";
inline constexpr std::string_view kReading = "reading {}";
inline constexpr std::string_view kFileTooBig = "reading {}: the file is larger than {}";
inline constexpr std::string_view kFolderTooFull = "reading {}: it has more than {} entries";
inline constexpr std::string_view kNotAFile = "reading {}: this is not an ordinary file";
inline constexpr std::string_view kWriting = "writing {}";
inline constexpr std::string_view kWritingHow =
    "Check that the folder exists, is not read-only, has room, and belongs to this user";
inline constexpr std::string_view kMakingDir = "making the folder {}";
inline constexpr std::string_view kNotADir = "{} is in the way: it is not a folder";
inline constexpr std::string_view kNotADirHow = "Move it away, or name another folder";
inline constexpr std::string_view kDirNotWritable = "the folder {} can't be written to";
inline constexpr std::string_view kDirReadOnly = "the folder {} is on a read-only file system";
inline constexpr std::string_view kDirNotWritableHow =
    "Name another one with ESTIVA_STATE_DIR, or give this user the right to write there";
inline constexpr std::string_view kAlreadyRunning =
    "another estiva daemon runs already{}, and holds {}";
inline constexpr std::string_view kAlreadyRunningPid = " (pid {})";
inline constexpr std::string_view kAlreadyRunningHow =
    "Use that one, stop it first, or give this one folders of its own (ESTIVA_STATE_DIR and "
    "ESTIVA_RUNTIME_DIR)";
inline constexpr std::string_view kStarting = "starting {}";  // program
inline constexpr std::string_view kProgramSilent =
    "{} gave no answer within {} ms";  // program, limit
inline constexpr std::string_view kNoProcess = "there is no process {}";
inline constexpr std::string_view kNoProcessHow = "Name a process that is running";
inline constexpr std::string_view kProcessUnreadable = "process {} can't be read";
inline constexpr std::string_view kNoBootId =
    "the boot of this machine can't be told apart from others: neither {} nor {} can be read";
inline constexpr std::string_view kNoBootIdHow = "Mount /proc";
inline constexpr std::string_view kDiskUnreadable = "room on {} ({})";
inline constexpr std::string_view kSettingsUnsafe = "{} has commands in it and {}";
inline constexpr std::string_view kSettingsUnsafeOwner = "belongs to user {}";
inline constexpr std::string_view kSettingsUnsafeFile = "can be written by others (mode {:04o})";
inline constexpr std::string_view kSettingsUnsafeFolder =
    "lies in a folder that others can write to (mode {:04o})";
inline constexpr std::string_view kSettingsUnsafeFolderOwner = "lies in a folder of user {}";
inline constexpr std::string_view kSettingsUnsafeHow =
    "Run: chown root: {0} && chmod go-w {0}, and the same for its folder";

}  // namespace estiva::msg
