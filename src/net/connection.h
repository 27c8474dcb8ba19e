// One accepted connection of the server: reads requests one after the other, runs the handler for
// each, writes what the handler says. The Exchange that handlers see forwards to it.
#pragma once
#include <memory>
#include <string>

#include "net/body_decoder.h"
#include "net/exchange.h"
#include "net/http_parser.h"
#include "net/input_buffer.h"
#include "net/server.h"
#include "net/stream.h"
#include "net/waiters.h"

namespace estiva::net {

// What all connections of a server share.
struct ServerShared {
  ServerShared(Loop& l, Handler h, ServerLimits lim);
  Loop& loop;
  Handler handler;
  ServerLimits limits;
  Sweeper sweeper;
  ServerStats stats;
  bool stopping = false;
  std::uint32_t header_ticks, idle_ticks, stall_ticks, window_ticks;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerShared> shared, UniqueFd fd, Peer peer, std::string listener);

  // Serves until the connection ends, however it ends.
  Awaitable<void> serve();
  bool is_idle() const { return phase_ == Phase::idle; }
  // Ends it now: a running handler is told that the client hung up.
  void abort();

  // What Exchange forwards to.
  const RequestHead& request() const { return request_; }
  const BodyInfo& body_info() const { return parsed_.body; }
  const Peer& peer() const { return peer_; }
  std::string_view listener() const { return listener_; }
  bool started() const { return response_ != ResponsePhase::none; }
  bool is_hung_up() const { return hung_up_; }
  Awaitable<Result<std::string_view>> read_some();
  Awaitable<Result<std::string>> read_body(std::size_t limit);
  Awaitable<Result<void>> respond(Response response);
  Awaitable<Result<void>> start(const ResponseHead& head, std::optional<std::uint64_t> length);
  // start() without sending: the head goes out with the first write(), finish() or flush_head().
  Result<void> prepare(const ResponseHead& head, std::optional<std::uint64_t> length);
  Awaitable<Result<void>> flush_head();
  // Ends a read_some() in progress with an error.
  void cancel_reading() {
    if (reading_) stream_.cancel();
  }
  // As one piece of the body, in one chunk if it is chunked. The pieces may be changed.
  Awaitable<Result<void>> write(std::span<iovec> pieces);
  Awaitable<Result<void>> finish();
  // --- another protocol (RFC 9110 section 7.8): after this only read_raw() and write_raw() -----
  Awaitable<Result<void>> switch_protocol(const ResponseHead& head);
  // What the client sends, whatever it is; empty at its end. Valid until the next call.
  Awaitable<Result<std::string_view>> read_raw();
  Awaitable<Result<void>> write_raw(std::span<iovec> pieces) { return send(pieces); }
  void on_hang_up(std::function<void()> gone);
  Awaitable<Wake> wait(WaiterList* notice, Nanoseconds most);
  Loop& loop() { return shared_->loop; }

  static constexpr std::size_t kMaxPieces = 64;  // of one write()

 private:
  enum class Phase { idle, header, handler, closing };
  enum class ResponsePhase { none, body, done };

  Awaitable<bool> read_head();
  Awaitable<bool> fill_head(std::size_t& block);
  Awaitable<void> run_handler();
  Awaitable<bool> end_exchange();
  Awaitable<bool> drain_body();
  Awaitable<void> refuse(int status, std::string_view text);
  Awaitable<void> linger();
  Awaitable<Result<void>> send(std::span<iovec> pieces);
  Awaitable<int> refill_body();
  bool take_body(std::string_view& piece, ParseError& error);
  Result<void> compose_head(const ResponseHead& head, std::optional<std::uint64_t> length);
  void append_connection_field();
  void note_hang_up();
  void watch();
  void watch_fired();
  void stop_watching();

  std::shared_ptr<ServerShared> shared_;
  Stream stream_;
  InputBuffer input_;
  Peer peer_;
  std::string listener_;
  HeadFinder finder_;
  RequestHead request_;
  RequestParse parsed_;
  BodyDecoder body_;
  std::string output_;
  Phase phase_ = Phase::idle;
  ResponsePhase response_ = ResponsePhase::none;
  bool chunked_ = false, head_only_ = false, close_after_ = false;
  bool continue_due_ = false, reading_ = false, must_linger_ = false;
  std::uint64_t body_left_ = 0;  // of a response with a length
  bool counted_ = false, head_pending_ = false;
  std::size_t window_got_ = 0;
  std::uint32_t window_left_ = 0;
  // Hang-up watch.
  bool hung_up_ = false, watching_ = false;
  std::shared_ptr<void> poll_;
  std::uint64_t watch_turn_ = 0;
  std::function<void()> gone_;
  WaiterList waiters_;
};

}  // namespace estiva::net
