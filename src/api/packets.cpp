#include "api/packets.h"

#include <cerrno>
#include <sys/socket.h>
#include <vector>

#include "api/gateway_channel.h"
#include "base/log.h"
#include "base/messages/gateway.h"

namespace estiva::api {
namespace {

using namespace std::chrono_literals;

// Packets taken in one turn of the loop, so that a talkative peer can't hold it.
constexpr int kMostAtOnce = 64;
// How soon a packet that did not fit into the socket is tried again.
constexpr Nanoseconds kRetry = 2ms;

// One for all connections: a message is read before the next is received.
std::vector<char>& buffer() {
  static std::vector<char> bytes(kMostPacket + 1);
  return bytes;
}

}  // namespace

UniqueFd make_packet_socket() {
  UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd) widen_packet_socket(fd.get());
  return fd;
}

// A packet has to fit as a whole; the kernel doubles this and caps it at twice wmem_max.
void widen_packet_socket(int fd) {
  const int room = static_cast<int>(2 * kMostPacket);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

void Packets::start() {
  watch_ = loop_.on_readable(fd_.get(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->take();
  });
}

void Packets::send(std::string packet) {
  if (is_over_) return;
  if (packet.size() > kMostPacket) return break_off(msg::kGatewayPacketLarge);
  if (queue_.empty()) {
    if (try_send(packet)) return;
    if (is_over_) return;
  }
  queued_ += packet.size();
  queue_.push_back(std::move(packet));
  if (queue_.size() > kMostQueuedPackets || queued_ > kMostQueuedBytes)
    return break_off(msg::kGatewayPeerSlow);
  if (!retry_) retry_ = loop_.every(kRetry, [this] { flush(); });
}

// No more calls; the connection ends.
void Packets::abandon() {
  is_over_ = true;
  lost_ = {};
  said_ = {};
  drop();
}

// False: no room at the moment, or over.
bool Packets::try_send(const std::string& packet) {
  while (true) {
    const ssize_t sent = ::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
    if (sent >= 0) return true;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != ENOBUFS) break_off(msg::kGatewayPeerGone);
    return false;
  }
}

void Packets::flush() {
  while (!queue_.empty() && !is_over_ && try_send(queue_.front())) {
    queued_ -= queue_.front().size();
    queue_.pop_front();
  }
  // A handle must not be dropped inside its own call.
  if (queue_.empty() || is_over_)
    loop_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock(); self && self->queue_.empty()) self->retry_.reset();
    });
}

void Packets::take() {
  const auto self = shared_from_this();
  for (int i = 0; i < kMostAtOnce && !is_over_; ++i) {
    const ssize_t got = recv(fd_.get(), buffer().data(), buffer().size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return break_off(msg::kGatewayPeerGone);
    if (said_ && !said_({buffer().data(), static_cast<std::size_t>(got)})) return break_off({});
  }
}

void Packets::break_off(std::string_view why) {
  if (is_over_) return;
  is_over_ = true;
  if (!why.empty()) log(LogLevel::info, msg::kGatewayLinkEnded, {{"reason", why}});
  shutdown(fd_.get(), SHUT_RDWR);
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->drop();
    if (auto lost = std::exchange(self->lost_, {})) lost();
  });
}

void Packets::drop() {
  watch_.reset();
  retry_.reset();
  queue_.clear();
  fd_.reset();
}

}  // namespace estiva::api
