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
constexpr std::size_t kTunnelPiece = 16 << 10;

bool is_one_of(std::string_view name, const std::vector<std::string_view>& names) {
  for (const std::string_view one : names)
    if (same_token(name, one)) return true;
  return false;
}

void copy_fields(const Headers& from, const std::vector<std::string_view>& leave_out, Headers& to) {
  std::string connection;  // of all fields of that name: RFC 9110 section 5.3
  for (const HeaderView field : from)
    if (same_token(field.name, "connection")) connection.append(field.value).append(",");
  for (const HeaderView field : from)
    if (!is_hop_by_hop(field.name, connection) && !same_token(field.name, "content-length") &&
        !is_one_of(field.name, leave_out))
      to.add(field.name, field.value);
}

// What the client wants to change to, where it asks for that.
std::string_view upgrade_of(const Headers& headers) {
  const auto connection = headers.find("connection");
  if (!connection || !list_has(*connection, "upgrade")) return {};
  return headers.find("upgrade").value_or(std::string_view{});
}

void add_upgrade(std::string_view protocol, Headers& to) {
  to.add("Connection", "Upgrade");
  to.add("Upgrade", protocol);
}

RequestHead forwarded_head(const RequestHead& from, const RelayOptions& options) {
  RequestHead head;
  head.method = from.method;
  head.target = options.target.empty() ? from.target : options.target;
  copy_fields(from.headers, options.leave_out, head.headers);
  head.headers.remove("expect");  // the server's own business with its client
  for (const HeaderView field : options.add) head.headers.add(field.name, field.value);
  if (const auto protocol = upgrade_of(from.headers); options.may_upgrade && !protocol.empty())
    add_upgrade(protocol, head.headers);
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
    if (options_.off != nullptr) options_.off->arm([this](Error why) { cut(std::move(why)); });
    auto sent = co_await send_request();
    Result<void> done = sent;
    if (sent) done = co_await send_response();
    if (options_.off != nullptr) options_.off->arm({});
    connection_.on_hang_up({});
    if (pumping_) {
      // The response is over (or failed) before the request body: nobody wants the rest.
      call_->cancel();
      connection_.cancel_reading();
      while (pumping_) co_await pump_done_.wait();
    }
    if (!done && pump_error_) done = Failure(*pump_error_);
    if (!done && cut_) done = Failure(*cut_);
    if (!done && pump_error_ && !cut_ && options_.is_clients_fault != nullptr)
      *options_.is_clients_fault = true;
    if (!done && options_.answers_failures && !connection_.started() && !connection_.is_hung_up())
      co_await answer_failure(done.error());
    if (!done) co_return Failure(done.error());
    co_return report_;
  }

 private:
  void cancel() {
    if (call_) call_->cancel();
  }
  void cut(Error why) {
    cut_ = std::move(why);
    cancel();
  }

  std::optional<std::uint64_t> request_length() const {
    return options_.body != nullptr ? options_.body->length() : length_of(connection_.body_info());
  }

  // What there is of the body before the head goes out: all of it where it is small.
  Awaitable<Result<void>> take_small_body() {
    const BodyInfo& body = connection_.body_info();
    if (options_.body != nullptr) {
      at_hand_ = options_.body->whole();
    } else if (body.framing == Framing::none) {
      at_hand_ = std::string_view{};
    } else if (body.framing == Framing::length && body.length <= kSmallBody) {
      auto read = co_await connection_.read_body(kSmallBody);
      if (!read) co_return Failure(*(pump_error_ = read.error()));
      kept_ = std::move(*read);
      at_hand_ = kept_;
    }
    co_return Result<void>{};
  }

  Awaitable<Result<void>> send_request() {
    const RequestHead head = forwarded_head(connection_.request(), options_);
    if (auto taken = co_await take_small_body(); !taken) co_return taken;
    const auto length = request_length();
    const bool has_body = connection_.body_info().framing != Framing::none || length != 0;
    const bool again = at_hand_ && (options_.repeats_all || is_idempotent(head.method));
    auto text = request_text(upstream_, head, length, has_body);
    if (!text) co_return Failure(text.error());
    const std::string key = to_text(upstream_);
    for (bool first = true;; first = false) {
      auto sent = co_await try_request(head, key, *text, first && at_hand_.has_value());
      if (sent && !at_hand_) co_return start_pump(!length);
      call_->request_done = at_hand_.has_value();
      if (sent)
        if (auto response = co_await call_->response(); !response) sent = Failure(response.error());
      report_.request_bytes = at_hand_.value_or("").size();
      if (sent || !first || !again || cut_ || !call_->is_stale()) co_return sent;
    }
  }

  // Connects and sends the head, and the body that is there.
  Awaitable<Result<void>> try_request(const RequestHead& head, const std::string& key,
                                      std::string_view text, bool reuse) {
    call_ = std::make_shared<Call::Impl>(client_.shared_from_this(), upstream_, key);
    call_->head_request = head.method == "HEAD";
    auto wire = co_await client_.connect(upstream_, key, reuse);
    if (!wire) co_return Failure(wire.error());
    call_->wire = std::move(*wire);
    if (connection_.is_hung_up()) co_return fail(std::string(msg::kNetClientGone));
    if (cut_) co_return Failure(*cut_);
    co_return co_await call_->send(text, at_hand_.value_or(""));
  }

  Result<void> start_pump(bool chunked) {
    call_->chunked_request = chunked;
    pumping_ = true;
    connection_.loop().spawn(pump(shared_from_this()));
    return {};
  }

  static Awaitable<void> pump(std::shared_ptr<Relay> self) {
    const bool complete = co_await self->pump_body();
    if (complete)
      self->call_->request_done = true;
    else if (!self->call_->have_head || self->options_.body != nullptr)
      self->cancel();  // the client broke off: the upstream must not wait for the rest
    self->pumping_ = false;
    self->pump_done_.notify_all();
  }

  Awaitable<Result<std::string_view>> next_piece() {
    return options_.body != nullptr ? options_.body->next() : connection_.read_some();
  }

  Awaitable<bool> pump_body() {
    char line[18];
    while (true) {
      auto piece = co_await next_piece();
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
    copy_fields(call.head.headers, {}, head.headers);
    for (const HeaderView field : options_.add_to_response)
      head.headers.add(field.name, field.value);
    report_.status = head.status;
    if (head.status == 101) co_return co_await tunnel(std::move(head));
    if (auto ready = begin_response(head); !ready) co_return ready;
    auto sent = co_await send_body();
    if (sent || call.body.done() || connection_.is_hung_up()) co_return sent;
    co_return co_await say_last_words(cut_ ? *cut_ : sent.error());
  }

  Result<void> begin_response(const ResponseHead& head) {
    if (!options_.has_begun) return connection_.prepare(head, response_length());
    const auto type = head.headers.find("content-type").value_or("");
    if (head.status == 200 && type.starts_with("text/event-stream")) return {};
    return fail(
        fmt::format(fmt::runtime(msg::kNetNotEventStream), to_text(upstream_), head.status));
  }

  Awaitable<Result<void>> send_body() {
    Call::Impl& call = *call_;
    while (true) {
      // The head does not wait for a body that has not come yet.
      if (call.wire->input.empty() && !call.body.done())
        if (auto sent = co_await connection_.flush_head(); !sent) co_return sent;
      auto pieces = co_await call.read_pieces(Connection::kMaxPieces);
      if (!pieces) co_return Failure(pieces.error());
      if (pieces->empty()) co_return co_await connection_.finish();
      for (const iovec& piece : *pieces) report_.response_bytes += piece.iov_len;
      if (options_.last_words) keep_tail(*pieces);
      if (auto written = co_await connection_.write(*pieces); !written) co_return written;
    }
  }

  void keep_tail(std::span<const iovec> pieces) {
    for (const iovec& piece : pieces) {
      const std::size_t size = std::min(piece.iov_len, RelayOptions::kTail);
      tail_.append(static_cast<const char*>(piece.iov_base) + piece.iov_len - size, size);
      if (tail_.size() > RelayOptions::kTail) tail_.erase(0, tail_.size() - RelayOptions::kTail);
    }
  }

  Awaitable<Result<void>> say_last_words(const Error& error) {
    std::string words;
    if (options_.last_words && !response_length())
      words = options_.last_words(call_->head, tail_, error);
    if (words.empty()) co_return Failure(error);
    iovec piece{words.data(), words.size()};
    if (auto written = co_await connection_.write({&piece, 1}); !written) co_return written;
    report_.broke_off = true;
    co_return co_await connection_.finish();
  }

  // Bytes both ways until the upstream ends. The end of what the client sends is passed on.
  Awaitable<Result<void>> tunnel(ResponseHead head) {
    const auto protocol = upgrade_of(connection_.request().headers);
    if (!options_.may_upgrade || protocol.empty() || pumping_)
      co_return fail(fmt::format(fmt::runtime(msg::kNetUnaskedSwitch), to_text(upstream_)));
    add_upgrade(call_->head.headers.find("upgrade").value_or(protocol), head.headers);
    if (auto sent = co_await connection_.switch_protocol(head); !sent) co_return sent;
    call_->request_done = false;  // the connection is nobody else's again
    pumping_ = true;
    connection_.loop().spawn(pump_up(shared_from_this()));
    co_return co_await pump_down();
  }

  static Awaitable<void> pump_up(std::shared_ptr<Relay> self) {
    while (true) {
      auto piece = co_await self->connection_.read_raw();
      if (!piece) self->cancel();
      if (piece && piece->empty()) self->call_->wire->stream.shutdown_write();
      if (!piece || piece->empty()) break;
      self->report_.request_bytes += piece->size();
      iovec out{const_cast<char*>(piece->data()), piece->size()};
      const auto sent = co_await self->call_->write({&out, 1});
      if (!sent) break;
    }
    self->pumping_ = false;
    self->pump_done_.notify_all();
  }

  Awaitable<Result<void>> pump_down() {
    Wire& wire = *call_->wire;
    while (true) {
      if (wire.input.empty()) {
        if (wire.input.capacity() < kTunnelPiece) wire.input.reserve(kTunnelPiece);
        const IoResult got =
            co_await wire.stream.read_some(wire.input.tail(), wire.input.tail_room());
        if (got.error == 0 && got.size == 0) co_return Result<void>{};
        if (got.error != 0) co_return fail_errno(to_text(upstream_), got.error);
        wire.input.added(got.size);
      }
      const std::string_view data = wire.input.data();
      report_.response_bytes += data.size();
      iovec piece{const_cast<char*>(data.data()), data.size()};
      if (auto sent = co_await connection_.write_raw({&piece, 1}); !sent) co_return sent;
      wire.input.consume(data.size());
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
  std::optional<Error> cut_;
  std::optional<std::string_view> at_hand_;  // the whole body, where it can be sent at once
  std::string kept_, tail_;
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
