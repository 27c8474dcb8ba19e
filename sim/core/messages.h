// What the simulator says to people. It is a room of its own (it shares no code with the product),
// so it has its own catalogue.
#pragma once
#include <string>
#include <string_view>

namespace estiva::sim {

inline constexpr std::string_view kOpenQuote = "a quote is opened and not closed on this line";
inline constexpr std::string_view kControlCharacter = "a control character has no place here";
inline constexpr std::string_view kTooManyWords = "more than 256 words on one line";
inline constexpr std::string_view kBadPercent =
    "a percentage is a number from 0 to 100, with or without %";
inline constexpr std::string_view kBadSize =
    "a size is a number with B, KiB, MiB, GiB, TiB, kB, MB or GB, such as 1200MiB, up to 1 PB";
inline constexpr std::string_view kBadTime =
    "a time is a number with ns, us, ms, s, m or h, such as 2.5s, up to ten years";
inline constexpr std::string_view kTooLong =
    "a scenario may have 1 MiB, lines of 4096 bytes and 20000 events";
inline constexpr std::string_view kNoCards =
    "the scenario names no card; add a line such as 'gpu rtx3060-12g', or 'no-gpus'";
inline constexpr std::string_view kTooManyCards = "a machine has at most 64 cards";
inline constexpr std::string_view kSetupLater =
    "this line describes the machine and can't be given a time";
inline constexpr std::string_view kOutOfMemory = "out-of-memory";

inline std::string expected_here(std::string_view what) {
  return "expected " + std::string(what) + " here";
}
inline std::string not_a(std::string_view text, std::string_view expected) {
  return "'" + std::string(text.substr(0, 40)) + "' is not " + std::string(expected);
}
inline std::string unexpected_word(std::string_view text) {
  return "unexpected word '" + std::string(text.substr(0, 40)) + "'";
}

}  // namespace estiva::sim
