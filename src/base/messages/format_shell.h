// What is said of a settings file that was written for a shell.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kShellTooLong =
    "the file is longer than {} bytes or {} lines, so none of it was read";
inline constexpr std::string_view kShellNoSetting =
    "only lines of the form NAME=\"value\" are read; nothing in this file is run";
inline constexpr std::string_view kShellCommand =
    "this would have to be run by a shell to get its value; write the value itself";
inline constexpr std::string_view kShellUnknownVariable =
    "the variable '{}' is not known here; write its value";
inline constexpr std::string_view kShellExpansion =
    "only $NAME and ${NAME} are filled in; write the value itself";
inline constexpr std::string_view kShellOpenQuote = "this quote is not closed on its line";
inline constexpr std::string_view kShellSpecial =
    "'{}' means something to a shell here; put the value into single quotes";
inline constexpr std::string_view kShellTail =
    "after the value the line has to end; only a comment may follow";

}  // namespace estiva::msg
