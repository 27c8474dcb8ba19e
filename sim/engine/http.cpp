#include "sim/engine/http.h"

#include <algorithm>
#include <cctype>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace estiva::sim {
namespace {

constexpr std::size_t kMostHead = 64 << 10;

// Bytes of one connection, read as they are wanted.
class Input {
 public:
  explicit Input(int fd) : fd_(fd) {}
  bool line(std::string& out) {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n", at_);
      if (end != std::string::npos) {
        out = buffer_.substr(at_, end - at_);
        at_ = end + 2;
        return true;
      }
      if (buffer_.size() - at_ > kMostHead || !more()) return false;
    }
  }
  bool bytes(std::size_t size, std::string& out) {
    while (buffer_.size() - at_ < size) {
      if (!more()) return false;
    }
    out.append(buffer_, at_, size);
    at_ += size;
    return true;
  }

 private:
  bool more() {
    buffer_.erase(0, at_);
    at_ = 0;
    char chunk[65536];
    const ssize_t n = ::read(fd_, chunk, sizeof chunk);
    if (n <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(n));
    return true;
  }
  int fd_;
  std::string buffer_;
  std::size_t at_ = 0;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool read_chunks(Input& input, std::string& body) {
  std::string line;
  while (input.line(line)) {
    const std::size_t size = std::strtoul(line.c_str(), nullptr, 16);
    if (size == 0) return input.line(line);
    if (!input.bytes(size, body) || !input.line(line)) return false;
  }
  return false;
}

bool read_request(Input& input, HttpRequest& request) {
  std::string line;
  if (!input.line(line)) return false;
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos) return false;
  request.method = line.substr(0, first);
  request.path = line.substr(first + 1, second - first - 1);
  request.body.clear();
  std::size_t length = 0;
  bool chunked = false;
  while (input.line(line) && !line.empty()) {
    const std::string field = lower(line);
    if (field.starts_with("content-length:"))
      length = std::strtoul(field.c_str() + 15, nullptr, 10);
    if (field.starts_with("transfer-encoding:"))
      chunked = field.find("chunked") != std::string::npos;
  }
  return chunked ? read_chunks(input, request.body) : input.bytes(length, request.body);
}

}  // namespace

bool HttpReply::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

void HttpReply::whole(int status, const std::string& type, const std::string& body) {
  send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
       "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

void HttpReply::begin_stream(const std::string& type) {
  send("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n");
}

bool HttpReply::piece(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return send(size + bytes + "\r\n");
}

void HttpReply::end_stream() {
  send("0\r\n\r\n");
}

int listen_at(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(fd, 256) == 0) {
    return fd;
  }
  return -1;
}

void serve(int listener, const std::function<void(const HttpRequest&, HttpReply&)>& handle) {
  for (;;) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([fd, &handle] {
      Input input(fd);
      HttpRequest request;
      while (read_request(input, request)) {
        HttpReply reply(fd);
        handle(request, reply);
      }
      ::close(fd);
    }).detach();
  }
}

}  // namespace estiva::sim
