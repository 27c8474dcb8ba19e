// Values that several sections of the settings have, read from their text. Private to the settings.
// Errors are of kind usage and say what is accepted.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "format/size.h"

namespace estiva::format {

inline constexpr std::string_view kAcceptsFolder = "an absolute path in quotes";
inline constexpr std::string_view kAcceptsUrl = "\"https://HOST/PATH\" or \"http://HOST/PATH\"";
inline constexpr std::string_view kAcceptsSize = "a size in quotes, such as \"512MiB\"";
inline constexpr std::string_view kAcceptsTime = "a duration in quotes, such as \"30s\"";

// "'x' is not accepted. Accepted: ..."
Failure not_accepted(std::string_view text, std::string_view accepted);
// An absolute path.
Result<std::string> parse_folder(std::string_view text);
// http:// or https://, without blanks and quotes, at most 2048 bytes.
Result<std::string> parse_url(std::string_view text);

}  // namespace estiva::format
