#include "format/tcp_table.h"

#include <charconv>
#include <optional>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::string_view kListen = "0A";  // TCP_LISTEN of net/tcp_states.h
// Each word of four bytes is printed as a number of this machine, which is little endian.
constexpr std::string_view kAny4 = "00000000";
constexpr std::string_view kAny6 = "00000000000000000000000000000000";
constexpr std::string_view kLoopback6 = "00000000000000000000000001000000";
constexpr std::string_view kMapped = "0000000000000000FFFF0000";  // ::ffff:a.b.c.d

bool is_reached_by_v4(std::string_view address) {
  if (address.starts_with(kMapped)) address.remove_prefix(kMapped.size());
  return address == kAny4 || address == kAny6 || (address.size() == 8 && address.ends_with("7F"));
}

std::optional<std::uint16_t> hex_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port, 16);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<ListeningSocket> parse_line(std::string_view line) {
  std::string_view words[10];
  for (std::string_view& word : words)
    if (!next_word(line, word)) return std::nullopt;
  const std::string_view local = words[1];
  const std::size_t colon = local.find(':');
  if (colon == local.npos || words[3] != kListen) return std::nullopt;
  const auto port = hex_port(local.substr(colon + 1));
  const auto inode = parse_u64(words[9]);
  const std::string_view address = local.substr(0, colon);
  const bool is_v6 = address == kLoopback6;
  if (!port || !inode || (!is_v6 && !is_reached_by_v4(address))) return std::nullopt;
  return ListeningSocket{*port, *inode, is_v6};
}

}  // namespace

std::vector<ListeningSocket> parse_listening(std::string_view text, std::size_t most) {
  std::vector<ListeningSocket> sockets;
  std::string_view line;
  while (sockets.size() < most && next_line(text, line))
    if (const auto socket = parse_line(line)) sockets.push_back(*socket);
  return sockets;
}

}  // namespace estiva::format
