#include "net/fetch.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/messages/net.h"
#include "net/body_decoder.h"
#include "net/client_impl.h"
#include "net/http_parser.h"
#include "net/input_buffer.h"
#include "net/socket.h"

namespace estiva::net {
namespace {

using std::chrono::milliseconds;
constexpr std::size_t kReadSize = 64 << 10;

// One exchange on one connection, blocking in poll(2).
class Fetcher {
 public:
  Fetcher(const Endpoint& endpoint, const FetchLimits& limits) : to_(endpoint), limits_(limits) {}

  Result<void> start(const ClientRequest& request);
  Result<void> read_head();
  // The next piece of the body, empty at the end; without waiting also where none is there now.
  Result<std::string_view> read_some(bool waits = true);
  bool at_end() const { return body_.done(); }
  int fd() const { return fd_.get(); }
  Result<std::string> read_body();
  void set_deadline(milliseconds from_now) {
    deadline_ = steady_now() + from_now;
    allowed_ = from_now;
  }
  ResponseHead head;

 private:
  Result<void> connect();
  Result<void> send(std::string_view text);
  enum class Filled { more, ended, nothing };  // nothing: only without waiting
  Result<Filled> fill(bool waits = true);
  Result<void> wait(short events, std::string_view too_slow);
  Failure malformed(ParseError error) const {
    return fail(
        fmt::format(fmt::runtime(msg::kNetBadResponse), to_text(to_), parse_error_text(error)));
  }

  const Endpoint& to_;
  const FetchLimits& limits_;
  UniqueFd fd_;
  SteadyTime deadline_;
  milliseconds allowed_{};
  InputBuffer input_;
  BodyDecoder body_;
  bool head_request_ = false;
};

Result<void> Fetcher::wait(short events, std::string_view too_slow) {
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - steady_now());
    pollfd query[] = {{fd_.get(), events, 0}, {limits_.beside, POLLIN, 0}};
    const int ready =
        left.count() <= 0
            ? 0
            : poll(query, 2, static_cast<int>(std::min<std::int64_t>(left.count() + 1, 1 << 30)));
    if (ready > 0 && query[1].revents != 0 && limits_.stops && limits_.stops())
      return fail(ErrorKind::refused, std::string(msg::kFetchStopped));
    if (ready > 0 && query[0].revents != 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("poll", errno);
    if (ready == 0 && left.count() <= 0)
      return fail(ErrorKind::timed_out,
                  fmt::format(fmt::runtime(too_slow), to_text(to_), allowed_.count()));
  }
}

Result<void> Fetcher::connect() {
  set_deadline(limits_.connect_time);
  auto fd = start_connect(to_);
  if (!fd) return Failure(fd.error());
  fd_ = std::move(*fd);
  if (to_.kind == Endpoint::Kind::unix_socket) return {};
  if (auto ready = wait(POLLOUT, msg::kNetConnectTimedOut); !ready) return ready;
  return connect_result(fd_.get(), to_);
}

Result<void> Fetcher::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto ready = wait(POLLOUT, msg::kNetResponseTimedOut); !ready) return ready;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return {};  // the server may have answered before it closed: read what it said
    } else if (errno != EINTR) {
      return connect_failure(to_, errno);
    }
  }
  return {};
}

Result<void> Fetcher::start(const ClientRequest& request) {
  if (auto connected = connect(); !connected) return connected;
  set_deadline(limits_.total_time);
  RequestHead out;
  out.method = request.method;
  out.target = request.target;
  out.headers = request.headers;
  out.headers.set("Connection", "close");
  head_request_ = request.method == "HEAD";
  const bool has_body = !request.body.empty() || out.method == "POST" || out.method == "PUT";
  auto text = request_text(to_, out, request.body.size(), has_body);
  if (!text) return Failure(text.error());
  text->append(request.body);
  return send(*text);
}

Result<Fetcher::Filled> Fetcher::fill(bool waits) {
  if (input_.tail_room() < kReadSize / 4) input_.reserve(input_.size() + kReadSize);
  while (true) {
    const ssize_t got = recv(fd_.get(), input_.tail(), input_.tail_room(), MSG_DONTWAIT);
    if (got > 0) {
      input_.added(static_cast<std::size_t>(got));
      return Filled::more;
    }
    if (got == 0) return Filled::ended;
    if (errno == EAGAIN) {
      if (!waits) return Filled::nothing;
      if (auto ready = wait(POLLIN, msg::kNetResponseTimedOut); !ready)
        return Failure(ready.error());
    } else if (errno != EINTR) {
      return fail_errno(fmt::format("reading the answer of {}", to_text(to_)), errno);
    }
  }
}

Result<void> Fetcher::read_head() {
  HeadFinder finder;
  while (true) {
    if (const std::size_t block = finder.find(input_.data()); block > 0) {
      const auto parsed = parse_response(input_.data().substr(0, block), head_request_, head);
      if (parsed.error != ParseError::none) return malformed(parsed.error);
      input_.consume(block);
      finder.reset();
      if (head.status / 100 == 1 && head.status != 101) continue;
      body_.start(parsed.body, limits_.body_bytes);
      return {};
    }
    if (input_.size() >= limits_.header_bytes) return malformed(ParseError::too_large);
    auto more = fill();
    if (!more) return Failure(more.error());
    if (*more == Filled::ended)
      return fail(fmt::format(fmt::runtime(msg::kNetClosedEarly), to_text(to_)));
  }
}

Result<std::string_view> Fetcher::read_some(bool waits) {
  while (true) {
    while (!body_.done()) {
      const BodyDecoder::Step step = body_.feed(input_.data());
      input_.consume(step.consumed);
      if (step.error != ParseError::none) return malformed(step.error);
      if (!step.body.empty()) return step.body;
      if (step.consumed == 0) break;
    }
    if (body_.done()) return std::string_view{};
    auto more = fill(waits);
    if (!more) return Failure(more.error());
    if (*more == Filled::nothing) return std::string_view{};
    if (*more == Filled::ended && body_.end_of_input() != ParseError::none)
      return malformed(ParseError::truncated);
  }
}

Result<std::string> Fetcher::read_body() {
  std::string whole;
  while (true) {
    auto piece = read_some();
    if (!piece) return Failure(piece.error());
    if (piece->empty()) return whole;
    whole.append(*piece);
  }
}

// What is wrong with the head of an answer that should be an event stream.
Result<void> check_stream(const Endpoint& from, const ResponseHead& head) {
  const std::string_view type = head.headers.find("content-type").value_or("no type");
  if (head.status == 200 && type.starts_with("text/event-stream")) return {};
  return fail(fmt::format(
      fmt::runtime(msg::kNetNotEventStream), to_text(from),
      head.status == 200 ? std::string(type) : fmt::format("{} {}", head.status, type)));
}

}  // namespace

Result<ClientResponse> fetch(const Endpoint& endpoint, const ClientRequest& request,
                             const FetchLimits& limits) {
  Fetcher fetcher(endpoint, limits);
  if (auto started = fetcher.start(request); !started) return Failure(started.error());
  if (auto read = fetcher.read_head(); !read) return Failure(read.error());
  auto body = fetcher.read_body();
  if (!body) return Failure(body.error());
  return ClientResponse{std::move(fetcher.head), std::move(*body)};
}

Result<ClientResponse> fetch_events(const Endpoint& endpoint, const ClientRequest& request,
                                    const std::function<bool(const Event&)>& on_event,
                                    const FetchLimits& limits) {
  FetchLimits unbounded = limits;  // a stream has no total size; each event is bounded instead
  unbounded.body_bytes = SIZE_MAX;
  Fetcher fetcher(endpoint, unbounded);
  if (auto started = fetcher.start(request); !started) return Failure(started.error());
  if (auto read = fetcher.read_head(); !read) return Failure(read.error());
  if (fetcher.head.status != 200) {
    unbounded.body_bytes = limits.body_bytes;
    auto body = fetcher.read_body();
    if (!body) return Failure(body.error());
    return ClientResponse{std::move(fetcher.head), std::move(*body)};
  }
  if (auto fine = check_stream(endpoint, fetcher.head); !fine) return Failure(fine.error());
  EventReader reader;
  while (true) {
    fetcher.set_deadline(limits.idle_time);
    auto piece = fetcher.read_some();
    if (!piece) return Failure(piece.error());
    if (piece->empty()) return ClientResponse{std::move(fetcher.head), {}};
    if (auto fed = reader.feed(*piece); !fed) return Failure(fed.error());
    while (auto event = reader.next())
      if (!on_event(*event)) return ClientResponse{std::move(fetcher.head), {}};
  }
}

struct EventStream::Impl {
  Impl(const Endpoint& endpoint, const FetchLimits& asked)
      : to(endpoint), limits(asked), fetcher(to, limits) {
    limits.body_bytes = SIZE_MAX;  // each event is bounded instead
  }
  Endpoint to;
  FetchLimits limits;
  Fetcher fetcher;  // refers to the two above
  EventReader reader;
};

EventStream::EventStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventStream::EventStream(EventStream&& other) noexcept = default;
EventStream::~EventStream() = default;

Result<EventStream> EventStream::open(const Endpoint& endpoint, const ClientRequest& request,
                                      const FetchLimits& limits) {
  auto impl = std::make_unique<Impl>(endpoint, limits);
  Fetcher& fetcher = impl->fetcher;
  if (auto started = fetcher.start(request); !started) return Failure(started.error());
  if (auto read = fetcher.read_head(); !read) return Failure(read.error());
  if (auto fine = check_stream(endpoint, fetcher.head); !fine) return Failure(fine.error());
  return EventStream(std::move(impl));
}

int EventStream::fd() const {
  return impl_->fetcher.fd();
}

Result<std::optional<Event>> EventStream::take() {
  while (true) {
    if (auto event = impl_->reader.next()) return event;
    auto piece = impl_->fetcher.read_some(false);
    if (!piece) return Failure(piece.error());
    if (piece->empty() && impl_->fetcher.at_end())
      return fail(fmt::format(fmt::runtime(msg::kNetStreamEnded), to_text(impl_->to)));
    if (piece->empty()) return std::nullopt;
    if (auto fed = impl_->reader.feed(*piece); !fed) return Failure(fed.error());
  }
}

}  // namespace estiva::net
