// Who is at the other end of a connection. For a Unix socket the kernel says which process
// connected (SO_PEERCRED); a pidfd pins that process, and its start time read before and after
// opening the pidfd shows that the number was not reused in between. Where the kernel hands out the
// pidfd itself (SO_PEERPIDFD, Linux 6.5) it is of whoever connected, however long ago that was.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

#include "base/error.h"
#include "base/unique_fd.h"

namespace estiva::net {

struct ProcessIdentity {
  pid_t pid = 0;  // in our PID namespace; 0 when the peer lives in one we can't see
  uid_t uid = 0;
  gid_t gid = 0;
  // The process is pinned: `pidfd` refers to the very process with `start_ticks`
  // (/proc/PID/stat field 22, clock ticks since boot). False when it had already ended, or can't be
  // read.
  bool pinned = false;
  std::uint64_t start_ticks = 0;
  std::shared_ptr<UniqueFd> pidfd;
};

struct Peer {
  bool is_local_socket = false;
  std::string address;                     // "127.0.0.1:51234", "[::1]:4", or "unix:pid 17"
  std::optional<ProcessIdentity> process;  // Unix sockets only
};

// The peer of a connected socket. Reading credentials costs a few system calls, so servers do it
// once a connection. Thread-safe.
Result<Peer> identify_peer(int socket_fd);
// Pins a process by number: start time, pidfd, start time again. `not_found` when it does not live.
Result<ProcessIdentity> pin_process(pid_t pid);
// The process behind `pidfd` lives still: its number is its own, and what /proc says of that number
// is about it.
bool is_alive(const ProcessIdentity& who);
// Field 22 of /proc/PID/stat; nullopt when there is no such process.
std::optional<std::uint64_t> read_start_ticks(pid_t pid);

}  // namespace estiva::net
