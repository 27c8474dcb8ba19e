// The body of a request: read until its model is known, and then passed on byte for byte, but for
// the model's name where the engine calls it otherwise. What was read meanwhile is kept, a little
// in memory and more in a file without a name. Once the model is known the rest streams through,
// looked at only for a second model; a small body is read whole first, so that a slow client holds
// no place at a model. Loop thread only.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "format/model_field.h"
#include "gateway/refusal.h"
#include "net/exchange.h"
#include "net/relay.h"

namespace estiva::gateway {

struct BodyLimits {
  std::uint64_t kept = std::uint64_t{128} << 20;  // until the model is known: 413 beyond
  std::size_t in_memory = 1 << 20;                // the rest of it goes to the file
  std::string folder = "/tmp";                    // for the file
  // A client that has a place at a model sends at least so much in each second of waiting for it,
  // once the grace is over: else 408, and the place is another's.
  std::uint64_t least_a_second = 64 << 10;
  std::chrono::milliseconds upload_grace = std::chrono::seconds(30);
};

// What the client did wrong while it sent its body, by the error of reading it. An empty `what`: it
// hung up.
Refusal fault_of(const Error& error);

class Body final : public net::RelayBody {
 public:
  Body(net::Exchange& exchange, const BodyLimits& limits) : exchange_(exchange), limits_(limits) {}

  // Reads until the model is known. What is returned is to be answered; an empty `what` means that
  // the client hung up. Call once.
  net::Awaitable<std::optional<Refusal>> find_model(bool looks_for_stream);
  const std::string& model() const { return scanner_->name(); }
  // The member "stream" of what was read is true. All of a body that is not too large is read for
  // that where comments were asked for.
  bool wants_stream() const { return scanner_->wants_stream(); }
  // Writes this name into the body instead. Before anything of it is sent.
  void rename_model(std::string_view name);

  std::optional<std::uint64_t> length() const override;
  std::optional<std::string_view> whole() const override;
  net::Awaitable<Result<std::string_view>> next() override;

 private:
  net::Awaitable<std::optional<Refusal>> take_piece();
  net::Awaitable<Result<std::string_view>> take_in_time();
  std::optional<Refusal> judge(format::ModelField field) const;
  std::optional<Refusal> keep(std::string_view piece);
  Result<std::string_view> read_kept(std::uint64_t from, std::uint64_t to);
  bool is_small() const;
  bool needs_more() const;

  net::Exchange& exchange_;
  const BodyLimits& limits_;
  std::unique_ptr<format::ModelScanner> scanner_;
  format::ModelField field_ = format::ModelField::more;
  std::string memory_;  // the first bytes
  UniqueFd file_;       // those after
  std::uint64_t kept_ = 0;
  bool looks_for_stream_ = false;
  bool is_complete_ = false;                // all of the body is kept
  std::optional<std::string> replacement_;  // of the model's value
  std::string renamed_;                     // a whole small body with it
  std::uint64_t sent_ = 0;  // of what is kept; the value counts when it was replaced
  bool is_replaced_ = false;
  std::string buffer_;      // of what comes back from the file
  std::uint64_t came_ = 0;  // since next() was called first, and how long it was waited for
  Nanoseconds waited_{0};
};

}  // namespace estiva::gateway
