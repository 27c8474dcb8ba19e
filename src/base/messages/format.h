// What a user reads when a size, a duration or a setting is not understood.
#pragma once
#include <string_view>

namespace estiva::msg {

// Sizes. {} is what was written.
inline constexpr std::string_view kSizeNotUnderstood = "'{}' is not a size";
inline constexpr std::string_view kSizeHow =
    "Write a number and a unit, for example 3500MiB, 3.5GiB or 3.5GB";
inline constexpr std::string_view kSizeEmpty = "no size was given";
inline constexpr std::string_view kSizeNoUnit = "'{}' is a number without a unit";
inline constexpr std::string_view kSizeNoUnitHow = "Write the unit after it, for example {}MiB";
inline constexpr std::string_view kSizeComma = "'{}' has a comma in its number";
inline constexpr std::string_view kSizeCommaHow =
    "Write a point before the decimals, and nothing between thousands, for example 3.5GB";
inline constexpr std::string_view kSizeNegative = "'{}' is negative";
inline constexpr std::string_view kSizeUnit = "'{}' has a unit that is not known";
inline constexpr std::string_view kSizeUnitHow =
    "Write B, KiB, MiB, GiB, TiB or PiB (powers of 1024), or kB, MB, GB, TB or PB (powers of 1000)";
inline constexpr std::string_view kSizeTooBig = "'{}' is more than 8 EiB";
inline constexpr std::string_view kSizeZero = "'{}' is less than one byte";
inline constexpr std::string_view kMibCount = "'{}' is not a whole number of MiB";
inline constexpr std::string_view kMibCountHow =
    "Write digits only, from 1 up, for example 3500; sizes with a unit go with --vram";

// Durations.
inline constexpr std::string_view kDurationNotUnderstood = "'{}' is not a duration";
inline constexpr std::string_view kDurationHow =
    "Write numbers with units d, h, m, s, ms or us, largest first, for example 5s, 250ms or 1m30s";
inline constexpr std::string_view kSecondsHow =
    "Write a number of seconds, for example 30 or 0.5, or a duration such as 250ms or 1m30s";
inline constexpr std::string_view kDurationEmpty = "no duration was given";
inline constexpr std::string_view kDurationNoUnit = "'{}' is a number without a unit";
inline constexpr std::string_view kDurationNoUnitHow = "Write the unit after it, for example {}s";
inline constexpr std::string_view kDurationTooBig = "'{}' is more than 3650 days";

// Addresses and choices.
inline constexpr std::string_view kListenNotUnderstood = "'{}' is not an address to listen on";
inline constexpr std::string_view kListenHow =
    "Write an IP address and a port, for example 127.0.0.1:7700 or [::1]:7700; port 0 takes a free "
    "one";
inline constexpr std::string_view kPolicyNotKnown = "'{}' is not a placement policy";
inline constexpr std::string_view kPolicyHow = "Write auto, least-utilized or pack";

// Settings. The first {} is always file:line:column.
inline constexpr std::string_view kSettingsTooBig = "{} is larger than {}";
inline constexpr std::string_view kSettingsTooBigHow = "Split off what does not belong there";
inline constexpr std::string_view kSettingsSyntax = "{}: {}";
inline constexpr std::string_view kSettingsSyntaxHow =
    "The file is TOML: key = value lines under [section] lines";
inline constexpr std::string_view kUnknownKey = "{}: there is no setting '{}'";
inline constexpr std::string_view kUnknownKeyNear = "Did you mean '{}'";
inline constexpr std::string_view kUnknownKeyHow = "Known here: {}";
inline constexpr std::string_view kWrongType = "{}: '{}' is {}, and must be {}";
inline constexpr std::string_view kWrongValue = "{}: '{}': {}";
inline constexpr std::string_view kNotAccepted = "{} is not accepted";
inline constexpr std::string_view kAccepted = "Accepted: {}";
inline constexpr std::string_view kGivenTwice =
    "{}: '{}' says again what '{}' has said already in line {}";
inline constexpr std::string_view kGivenTwiceHow = "Keep one of the two";
inline constexpr std::string_view kNotAModelName = "this is not a name for a model";
inline constexpr std::string_view kNotAModelNameHow = "Use up to 128 letters, digits and . _ - : /";
inline constexpr std::string_view kAliasTaken = "'{}' is a name of the model '{}' already";
inline constexpr std::string_view kAliasTakenHow = "Give each name to one model only";
inline constexpr std::string_view kMissingKey = "{}: [{}] has no '{}'";

inline constexpr std::string_view kMemberNotOurs =
    "its member '{}' is not what estiva writes";                                    // its path
inline constexpr std::string_view kNotJson = "it is not JSON from its byte {} on";  // offset

}  // namespace estiva::msg
