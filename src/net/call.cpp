#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>

#include "base/messages/net.h"
#include "net/client_impl.h"
#include "net/head_writer.h"

namespace estiva::net {
namespace {

constexpr std::size_t kFirstRead = 16 << 10;
// Large pieces keep the number of system calls down on bulk bodies; measured in bench/net.
constexpr std::size_t kBulkRead = 128 << 10;

iovec piece_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

Call::Impl::Impl(std::shared_ptr<Client::Impl> owner, Endpoint endpoint, std::string pool_key)
    : client(std::move(owner)), to(std::move(endpoint)), key(std::move(pool_key)) {}

// A connection goes back to the pool only when both messages ended cleanly and nothing came after.
Call::Impl::~Impl() {
  if (!wire || cancelled || !have_head || !request_done) return;
  if (!body.done() || !parsed.keep_alive || !wire->input.empty()) return;
  if (parsed.body.framing == Framing::until_close) return;
  client->pool.give(key, std::move(wire));
}

Failure Call::Impl::lost(int error, std::string_view timed_out_text,
                         std::chrono::milliseconds limit) {
  if (cancelled || error == ECANCELED) return fail(std::string(msg::kNetCancelled));
  if (error == ETIMEDOUT)
    return fail(ErrorKind::timed_out,
                fmt::format(fmt::runtime(timed_out_text), to_text(to), limit.count()));
  if (error == 0) return fail(fmt::format(fmt::runtime(msg::kNetClosedEarly), to_text(to)));
  return fail(fmt::format(fmt::runtime(msg::kNetLostUpstream), to_text(to), std::strerror(error)));
}

Awaitable<Result<void>> Call::Impl::send(std::string_view text, std::string_view data) {
  std::array<iovec, 2> both{piece_of(text), piece_of(data)};
  co_return co_await write({both.data(), data.empty() ? std::size_t{1} : 2});
}

Awaitable<Result<void>> Call::Impl::write(std::span<iovec> out) {
  const int error = co_await wire->stream.write_all(out, client->idle_ticks);
  if (error == 0) co_return Result<void>{};
  stale = error == EPIPE || error == ECONNRESET;
  co_return lost(error, msg::kNetBodyTimedOut, client->limits.idle_time);
}

Awaitable<Result<const ResponseHead*>> Call::Impl::response() {
  wire->stream.set_read_deadline(client->response_ticks);
  do {
    if (auto done = co_await read_head(); !done) co_return Failure(done.error());
  } while (head.status / 100 == 1 && head.status != 101);
  wire->stream.set_read_deadline(0);
  have_head = true;
  body.start(parsed.body, UINT64_MAX);
  co_return &head;
}

Awaitable<Result<void>> Call::Impl::read_head() {
  HeadFinder finder;
  InputBuffer& input = wire->input;
  const auto malformed = [&](ParseError error) {
    return fail(
        fmt::format(fmt::runtime(msg::kNetBadResponse), to_text(to), parse_error_text(error)));
  };
  while (true) {
    if (const std::size_t block = finder.find(input.data()); block > 0) {
      parsed = parse_response(input.data().substr(0, block), head_request, head);
      if (parsed.error != ParseError::none) co_return malformed(parsed.error);
      input.consume(block);
      co_return Result<void>{};
    }
    if (input.size() >= client->limits.header_bytes) co_return malformed(ParseError::too_large);
    if (input.tail_room() < kFirstRead / 4)
      input.reserve(std::max(kFirstRead, input.capacity() * 2));
    const IoResult got = co_await wire->stream.read_some(input.tail(), input.tail_room());
    if (got.error != 0 || got.size == 0) {
      stale = input.empty() && (got.error == 0 || got.error == ECONNRESET);
      co_return lost(got.error, msg::kNetResponseTimedOut, client->limits.response_time);
    }
    input.added(got.size);
  }
}

Awaitable<Result<std::span<iovec>>> Call::Impl::read_pieces(std::size_t most) {
  InputBuffer& input = wire->input;
  pieces.clear();
  bool bulk = body.received() > kFirstRead || parsed.body.length > kFirstRead;
  while (true) {
    while (!input.empty() && !body.done() && pieces.size() < most) {
      const BodyDecoder::Step step = body.feed(input.data());
      input.consume(step.consumed);
      if (step.error != ParseError::none)
        co_return fail(fmt::format(fmt::runtime(msg::kNetBadResponse), to_text(to),
                                   parse_error_text(step.error)));
      if (!step.body.empty()) pieces.push_back(piece_of(step.body));
      if (step.consumed == 0) break;
    }
    if (!pieces.empty() || body.done()) co_return std::span<iovec>(pieces);
    const std::size_t wanted = bulk ? kBulkRead : kFirstRead;
    if (input.capacity() < wanted || input.tail_room() < wanted / 2) input.reserve(wanted);
    wire->stream.set_read_deadline(client->idle_ticks);
    const IoResult got = co_await wire->stream.read_some(input.tail(), input.tail_room());
    wire->stream.set_read_deadline(0);
    if (got.error == 0 && got.size == 0 && body.end_of_input() == ParseError::none)
      co_return std::span<iovec>(pieces);
    if (got.error != 0 || got.size == 0) {
      if (got.error == 0)
        co_return fail(
            fmt::format(fmt::runtime(msg::kNetLostUpstream), to_text(to), msg::kNetTruncated));
      co_return lost(got.error, msg::kNetBodyTimedOut, client->limits.idle_time);
    }
    input.added(got.size);
  }
}

void Call::Impl::cancel() {
  cancelled = true;
  if (wire) wire->stream.close();
}

Call::Call(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Call::~Call() = default;
void Call::cancel() {
  impl_->cancel();
}
const BodyInfo& Call::body_info() const {
  return impl_->parsed.body;
}

Awaitable<Result<const ResponseHead*>> Call::response() {
  const std::shared_ptr<Impl> impl = impl_;
  if (impl->have_head) co_return &impl->head;
  co_return co_await impl->response();
}

Awaitable<Result<void>> Call::write(std::string_view bytes) {
  const std::shared_ptr<Impl> impl = impl_;
  if (bytes.empty()) co_return Result<void>{};
  char line[18];
  std::array<iovec, 3> out{iovec{line, write_chunk_size(line, bytes.size())}, piece_of(bytes),
                           piece_of("\r\n")};
  const std::span<iovec> all(out);
  co_return co_await impl->write(impl->chunked_request ? all : all.subspan(1, 1));
}

Awaitable<Result<void>> Call::finish() {
  const std::shared_ptr<Impl> impl = impl_;
  impl->request_done = true;
  if (!impl->chunked_request) co_return Result<void>{};
  iovec last = piece_of(kLastChunk);
  co_return co_await impl->write({&last, 1});
}

Awaitable<Result<std::string_view>> Call::read_some() {
  const std::shared_ptr<Impl> impl = impl_;
  auto got = co_await impl->read_pieces(1);
  if (!got) co_return Failure(got.error());
  if (got->empty()) co_return std::string_view{};
  co_return std::string_view(static_cast<const char*>((*got)[0].iov_base), (*got)[0].iov_len);
}

Awaitable<Result<std::string>> Call::read_body(std::size_t limit) {
  std::string whole;
  while (true) {
    auto piece = co_await read_some();
    if (!piece) co_return Failure(piece.error());
    if (piece->empty()) co_return whole;
    if (whole.size() + piece->size() > limit)
      co_return fail(
          fmt::format(fmt::runtime(msg::kNetResponseTooLarge), to_text(impl_->to), limit));
    whole.append(*piece);
  }
}

Awaitable<Result<std::optional<Event>>> Call::next_event() {
  while (true) {
    if (auto event = impl_->events.next()) co_return std::move(event);
    auto piece = co_await read_some();
    if (!piece) co_return Failure(piece.error());
    if (piece->empty()) co_return std::optional<Event>{};
    if (auto fed = impl_->events.feed(*piece); !fed) co_return Failure(fed.error());
  }
}

}  // namespace estiva::net
