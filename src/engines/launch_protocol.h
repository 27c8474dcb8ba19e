// What estivad asks of estiva-launch, and what it is told: one JSON document a packet, on a
// SEQPACKET socket that systemd holds. A start hands two descriptors over with its packet: what
// becomes the program's two outputs, and the pipe that lets it go. docs/decisions/0028 says why.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace estiva::engines {

inline constexpr std::size_t kMostLaunchPacket = 192 * 1024;

struct LaunchRequest {
  std::string model;
  std::string mark;  // as ProcessTree has it
  std::string user;  // as the configuration says; empty: the one who asks
  std::vector<std::string> words, environment;
  std::string directory;
  std::uint16_t port = 0;
  // Not a start, but TERM to those of a group that an earlier start made.
  bool is_end = false;
  std::string group;
  std::uint64_t group_inode = 0;
};

// To a start: first what was started, or `error`; later, when it has ended, its status alone.
struct LaunchAnswer {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string group;
  std::uint64_t group_inode = 0;
  int kind = 0;  // ErrorKind of `error`
  std::string error, remedy;
  bool has_ended = false;
  int status = 0;  // as waitpid(2) has it
};

std::string to_text(const LaunchRequest& request);
std::string to_text(const LaunchAnswer& answer);
// Errors: failed, naming what is wrong.
Result<LaunchRequest> parse_launch_request(std::string_view text);
Result<LaunchAnswer> parse_launch_answer(std::string_view text);

// A packet and what is handed over with it. Does not wait for room: an errno value, or 0.
int send_packet(const UniqueFd& to, std::string_view text, const std::vector<int>& handed = {});
struct Packet {
  std::string text;  // empty: the other end has gone
  std::vector<UniqueFd> handed;
};
// nullopt: nothing is there yet (of a descriptor that does not block).
std::optional<Packet> receive_packet(const UniqueFd& from);

}  // namespace estiva::engines
