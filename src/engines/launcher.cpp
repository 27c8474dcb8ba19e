#include "engines/launcher.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/messages/engines.h"

namespace estiva::engines {
namespace {

Failure failed(const std::string& socket, int number) {
  return fail_errno(fmt::format(msg::kAskingLauncher, socket), number,
                    std::string(msg::kAskingLauncherHow));
}

Result<UniqueFd> connect_to(const std::string& socket) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (socket.size() >= sizeof where.sun_path) return failed(socket, ENAMETOOLONG);
  std::memcpy(where.sun_path, socket.data(), socket.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int room = 2 * kMostLaunchPacket;
  if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    return failed(socket, errno);
  return fd;
}

net::Awaitable<Result<LaunchAnswer>> next_answer(net::Loop& loop, const UniqueFd& connection,
                                                 const std::string& socket) {
  net::Notice came(loop);
  const auto watch = loop.on_readable(connection.get(), [&came] { came.notify_all(); });
  const SteadyTime deadline = steady_now() + kLaunchTime;
  for (;;) {
    if (const auto packet = receive_packet(connection)) {
      if (packet->text.empty()) co_return failed(socket, ECONNRESET);
      co_return parse_launch_answer(packet->text);
    }
    const Nanoseconds left = deadline - steady_now();
    if (left <= Nanoseconds::zero()) co_return failed(socket, ETIMEDOUT);
    co_await came.wait(left);
  }
}

}  // namespace

net::Awaitable<Result<HeldApart>> launch_apart(net::Loop& loop, std::string socket,
                                               LaunchRequest request, UniqueFd output,
                                               UniqueFd go) {
  auto connection = connect_to(socket);
  if (!connection) co_return Failure(connection.error());
  const std::vector<int> handed = {output.get(), go.get()};
  if (const int number = send_packet(*connection, to_text(request), handed); number != 0)
    co_return failed(socket, number);
  output.reset();
  go.reset();
  const auto answer = co_await next_answer(loop, *connection, socket);
  if (!answer) co_return Failure(answer.error());
  if (!answer->error.empty()) {
    const bool is_known = answer->kind >= 0 && answer->kind <= static_cast<int>(ErrorKind::denied);
    co_return fail(is_known ? static_cast<ErrorKind>(answer->kind) : ErrorKind::failed,
                   answer->error, answer->remedy);
  }
  co_return HeldApart{static_cast<pid_t>(answer->pid), answer->start_ticks,
                      ControlGroup{answer->group, answer->group_inode}, std::move(*connection)};
}

std::optional<int> read_end(const UniqueFd& connection) {
  const auto packet = receive_packet(connection);
  const auto answer = packet ? parse_launch_answer(packet->text) : Result<LaunchAnswer>(fail(""));
  if (!answer || !answer->has_ended) return std::nullopt;
  return answer->status;
}

Result<void> ask_to_end(const std::string& socket, const ControlGroup& group) {
  const auto connection = connect_to(socket);
  if (!connection) return Failure(connection.error());
  LaunchRequest request;
  request.is_end = true;
  request.group = group.folder;
  request.group_inode = group.inode;
  if (const int number = send_packet(*connection, to_text(request)); number != 0)
    return failed(socket, number);
  return {};
}

}  // namespace estiva::engines
