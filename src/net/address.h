// Where to listen or connect: "127.0.0.1:7700", "[::1]:0", "localhost:80", "unix:/run/x.sock".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace estiva::net {

struct Endpoint {
  enum class Kind { tcp, unix_socket };
  Kind kind = Kind::tcp;
  std::string host;        // tcp: a literal address or "localhost"; never a name that needs DNS
  std::uint16_t port = 0;  // tcp; 0 lets the kernel choose when listening
  std::string path;        // unix_socket: absolute, at most 107 bytes

  static Endpoint tcp(std::string host, std::uint16_t port) {
    return {Kind::tcp, std::move(host), port, {}};
  }
  static Endpoint unix_path(std::string path) {
    return {Kind::unix_socket, {}, 0, std::move(path)};
  }
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Parses the forms above, and "http://HOST:PORT" for convenience of a client. ErrorKind::usage with
// the accepted forms otherwise.
Result<Endpoint> parse_endpoint(std::string_view text);
// The form parse_endpoint reads back: "127.0.0.1:7700", "[::1]:7700", "unix:/run/x.sock".
std::string to_text(const Endpoint& endpoint);
// True for 127.0.0.0/8, ::1, "localhost" and Unix sockets: nobody outside this machine reaches it.
bool is_loopback(const Endpoint& endpoint);

}  // namespace estiva::net
