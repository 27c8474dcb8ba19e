// The body and response half of a connection: what a handler reads and writes.
#include <array>
#include <cerrno>
#include <ctime>
#include <fmt/format.h>

#include "base/messages/net.h"
#include "net/connection.h"
#include "net/head_writer.h"

namespace estiva::net {
namespace {

constexpr std::size_t kBodyBuffer = 64 << 10;
constexpr std::size_t kRawBuffer = 16 << 10;
// Bodies up to this size are copied behind the head and sent from one piece.
constexpr std::size_t kCopyBody = 16 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

iovec piece_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

Failure gone() {
  return fail(std::string(msg::kNetClientGone));
}

// "Date: Sun, 06 Nov 1994 08:49:37 GMT", formatted once a second (RFC 9110 section 6.6.1).
std::string_view date_field() {
  thread_local std::time_t formatted = 0;
  thread_local std::array<char, 48> text{};
  thread_local std::size_t size = 0;
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != formatted) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    tm utc{};
    gmtime_r(&now.tv_sec, &utc);
    const auto end = fmt::format_to_n(text.data(), text.size(),
                                      "Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                                      kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                                      utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    size = end.size;
    formatted = now.tv_sec;
  }
  return {text.data(), size};
}

bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

// --- request body -------------------------------------------------------------------------------

// True when `piece` holds body, `error` is set, or the body is done; false when input is needed.
bool Connection::take_body(std::string_view& piece, ParseError& error) {
  piece = {};
  while (!body_.done()) {
    const BodyDecoder::Step step = body_.feed(input_.data());
    input_.consume(step.consumed);
    piece = step.body;
    error = step.error;
    if (!piece.empty() || error != ParseError::none) return true;
    if (step.consumed == 0) return false;
  }
  return true;
}

Awaitable<Result<std::string_view>> Connection::read_some() {
  if (continue_due_) {
    continue_due_ = false;
    if (input_.empty()) {
      iovec piece = piece_of(kContinue);
      if (auto sent = co_await send({&piece, 1}); !sent) co_return Failure(sent.error());
    }
  }
  while (true) {
    std::string_view piece;
    ParseError error = ParseError::none;
    if (take_body(piece, error)) {
      if (error == ParseError::none) co_return piece;
      close_after_ = true;
      ++shared_->stats.bad_requests;
      co_return fail(ErrorKind::usage, std::string(parse_error_text(error)));
    }
    const int problem = co_await refill_body();
    if (problem == 0) continue;
    close_after_ = true;
    if (problem == ETIMEDOUT) {
      ++shared_->stats.timed_out;
      co_return fail(ErrorKind::timed_out, std::string(msg::kNetClientSlow));
    }
    co_return gone();
  }
}

// Waits for more input under the progress rule: each window must bring its bytes. The window stands
// still while the handler does not read.
Awaitable<int> Connection::refill_body() {
  if (input_.capacity() < kBodyBuffer || input_.tail_room() < kBodyBuffer / 4)
    input_.reserve(kBodyBuffer);
  reading_ = true;
  stream_.set_read_deadline(window_left_);
  const IoResult got = co_await stream_.read_some(input_.tail(), input_.tail_room());
  window_left_ = stream_.read_ticks_left();
  stream_.set_read_deadline(0);
  reading_ = false;
  if (got.error != 0 || got.size == 0) {
    if (got.error != ETIMEDOUT && got.error != ECANCELED) note_hang_up();
    co_return got.error != 0 ? got.error : ECONNRESET;
  }
  input_.added(got.size);
  window_got_ += got.size;
  if (window_got_ >= shared_->limits.body_window_bytes || window_left_ == 0) {
    window_got_ = 0;
    window_left_ = shared_->window_ticks;
  }
  co_return 0;
}

Awaitable<Result<std::string>> Connection::read_body(std::size_t limit) {
  std::string whole;
  const auto too_large = [&] {
    close_after_ = true;
    return fail(ErrorKind::usage, fmt::format(fmt::runtime(msg::kNetBodyLimit), limit));
  };
  if (parsed_.body.framing == Framing::length) {
    if (parsed_.body.length > limit) co_return too_large();
    whole.reserve(static_cast<std::size_t>(
        std::min<std::uint64_t>(parsed_.body.length, shared_->limits.body_bytes)));
  }
  while (true) {
    auto piece = co_await read_some();
    if (!piece) co_return Failure(piece.error());
    if (piece->empty()) co_return whole;
    if (whole.size() + piece->size() > limit) co_return too_large();
    whole.append(*piece);
  }
}

// --- response -----------------------------------------------------------------------------------

Awaitable<Result<void>> Connection::send(std::span<iovec> pieces) {
  const int error = hung_up_ ? ECANCELED : co_await stream_.write_all(pieces, shared_->stall_ticks);
  if (error == 0) co_return Result<void>{};
  if (error == ETIMEDOUT) ++shared_->stats.timed_out;
  close_after_ = true;
  note_hang_up();
  stream_.close();
  if (error == ETIMEDOUT) co_return fail(ErrorKind::timed_out, std::string(msg::kNetClientSlow));
  co_return gone();
}

void Connection::append_connection_field() {
  if (close_after_)
    output_.append("Connection: close\r\n");
  else if (request_.http_1_0)
    output_.append("Connection: keep-alive\r\n");
}

// Appends the whole head to output_ and decides how the body will be framed.
Result<void> Connection::compose_head(const ResponseHead& head,
                                      std::optional<std::uint64_t> length) {
  if (response_ != ResponsePhase::none) return fail(std::string(msg::kNetAlreadyAnswered));
  output_.clear();
  if (auto written = write_response_head(output_, head); !written) return written;
  if (!head.headers.has("date")) output_.append(date_field());
  counted_ = length.has_value();
  body_left_ = length.value_or(0);
  chunked_ = false;
  if (!status_has_body(head.status)) {
    counted_ = true;
    body_left_ = 0;
  } else if (counted_) {
    output_.append("Content-Length: ");
    write_number(output_, *length);
    output_.append("\r\n");
  } else if (request_.http_1_0) {
    close_after_ = true;  // the end of the connection ends the body
  } else {
    chunked_ = true;
    output_.append("Transfer-Encoding: chunked\r\n");
  }
  if (continue_due_) close_after_ = true;
  append_connection_field();
  output_.append("\r\n");
  response_ = ResponsePhase::body;
  return {};
}

Awaitable<Result<void>> Connection::respond(Response response) {
  ResponseHead head;
  head.status = response.status;
  head.headers = std::move(response.headers);
  if (!response.content_type.empty()) head.headers.add("Content-Type", response.content_type);
  if (auto composed = compose_head(head, response.body.size()); !composed)
    co_return Failure(composed.error());
  response_ = ResponsePhase::done;
  const bool with_body = !head_only_ && status_has_body(response.status);
  std::array<iovec, 2> pieces{};
  std::size_t count = 1;
  if (with_body && response.body.size() <= kCopyBody) {
    output_.append(response.body);
  } else if (with_body) {
    pieces[1] = piece_of(response.body);
    count = 2;
  }
  pieces[0] = piece_of(output_);
  co_return co_await send({pieces.data(), count});
}

Awaitable<Result<void>> Connection::start(const ResponseHead& head,
                                          std::optional<std::uint64_t> length) {
  if (auto composed = prepare(head, length); !composed) co_return Failure(composed.error());
  co_return co_await flush_head();
}

Result<void> Connection::prepare(const ResponseHead& head, std::optional<std::uint64_t> length) {
  auto composed = compose_head(head, length);
  head_pending_ = composed.has_value();
  return composed;
}

Awaitable<Result<void>> Connection::flush_head() {
  if (!std::exchange(head_pending_, false)) co_return Result<void>{};
  iovec piece = piece_of(output_);
  co_return co_await send({&piece, 1});
}

Awaitable<Result<void>> Connection::write(std::span<iovec> pieces) {
  if (response_ != ResponsePhase::body) co_return fail(std::string(msg::kNetNotStarted));
  std::size_t size = 0;
  for (const iovec& piece : pieces) size += piece.iov_len;
  if (size == 0) co_return Result<void>{};
  if (counted_) {
    if (size > body_left_) co_return fail(std::string(msg::kNetWrongLength));
    body_left_ -= size;
  }
  if (head_only_) co_return co_await flush_head();
  if (!chunked_ && !head_pending_) co_return co_await send(pieces);
  // One chunk for all pieces: its size in front, CR LF behind, and the head before it all.
  std::array<iovec, kMaxPieces + 3> framed;
  char line[18];
  std::size_t count = 0;
  if (std::exchange(head_pending_, false)) framed[count++] = piece_of(output_);
  if (chunked_) framed[count++] = {line, write_chunk_size(line, size)};
  for (const iovec& piece : pieces) framed[count++] = piece;
  if (chunked_) framed[count++] = piece_of("\r\n");
  co_return co_await send({framed.data(), count});
}

Awaitable<Result<void>> Connection::finish() {
  if (response_ != ResponsePhase::body) co_return fail(std::string(msg::kNetNotStarted));
  if (counted_ && body_left_ > 0 && !head_only_) co_return fail(std::string(msg::kNetWrongLength));
  response_ = ResponsePhase::done;
  if (!chunked_ || head_only_) co_return co_await flush_head();
  std::array<iovec, 2> pieces{};
  std::size_t count = 0;
  if (std::exchange(head_pending_, false)) pieces[count++] = piece_of(output_);
  pieces[count++] = piece_of(kLastChunk);
  co_return co_await send({pieces.data(), count});
}

// --- tunnels ------------------------------------------------------------------------------------

Awaitable<Result<void>> Connection::switch_protocol(const ResponseHead& head) {
  if (response_ != ResponsePhase::none) co_return fail(std::string(msg::kNetAlreadyAnswered));
  output_.clear();
  if (auto written = write_response_head(output_, head); !written) co_return written;
  output_.append("\r\n");
  response_ = ResponsePhase::done;
  close_after_ = true;
  // Who reads all the time sees the end by itself; only an abort is still told.
  auto gone = std::move(gone_);
  stop_watching();
  gone_ = std::move(gone);
  iovec piece = piece_of(output_);
  co_return co_await send({&piece, 1});
}

Awaitable<Result<std::string_view>> Connection::read_raw() {
  if (input_.empty()) {
    if (input_.capacity() < kRawBuffer) input_.reserve(kRawBuffer);
    reading_ = true;
    const IoResult got = co_await stream_.read_some(input_.tail(), input_.tail_room());
    reading_ = false;
    if (got.error != 0) co_return gone();
    input_.added(got.size);
  }
  const std::string_view piece = input_.data();
  input_.consume(piece.size());
  co_return piece;
}

}  // namespace estiva::net
