// The load generator: plain sockets and poll(2), in a process of its own so that its cost is not
// the server's.
#include <algorithm>
#include <charconv>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>

#include "bench_parts.h"
#include "net/fetch.h"
#include "net/socket.h"

namespace estiva::bench {
namespace {

UniqueFd connect_to(const net::Endpoint& to) {
  auto fd = net::start_connect(to);
  if (!fd) return {};
  pollfd query{fd->get(), POLLOUT, 0};
  poll(&query, 1, 5000);
  return std::move(*fd);
}

void send_text(int fd, std::string_view text) {
  [[maybe_unused]] const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

// Size of the whole response in `text`, or 0 when it is not all there.
std::size_t response_size(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  const std::size_t at = text.find("Content-Length: ");
  if (end == std::string_view::npos || at == std::string_view::npos) return 0;
  std::size_t length = 0;
  std::from_chars(text.data() + at + 16, text.data() + end, length);
  return text.size() >= end + 4 + length ? end + 4 + length : 0;
}

}  // namespace

double Series::median() const {
  if (values.empty()) return 0;
  std::vector<double> sorted = values;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  return sorted[sorted.size() / 2];
}

double Series::p99() const {
  if (values.empty()) return 0;
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() * 99 / 100];
}

Series load_small(const net::Endpoint& to, int connections, int count) {
  constexpr std::string_view kRequest =
      "GET /small HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
  struct One {
    UniqueFd fd;
    std::int64_t sent = 0;
    std::string text;
  };
  std::vector<One> all(static_cast<std::size_t>(connections));
  std::vector<pollfd> polls;
  for (One& one : all) {
    one.fd = connect_to(to);
    one.sent = now_ns();
    send_text(one.fd.get(), kRequest);
    polls.push_back({one.fd.get(), POLLIN, 0});
  }
  Series series;
  char piece[4096];
  while (static_cast<int>(series.values.size()) < count) {
    if (poll(polls.data(), polls.size(), 5000) <= 0) break;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (polls[i].revents == 0) continue;
      const ssize_t got = recv(all[i].fd.get(), piece, sizeof piece, MSG_DONTWAIT);
      if (got <= 0) return series;
      all[i].text.append(piece, static_cast<std::size_t>(got));
      if (response_size(all[i].text) == 0) continue;
      const std::int64_t now = now_ns();
      series.values.push_back(static_cast<double>(now - all[i].sent) / 1e3);
      all[i].text.clear();
      all[i].sent = now;
      send_text(all[i].fd.get(), kRequest);
    }
  }
  return series;
}

std::uint64_t load_bulk(const net::Endpoint& to, int count) {
  const UniqueFd fd = connect_to(to);
  static char piece[1 << 20];
  std::uint64_t total = 0;
  for (int i = 0; i < count; ++i) {
    send_text(fd.get(), "GET /bulk HTTP/1.1\r\nHost: bench\r\n\r\n");
    std::uint64_t got = 0;
    while (got < kBulkBytes) {
      pollfd query{fd.get(), POLLIN, 0};
      if (poll(&query, 1, 5000) <= 0) return total;
      const ssize_t n = recv(fd.get(), piece, sizeof piece, 0);
      if (n <= 0) return total;
      // The head is counted with the body: 200 bytes in 64 MiB. What follows is never mixed up,
      // because the next request is sent only after this response.
      got += static_cast<std::uint64_t>(n);
    }
    total += kBulkBytes;
  }
  return total;
}

Series load_events(const net::Endpoint& to, int count) {
  net::ClientRequest request;
  request.target = "/events?n=" + std::to_string(count);
  Series series;
  (void)net::fetch_events(to, request, [&](const net::Event& event) {
    std::int64_t stamp = 0;
    std::from_chars(event.data.data(), event.data.data() + event.data.size(), stamp);
    series.values.push_back(static_cast<double>(now_ns() - stamp) / 1e3);
    return true;
  });
  return series;
}

}  // namespace estiva::bench
