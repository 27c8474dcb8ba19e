// /proc/net/tcp and tcp6: who listens on this machine. Pure; what is no line of the table is passed
// over. Layout: Documentation/networking/proc_net_tcp.rst of the kernel.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace estiva::format {

struct ListeningSocket {
  std::uint16_t port = 0;
  std::uint64_t inode = 0;
  bool is_v6_only_loopback = false;  // ::1 alone: 127.0.0.1 does not reach it
  friend bool operator==(const ListeningSocket&, const ListeningSocket&) = default;
};

// Those that a connection to this machine's loopback reaches, in the order of the table; at most
// `most`.
std::vector<ListeningSocket> parse_listening(std::string_view text, std::size_t most = 4096);

}  // namespace estiva::format
