#include "gateway/body.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/messages/gateway.h"

namespace estiva::gateway {
namespace {

// A body this small goes to the engine with its head, in one piece.
constexpr std::uint64_t kSmall = 64 << 10;
constexpr std::size_t kFilePiece = 256 << 10;

Refusal refuse(int status, std::string what, std::string reason = "bad-request") {
  return {status, std::move(what), {}, std::move(reason), {}};
}

UniqueFd open_nameless(const std::string& folder) {
  UniqueFd file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  std::string name = folder + "/estiva-body-XXXXXX";  // a file system without O_TMPFILE
  file.reset(mkostemp(name.data(), O_CLOEXEC));
  if (file) unlink(name.c_str());
  return file;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Refusal fault_of(const Error& error) {
  if (error.kind == ErrorKind::timed_out) return refuse(408, error.what, "too-slow");
  if (error.kind == ErrorKind::usage) return refuse(400, error.what);
  return {};  // hung up
}

bool Body::is_small() const {
  const net::BodyInfo& info = exchange_.body_info();
  return info.framing == net::Framing::length ? info.length <= kSmall : kept_ < kSmall;
}

bool Body::needs_more() const {
  if (is_complete_) return false;
  return field_ == format::ModelField::more || is_small() ||
         (looks_for_stream_ && !scanner_->wants_stream() && kept_ < limits_.in_memory);
}

net::Awaitable<std::optional<Refusal>> Body::find_model(bool looks_for_stream) {
  looks_for_stream_ = looks_for_stream;
  const net::Headers& headers = exchange_.request().headers;
  if (const auto coding = headers.find("content-encoding");
      coding && !net::same_token(*coding, "identity"))
    co_return refuse(415, fmt::format(msg::kGatewayCoded, *coding));
  scanner_ = format::scan_model(headers.find("content-type").value_or(""));
  if (!scanner_) co_return refuse(400, msg::kGatewayNoBoundary);
  if (exchange_.body_info().framing == net::Framing::none)
    co_return refuse(400, msg::kGatewayNoBody, "no-model");
  if (exchange_.body_info().length <= kSmall) memory_.reserve(exchange_.body_info().length);
  while (needs_more()) {
    if (auto fault = co_await take_piece()) co_return fault;
  }
  if (is_complete_) field_ = scanner_->finish();
  co_return judge(field_);
}

net::Awaitable<std::optional<Refusal>> Body::take_piece() {
  auto piece = co_await exchange_.read_some();
  if (!piece) co_return fault_of(piece.error());
  if (piece->empty()) {
    is_complete_ = true;
    co_return std::nullopt;
  }
  field_ = scanner_->feed(*piece);
  if (field_ != format::ModelField::more && field_ != format::ModelField::found)
    co_return judge(field_);
  co_return keep(*piece);
}

std::optional<Refusal> Body::judge(format::ModelField field) const {
  switch (field) {
    case format::ModelField::found:
      return std::nullopt;
    case format::ModelField::ambiguous:
      return refuse(400, msg::kGatewayTwoModels, "two-models");
    case format::ModelField::no_name:
      return refuse(400, msg::kGatewayNoName, "no-model");
    case format::ModelField::malformed:
      return refuse(400, msg::kGatewayNoJson);
    default:
      return refuse(400, msg::kGatewayNoModel, "no-model");
  }
}

std::optional<Refusal> Body::keep(std::string_view piece) {
  kept_ += piece.size();
  if (kept_ > limits_.kept)
    return refuse(413, fmt::format(msg::kGatewayBodyLarge, limits_.kept), "too-large");
  if (!file_ && memory_.size() + piece.size() <= limits_.in_memory) {
    memory_.append(piece);
    return std::nullopt;
  }
  if (!file_) file_ = open_nameless(limits_.folder);
  if (!file_ || !write_all(file_.get(), piece))
    return refuse(503, fmt::format(msg::kGatewayNoDisk, limits_.folder, std::strerror(errno)),
                  "no-disk");
  return std::nullopt;
}

void Body::rename_model(std::string_view name) {
  replacement_ = scanner_->written(name);
  if (!is_complete_ || file_ || kept_ > kSmall) return;
  renamed_.reserve(memory_.size() + replacement_->size());
  renamed_.append(memory_, 0, scanner_->begin()).append(*replacement_);
  renamed_.append(memory_, scanner_->end());
}

std::optional<std::uint64_t> Body::length() const {
  const net::BodyInfo& info = exchange_.body_info();
  if (!is_complete_ && info.framing != net::Framing::length) return std::nullopt;
  const std::uint64_t size = is_complete_ ? kept_ : info.length;
  if (!replacement_) return size;
  return size - (scanner_->end() - scanner_->begin()) + replacement_->size();
}

std::optional<std::string_view> Body::whole() const {
  if (!is_complete_ || file_ || kept_ > kSmall) return std::nullopt;
  return replacement_ ? std::string_view(renamed_) : std::string_view(memory_);
}

// What was kept up to the model's value, the new value, the rest of what was kept, and then what
// still comes.
net::Awaitable<Result<std::string_view>> Body::next() {
  const bool is_before = replacement_ && !is_replaced_;
  if (is_before && sent_ == scanner_->begin()) {
    is_replaced_ = true;
    sent_ = scanner_->end();
    co_return std::string_view(*replacement_);
  }
  const std::uint64_t end = is_before ? scanner_->begin() : kept_;
  if (sent_ < end) {
    auto piece = read_kept(sent_, end);
    if (piece) sent_ += piece->size();
    co_return piece;
  }
  if (is_complete_) co_return std::string_view{};
  auto piece = co_await take_in_time();
  if (!piece || piece->empty()) co_return piece;
  if (scanner_->feed(*piece) == format::ModelField::ambiguous)
    co_return fail(ErrorKind::usage, msg::kGatewayTwoModels);
  co_return piece;
}

// Only the time in which the client is waited for counts: an engine that takes its time is not the
// client's fault.
net::Awaitable<Result<std::string_view>> Body::take_in_time() {
  const SteadyTime begun = steady_now();
  auto piece = co_await exchange_.read_some();
  waited_ += steady_now() - begun;
  if (!piece) co_return piece;
  came_ += piece->size();
  const double seconds = static_cast<double>(came_) / static_cast<double>(limits_.least_a_second);
  if (waited_ > limits_.upload_grace + std::chrono::duration<double>(seconds))
    co_return fail(ErrorKind::timed_out, msg::kGatewayUploadSlow);
  co_return piece;
}

// At least one byte of [from, to).
Result<std::string_view> Body::read_kept(std::uint64_t from, std::uint64_t to) {
  if (from < memory_.size()) {
    const std::uint64_t end = std::min<std::uint64_t>(to, memory_.size());
    return std::string_view(memory_).substr(from, end - from);
  }
  buffer_.resize(kFilePiece);
  const std::size_t wanted = std::min<std::uint64_t>(kFilePiece, to - from);
  const ssize_t got =
      pread(file_.get(), buffer_.data(), wanted, static_cast<off_t>(from - memory_.size()));
  if (got <= 0) return fail_errno(msg::kGatewayReadingBack, got < 0 ? errno : EIO);
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
}

}  // namespace estiva::gateway
