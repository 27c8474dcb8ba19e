// Heads of requests and responses as plain values, and a whole response for handlers that answer
// at once.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/headers.h"

namespace estiva::net {

struct RequestHead {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent, not decoded: "/api/v1/gpu?x=1" (see target.h)
  bool http_1_0 = false;
  Headers headers;
};

struct ResponseHead {
  int status = 200;
  std::string reason;  // empty: the standard phrase of the status is written
  bool http_1_0 = false;
  Headers headers;
};

// A response that is known whole. Content-Length is written by the server; do not add it.
struct Response {
  int status = 200;
  std::string content_type;  // empty: none is sent
  std::string body;
  Headers headers;  // further ones
};

// "Not Found" for 404; "Unknown" for a code without a phrase of its own.
std::string_view reason_phrase(int status);

// How a message's body ends (RFC 9112 section 6.3).
enum class Framing { none, length, chunked, until_close };

struct BodyInfo {
  Framing framing = Framing::none;
  std::uint64_t length = 0;  // only with Framing::length
};

}  // namespace estiva::net
