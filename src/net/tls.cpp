#include "net/tls.h"

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <cerrno>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/messages/net_tls.h"

namespace estiva::net {
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
namespace {

using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

// For the client to say that it has seen the end.
constexpr std::chrono::milliseconds kGoodbye{1000};
// One TLS record at most.
constexpr std::size_t kPiece = 16 << 10;

// What tells one version of a file from the next.
struct Stamp {
  ino_t inode = 0;
  std::int64_t changed = 0, size = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};
Stamp stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size};
}

Result<void> check_private(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return fail_errno(fmt::format(msg::kTlsReading, path), errno);
  if ((info.st_mode & 0007) != 0)
    return fail(ErrorKind::refused, fmt::format(msg::kTlsKeyOpen, path), msg::kTlsKeyOpenRemedy);
  return {};
}

Failure unusable(const std::string& path, const error_code& why) {
  return fail(ErrorKind::refused, fmt::format(msg::kTlsFile, path, why.message()),
              msg::kTlsFileRemedy);
}

using Context = std::shared_ptr<ssl::context>;

Result<Context> load(const TlsFiles& files) {
  if (auto checked = check_private(files.private_key); !checked) return Failure(checked.error());
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // idle connections keep none
  error_code failed;
  // Without this OpenSSL would ask at the terminal.
  context->set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); }, failed);
  context->use_certificate_chain_file(files.certificate, failed);
  if (failed) return unusable(files.certificate, failed);
  context->use_private_key_file(files.private_key, ssl::context::pem, failed);
  if (failed) return unusable(files.private_key, failed);
  return context;
}

// One connection: encrypted outside, plain inside.
struct Tunnel {
  Tunnel(asio::io_context& io, Context with, std::shared_ptr<std::size_t> counter)
      : context(std::move(with)),
        outer(io, *context),
        inner(io),
        deadline(io),
        stall(io),
        open(std::move(counter)) {
    ++*open;
  }
  ~Tunnel() { --*open; }

  void close_after(std::chrono::milliseconds time) {
    deadline.expires_after(time);
    deadline.async_wait([this](error_code ended) {
      if (!ended) close();
    });
  }
  void close() {
    error_code ignored;
    outer.lowest_layer().close(ignored);
    inner.close(ignored);
    stall.cancel();
  }

  Context context;  // outlives the stream
  ssl::stream<Tcp::socket> outer;
  Local::socket inner;
  asio::steady_timer deadline, stall;
  std::uint64_t written = 0;  // pieces that the client's side took
  std::shared_ptr<std::size_t> open;
};
using Shared = std::shared_ptr<Tunnel>;

Awaitable<void> inwards(Shared tunnel) {
  std::array<char, kPiece> piece;
  error_code ended;
  while (!ended) {
    const std::size_t got = co_await tunnel->outer.async_read_some(
        asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ended));
    if (ended) break;
    co_await asio::async_write(tunnel->inner, asio::buffer(piece, got),
                               asio::redirect_error(asio::use_awaitable, ended));
  }
  // The server sees the end, and may still answer.
  error_code ignored;
  tunnel->inner.shutdown(Local::socket::shutdown_send, ignored);
}

Awaitable<void> outwards(Shared tunnel) {
  std::array<char, kPiece> piece;
  error_code ended;
  while (!ended) {
    const std::size_t got = co_await tunnel->inner.async_read_some(
        asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ended));
    if (ended) break;
    co_await asio::async_write(tunnel->outer, asio::buffer(piece, got),
                               asio::redirect_error(asio::use_awaitable, ended));
    ++tunnel->written;
  }
  tunnel->close_after(kGoodbye);
  co_await tunnel->outer.async_shutdown(asio::redirect_error(asio::use_awaitable, ended));
  tunnel->deadline.cancel();
  tunnel->close();
}

// The server has closed, and a client that takes nothing would keep the rest, and us, for ever.
Awaitable<void> watch_end(Shared tunnel, std::chrono::milliseconds stall_time) {
  error_code ended;
  co_await tunnel->inner.async_wait(Local::socket::wait_error,
                                    asio::redirect_error(asio::use_awaitable, ended));
  std::uint64_t seen = 0;
  do {
    if (!tunnel->inner.is_open()) co_return;
    seen = tunnel->written;
    tunnel->stall.expires_after(stall_time);
    co_await tunnel->stall.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  } while (tunnel->written != seen);
  tunnel->close();
}

Awaitable<void> serve(Loop& loop, Shared tunnel, TlsLimits limits) {
  tunnel->close_after(limits.handshake_time);
  error_code failed;
  co_await tunnel->outer.async_handshake(ssl::stream_base::server,
                                         asio::redirect_error(asio::use_awaitable, failed));
  tunnel->deadline.cancel();
  if (failed) {
    tunnel->close();
    co_return;
  }
  loop.spawn(inwards(tunnel));
  loop.spawn(watch_end(tunnel, limits.stall_time));
  co_await outwards(tunnel);
}

}  // namespace

struct TlsFront::Impl {
  Impl(Loop& l, TlsFiles f, TlsLimits most) : loop(l), files(std::move(f)), limits(most) {}

  std::array<Stamp, 2> look() const {
    return {stamp_of(files.certificate), stamp_of(files.private_key)};
  }

  Loop& loop;
  TlsFiles files;
  TlsLimits limits;
  std::shared_ptr<std::size_t> open = std::make_shared<std::size_t>(0);
  Context context;
  std::array<Stamp, 2> seen;  // when they were read last
};

TlsFront::TlsFront(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsFront::~TlsFront() = default;

Result<std::shared_ptr<TlsFront>> TlsFront::open(Loop& loop, TlsFiles files, TlsLimits limits) {
  auto impl = std::make_unique<Impl>(loop, std::move(files), limits);
  impl->seen = impl->look();
  auto context = load(impl->files);
  if (!context) return Failure(context.error());
  impl->context = std::move(*context);
  return std::shared_ptr<TlsFront>(new TlsFront(std::move(impl)));
}

UniqueFd TlsFront::wrap(UniqueFd encrypted) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return {};
  UniqueFd ours(ends[0]), theirs(ends[1]);
  auto tunnel = std::make_shared<Tunnel>(impl_->loop.context(), impl_->context, impl_->open);
  int family = AF_INET;
  socklen_t size = sizeof family;
  getsockopt(encrypted.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
  tunnel->outer.lowest_layer().assign(family == AF_INET6 ? Tcp::v6() : Tcp::v4(),
                                      encrypted.release());
  tunnel->inner.assign(Local(), ours.release());
  impl_->loop.spawn(serve(impl_->loop, std::move(tunnel), impl_->limits));
  return theirs;
}

std::size_t TlsFront::connections() const {
  return *impl_->open;
}

Result<bool> TlsFront::reload_if_changed() {
  const auto now = impl_->look();
  if (now == impl_->seen) return false;
  impl_->seen = now;
  auto context = load(impl_->files);
  if (!context) return Failure(context.error());
  impl_->context = std::move(*context);
  return true;
}

}  // namespace estiva::net
