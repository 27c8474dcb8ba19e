// What a request asks for: path and query taken apart and decoded, strictly; and whether its Host
// and Origin are ones we answer (a web page elsewhere must not drive the API through a browser).
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/message.h"

namespace estiva::net {

struct QueryItem {
  std::string name;
  std::string value;
};

struct Target {
  std::vector<std::string> segments;  // "/api/v1/leases/a%20b" -> {"api","v1","leases","a b"}
  std::string path;                   // decoded, for comparison with fixed routes
  std::vector<QueryItem> query;       // in order; "+" stays "+"

  // The first value of this name.
  std::optional<std::string_view> find(std::string_view name) const;
};

// "%41" -> "A". Refuses (usage) a '%' without two hex digits and an encoded NUL.
Result<std::string> percent_decode(std::string_view text);
// Everything but unreserved characters becomes %XX (RFC 3986 section 2.3).
std::string percent_encode(std::string_view text);

// Origin form only ("/path?query"). Refuses (usage): another form, bad encodings, an encoded slash
// or NUL, "." and ".." segments, empty inner segments, more than 64 segments or 64 query items.
Result<Target> parse_target(std::string_view target);

// Host: allowed when the name without port is in `allowed` ("127.0.0.1", "localhost", "[::1]",
// "box.lan"), compared without case. Origin: allowed when absent, or when its host is in `allowed`;
// "null" and anything unparsable is not.
bool host_allowed(const RequestHead& head, std::span<const std::string> allowed);
bool origin_allowed(const RequestHead& head, std::span<const std::string> allowed);

// True where the request says that it comes from a page of the very address it goes to: one Origin,
// which is http:// or https:// and the Host, port and all. Cookies are sent to every port of a
// host.
bool is_same_origin(const RequestHead& head);

// The token of "Authorization: Bearer TOKEN", if that is what the header holds.
std::optional<std::string_view> bearer_token(const RequestHead& head);
// Compares in a time that depends on the length of `given` only. Empty never equals.
bool equal_in_constant_time(std::string_view given, std::string_view secret);

}  // namespace estiva::net
