// Sentences of net/ that a user may see.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kNetBadEndpoint = "\"{}\" is not an address";
inline constexpr std::string_view kNetEndpointForms =
    "write ADDRESS:PORT such as 127.0.0.1:7700, [ADDRESS]:PORT for IPv6, or unix:/absolute/path";

}  // namespace estiva::msg
