// What client, pool and call share. Not for other rooms.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "net/body_decoder.h"
#include "net/client.h"
#include "net/http_parser.h"
#include "net/input_buffer.h"
#include "net/stream.h"

namespace estiva::net {

// One connection to an upstream with what was received and not yet used.
struct Wire {
  Wire(Loop& loop, Sweeper& sweeper, UniqueFd fd) : stream(loop, sweeper, std::move(fd)) {}
  Stream stream;
  InputBuffer input;
  bool reused = false;
};

// Idle connections by endpoint, newest used first; bounded in number and age.
class Pool {
 public:
  Pool(Loop& loop, const ClientLimits& limits) : loop_(loop), limits_(limits) {}
  // A connection that is still quiet, or none.
  std::unique_ptr<Wire> take(const std::string& key);
  void give(const std::string& key, std::unique_ptr<Wire> wire);
  void drop(const std::string& key);
  std::size_t size() const { return count_; }

 private:
  struct Idle {
    std::unique_ptr<Wire> wire;
    SteadyTime since;
  };
  void expire();
  Loop& loop_;
  const ClientLimits& limits_;
  std::map<std::string, std::vector<Idle>> idle_;
  std::size_t count_ = 0;
  std::shared_ptr<void> ticker_;  // only while there is something to expire
};

struct Client::Impl : std::enable_shared_from_this<Client::Impl> {
  Impl(Loop& l, ClientLimits lim);
  Loop& loop;
  ClientLimits limits;
  Sweeper sweeper;
  Pool pool;
  std::uint32_t connect_ticks, response_ticks, idle_ticks;

  // A pooled connection if `may_reuse` and there is one, else a new one.
  Awaitable<Result<std::unique_ptr<Wire>>> connect(const Endpoint& to, const std::string& key,
                                                   bool may_reuse);
};

struct Call::Impl {
  Impl(std::shared_ptr<Client::Impl> owner, Endpoint endpoint, std::string pool_key);
  ~Impl();

  // Sends `text` and then `body`, which may be empty.
  Awaitable<Result<void>> send(std::string_view text, std::string_view body);
  Awaitable<Result<void>> write(std::span<iovec> pieces);
  Awaitable<Result<const ResponseHead*>> response();
  // All body there is in what was received, at most `most` pieces; waits when there is none.
  // Empty at the end. Valid until the next call.
  Awaitable<Result<std::span<iovec>>> read_pieces(std::size_t most);
  void cancel();
  // The connection was closed before a byte of the response came: the server dropped it while idle.
  bool is_stale() const { return wire && wire->reused && stale; }

  std::shared_ptr<Client::Impl> client;
  Endpoint to;
  std::string key;
  std::unique_ptr<Wire> wire;
  bool head_request = false, chunked_request = false, request_done = false;
  bool stale = false, cancelled = false, have_head = false;
  ResponseHead head;
  ResponseParse parsed;
  BodyDecoder body;
  std::vector<iovec> pieces;
  EventReader events;

 private:
  Awaitable<Result<void>> read_head();
  Failure lost(int error, std::string_view timed_out_text, std::chrono::milliseconds limit);
};

// The head as it goes out: Host and body framing added where missing, blank line included.
Result<std::string> request_text(const Endpoint& to, const RequestHead& head,
                                 std::optional<std::uint64_t> length, bool has_body);
bool is_idempotent(std::string_view method);

}  // namespace estiva::net
