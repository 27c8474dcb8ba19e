// Just enough of an HTTP/1.1 server for a stand-in: a thread a connection, keep-alive, bodies with
// a length or in chunks. Blocking.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace estiva::sim {

struct HttpRequest {
  std::string method, path, body;
};

// What a handler answers with: whole, or piece by piece through write().
class HttpReply {
 public:
  explicit HttpReply(int fd) : fd_(fd) {}
  void whole(int status, const std::string& type, const std::string& body);
  void begin_stream(const std::string& type);  // chunked
  bool piece(const std::string& bytes);        // false: the client is gone
  void end_stream();

 private:
  bool send(const std::string& bytes);
  int fd_;
};

// Binds 127.0.0.1:PORT; -1: it can't (errno says why).
int listen_at(std::uint16_t port);
// Serves for ever.
void serve(int listener, const std::function<void(const HttpRequest&, HttpReply&)>& handle);

}  // namespace estiva::sim
