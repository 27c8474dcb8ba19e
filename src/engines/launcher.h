// estivad's end of estiva-launch: programs that are started apart, each in a unit of systemd's with
// limits of its own, not within estivad's. Loop thread only.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "engines/control_group.h"
#include "engines/launch_protocol.h"
#include "net/loop.h"

namespace estiva::engines {

// One that is held: it exists, and runs nothing before `go` says so.
struct HeldApart {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  ControlGroup group;
  UniqueFd connection;  // tells its end; see read_end()
};

// Asks the launcher that listens at `socket`. `output` and `go` become the program's. Errors: what
// the launcher says; failed where none answers within kLaunchTime. Then nothing was started, or
// what was ends by itself when the other end of `go` is closed.
net::Awaitable<Result<HeldApart>> launch_apart(net::Loop& loop, std::string socket,
                                               LaunchRequest request, UniqueFd output, UniqueFd go);
// A start is a process that systemd starts: some milliseconds, more on a machine that is busy.
inline constexpr std::chrono::seconds kLaunchTime{10};

// How the program ended, once the connection is readable. nullopt: its launcher has gone.
std::optional<int> read_end(const UniqueFd& connection);

// TERM to all of a group whose user is another than ours. Returns at once. Errors: failed.
Result<void> ask_to_end(const std::string& socket, const ControlGroup& group);

}  // namespace estiva::engines
