// One connection between estivad and the gateway, either end: whole packets, in order, out of a
// bounded queue. Loop thread only. For gateway_channel.cpp.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "net/loop.h"

namespace estiva::api {

// A SEQPACKET socket with room for the largest packet, close-on-exec and non-blocking.
UniqueFd make_packet_socket();
void widen_packet_socket(int fd);

class Packets : public std::enable_shared_from_this<Packets> {
 public:
  // `said` gets each packet; false from it ends the connection. `lost` is called once, from the
  // loop, never from inside send().
  Packets(net::Loop& loop, UniqueFd fd, std::function<bool(std::string_view)> said,
          std::function<void()> lost)
      : loop_(loop), fd_(std::move(fd)), said_(std::move(said)), lost_(std::move(lost)) {}

  void start();
  // Too large a packet, or too many that the other end does not read, end the connection.
  void send(std::string packet);
  // No more calls; the connection ends.
  void abandon();

 private:
  bool try_send(const std::string& packet);
  void flush();
  void take();
  void break_off(std::string_view why);
  void drop();

  net::Loop& loop_;
  UniqueFd fd_;
  std::function<bool(std::string_view)> said_;
  std::function<void()> lost_;
  std::shared_ptr<void> watch_, retry_;
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  bool is_over_ = false;
};

}  // namespace estiva::api
