// Writes heads and chunk framing. Fields go out in the case and order they are given.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/message.h"

namespace estiva::net {

// All append to `out`, without the blank line that ends a head, so that the caller can add its own
// framing fields. A name, value, method, target or reason that would break the framing (CR,
// LF, NUL; space in a target) makes them fail and append nothing: a forged line never leaves us.
Result<void> write_request_head(std::string& out, const RequestHead& head);
Result<void> write_response_head(std::string& out, const ResponseHead& head);
void write_number(std::string& out, std::uint64_t value);

// "1a\r\n"; the data and "\r\n" follow. Returns the length written into `to` (at least 18 bytes).
std::size_t write_chunk_size(char* to, std::uint64_t size);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace estiva::net
