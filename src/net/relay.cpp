#include "net/relay.h"

#include <array>
#include <fmt/format.h>

#include "base/messages/net.h"
#include "net/client_impl.h"
#include "net/connection.h"
#include "net/head_writer.h"

namespace estiva::net {
namespace {

// A body this small that has wholly arrived goes out with its head, and can be sent twice.
constexpr std::size_t kSmallBody = 64 << 10;

void copy_fields(const Headers& from, Headers& to) {
  std::string connection;  // of all fields of that name: RFC 9110 section 5.3
  for (const HeaderView field : from)
    if (same_token(field.name, "connection")) connection.append(field.value).append(",");
  for (const HeaderView field : from)
    if (!is_hop_by_hop(field.name, connection) && !same_token(field.name, "content-length"))
      to.add(field.name, field.value);
}

RequestHead forwarded_head(const RequestHead& from, const RelayOptions& options) {
  RequestHead head;
  head.method = from.method;
  head.target = options.target.empty() ? from.target : options.target;
  copy_fields(from.headers, head.headers);
  head.headers.remove("expect");  // the server's own business with its client
  for (const HeaderView field : options.add) head.headers.add(field.name, field.value);
  return head;
}

std::optional<std::uint64_t> length_of(const BodyInfo& info) {
  if (info.framing == Framing::length) return info.length;
  if (info.framing == Framing::none) return 0;
  return std::nullopt;
}

// Both directions of one relayed request. The request body is pumped by a task of its own, because
// an upstream may answer while it still receives; the two meet in `this`, which outlives both.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(Exchange& exchange, Client& client, Endpoint upstream, RelayOptions options)
      : connection_(exchange.connection()),
        client_(client.impl()),
        upstream_(std::move(upstream)),
        options_(std::move(options)),
        pump_done_(connection_.loop()) {}

  static Awaitable<Result<RelayReport>> start(std::shared_ptr<Relay> self) {
    co_return co_await self->run();
  }

  Awaitable<Result<RelayReport>> run() {
    connection_.on_hang_up([this] { cancel(); });
    auto sent = co_await send_request();
    Result<void> done = sent;
    if (sent) done = co_await send_response();
    connection_.on_hang_up({});
    if (pumping_) {
      // The response is over (or failed) before the request body: nobody wants the rest.
      call_->cancel();
      connection_.cancel_reading();
      while (pumping_) co_await pump_done_.wait();
    }
    if (!done && pump_error_) done = Failure(*pump_error_);
    if (!done && !connection_.started() && !connection_.is_hung_up())
      co_await answer_failure(done.error());
    if (!done) co_return Failure(done.error());
    co_return report_;
  }

 private:
  void cancel() {
    if (call_) call_->cancel();
  }

  Awaitable<Result<void>> send_request() {
    const BodyInfo& body = connection_.body_info();
    const RequestHead head = forwarded_head(connection_.request(), options_);
    const bool has_body = body.framing != Framing::none;
    const bool small = body.framing == Framing::length && body.length <= kSmallBody;
    std::string whole;
    if (small) {
      auto read = co_await connection_.read_body(kSmallBody);
      if (!read) co_return Failure(*(pump_error_ = read.error()));
      whole = std::move(*read);
    }
    const bool again = (small || !has_body) && is_idempotent(head.method);
    auto text = request_text(upstream_, head, length_of(body), has_body);
    if (!text) co_return Failure(text.error());
    const std::string key = to_text(upstream_);
    for (bool first = true;; first = false) {
      const bool complete = small || !has_body;
      auto sent = co_await try_request(head, key, *text, whole, first && complete);
      if (sent && !complete) co_return start_pump();
      call_->request_done = complete;
      if (sent)
        if (auto response = co_await call_->response(); !response) sent = Failure(response.error());
      report_.request_bytes = whole.size();
      if (sent || !first || !again || !call_->is_stale()) co_return sent;
    }
  }

  // Connects and sends the head, and the body that is there.
  Awaitable<Result<void>> try_request(const RequestHead& head, const std::string& key,
                                      std::string_view text, std::string_view whole, bool reuse) {
    call_ = std::make_shared<Call::Impl>(client_.shared_from_this(), upstream_, key);
    call_->head_request = head.method == "HEAD";
    auto wire = co_await client_.connect(upstream_, key, reuse);
    if (!wire) co_return Failure(wire.error());
    call_->wire = std::move(*wire);
    if (connection_.is_hung_up()) co_return fail(std::string(msg::kNetClientGone));
    co_return co_await call_->send(text, whole);
  }

  Result<void> start_pump() {
    call_->chunked_request = connection_.body_info().framing == Framing::chunked;
    pumping_ = true;
    connection_.loop().spawn(pump(shared_from_this()));
    return {};
  }

  static Awaitable<void> pump(std::shared_ptr<Relay> self) {
    const bool complete = co_await self->pump_body();
    if (complete)
      self->call_->request_done = true;
    else if (!self->call_->have_head)
      self->cancel();  // the client broke off: the upstream must not wait for the rest
    self->pumping_ = false;
    self->pump_done_.notify_all();
  }

  Awaitable<bool> pump_body() {
    char line[18];
    while (true) {
      auto piece = co_await connection_.read_some();
      if (!piece) {
        pump_error_ = piece.error();
        co_return false;
      }
      if (piece->empty()) break;
      report_.request_bytes += piece->size();
      std::array<iovec, 3> out{iovec{line, write_chunk_size(line, piece->size())},
                               iovec{const_cast<char*>(piece->data()), piece->size()},
                               iovec{const_cast<char*>("\r\n"), 2}};
      const std::span<iovec> all(out);
      const bool chunked = call_->chunked_request;
      if (!co_await call_->write(chunked ? all : all.subspan(1, 1))) co_return false;
    }
    if (!call_->chunked_request) co_return true;
    iovec last{const_cast<char*>(kLastChunk.data()), kLastChunk.size()};
    const auto ended = co_await call_->write({&last, 1});
    co_return ended.has_value();
  }

  Awaitable<Result<void>> send_response() {
    Call::Impl& call = *call_;
    if (!call.have_head)
      if (auto response = co_await call.response(); !response) co_return Failure(response.error());
    ResponseHead head;
    head.status = call.head.status;
    head.reason = call.head.reason;
    copy_fields(call.head.headers, head.headers);
    report_.status = head.status;
    if (auto ready = connection_.prepare(head, response_length()); !ready) co_return ready;
    while (true) {
      // The head does not wait for a body that has not come yet.
      if (call.wire->input.empty() && !call.body.done())
        if (auto sent = co_await connection_.flush_head(); !sent) co_return sent;
      auto pieces = co_await call.read_pieces(Connection::kMaxPieces);
      if (!pieces) co_return Failure(pieces.error());
      if (pieces->empty()) co_return co_await connection_.finish();
      for (const iovec& piece : *pieces) report_.response_bytes += piece.iov_len;
      if (auto written = co_await connection_.write(*pieces); !written) co_return written;
    }
  }

  // For a response to HEAD the upstream's Content-Length is passed on, though no body follows.
  std::optional<std::uint64_t> response_length() const {
    if (!call_->head_request) return length_of(call_->parsed.body);
    const auto text = call_->head.headers.find("content-length");
    if (!text) return std::nullopt;
    std::uint64_t length = 0;
    for (const char c : *text) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    return length;
  }

  Awaitable<void> answer_failure(const Error& error) {
    Response answer;
    const bool slow = error.kind == ErrorKind::timed_out;
    if (pump_error_)
      answer.status = slow ? 408 : 400;
    else
      answer.status = slow ? 504 : 502;
    answer.content_type = "text/plain";
    answer.body = pump_error_ ? error.what + "\n"
                              : fmt::format("{}: {}\n", msg::kNetUpstreamFailed, error.what);
    report_.status = answer.status;
    co_await connection_.respond(std::move(answer));
  }

  Connection& connection_;
  Client::Impl& client_;
  Endpoint upstream_;
  RelayOptions options_;
  std::shared_ptr<Call::Impl> call_;
  RelayReport report_;
  std::optional<Error> pump_error_;  // what the client did wrong while sending its body
  bool pumping_ = false;
  Notice pump_done_;
};

}  // namespace

// RFC 9110 section 7.6.1.
bool is_hop_by_hop(std::string_view name, std::string_view connection) {
  constexpr std::string_view kNames[] = {
      "connection",       "keep-alive",         "te",
      "trailer",          "transfer-encoding",  "upgrade",
      "proxy-connection", "proxy-authenticate", "proxy-authorization"};
  for (const std::string_view one : kNames)
    if (same_token(name, one)) return true;
  return !connection.empty() && list_has(connection, name);
}

Awaitable<Result<RelayReport>> relay(Exchange& exchange, Client& client, const Endpoint& upstream) {
  return relay(exchange, client, upstream, RelayOptions{});
}

// Not a coroutine: `start` keeps the object alive, and the object is made in the caller's turn.
Awaitable<Result<RelayReport>> relay(Exchange& exchange, Client& client, const Endpoint& upstream,
                                     const RelayOptions& options) {
  return Relay::start(std::make_shared<Relay>(exchange, client, upstream, options));
}

}  // namespace estiva::net
