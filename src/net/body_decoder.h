// Takes the body out of the bytes that follow a head: counted, chunked or until the connection
// ends. No I/O, no copy: it says which part of the input is body.
#pragma once
#include <cstdint>
#include <string_view>

#include "net/http_parser.h"
#include "net/message.h"

namespace estiva::net {

// Chunk-size line with its extensions, and all trailers together, are bounded.
inline constexpr std::size_t kMaxChunkLine = 256;
inline constexpr std::size_t kMaxTrailerBytes = 8 << 10;

class BodyDecoder {
 public:
  // `limit`: the most body bytes accepted; beyond is body_too_large.
  void start(BodyInfo info, std::uint64_t limit);

  struct Step {
    std::size_t consumed = 0;  // input bytes used up, framing included
    std::string_view body;     // the part of the input that is body; may be empty
    ParseError error = ParseError::none;
  };
  // Uses up as much of `input` as yields one piece of body (or all framing there is). Call again
  // with the rest; consumed == 0 without error means more input is needed, or done().
  Step feed(std::string_view input);
  // The connection ended: `truncated` unless the body was complete or runs until the close.
  ParseError end_of_input();
  bool done() const { return state_ == State::done; }
  std::uint64_t received() const { return received_; }

 private:
  enum class State : std::uint8_t {
    counted,
    to_close,
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    failed
  };
  Step fail(ParseError error, std::size_t consumed);
  Step take_body(std::string_view input, std::size_t used);
  ParseError take_framing(char c);
  ParseError take_size(char c);
  State state_ = State::done;
  std::uint64_t left_ = 0, received_ = 0, limit_ = 0;
  std::size_t line_ = 0, digits_ = 0;
  bool too_large_ = false;
};

}  // namespace estiva::net
