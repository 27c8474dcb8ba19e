// The socket on which estivad and the verbs speak to estiva-memd. At most four at a time; nobody is
// waited for. Nothing here allocates after listen().
#pragma once
#include <array>
#include <cstddef>
#include <poll.h>
#include <span>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "memd/protocol.h"

namespace estiva::memd {

inline constexpr std::size_t kMostClients = 4;

struct Request {
  Header header;
  PolicyRow policy;
  std::size_t client = 0;
};

class Server {
 public:
  // Replaces a socket that was left there. Mode 0600: root and who gives it on.
  Result<void> listen(const std::string& path);

  // The listening socket first; -1 where there is none.
  std::array<pollfd, kMostClients + 1> waits() const noexcept;
  void accept() noexcept;
  // The next message of a client that can be read, or false. One that breaks the protocol is cut
  // off.
  bool take(std::size_t client, Request& request) noexcept;

  void answer(const Request& to, Kind kind, std::uint32_t argument,
              std::span<const std::byte> rows = {}, std::uint32_t count = 0) noexcept;
  void tell(const EventRow& event) noexcept;
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  void send_to(std::size_t client, const Header& header, std::span<const std::byte> rows) noexcept;

  UniqueFd listener_;
  std::array<UniqueFd, kMostClients> clients_;
  std::uint64_t lost_ = 0;
};

}  // namespace estiva::memd
