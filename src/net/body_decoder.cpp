#include "net/body_decoder.h"

#include <algorithm>

namespace estiva::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Text of an extension or a trailer: visible characters, blanks, obs-text. No control characters.
bool is_text(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u == '\t' || (u >= 0x20 && u != 0x7f);
}

}  // namespace

void BodyDecoder::start(BodyInfo info, std::uint64_t limit) {
  *this = {};
  limit_ = limit;
  switch (info.framing) {
    case Framing::none:
      state_ = State::done;
      break;
    case Framing::length:
      left_ = info.length;
      state_ = left_ > 0 ? State::counted : State::done;
      break;
    case Framing::chunked:
      state_ = State::size_first;
      break;
    case Framing::until_close:
      state_ = State::to_close;
      break;
  }
  if (info.framing == Framing::length && info.length > limit) too_large_ = true;
}

BodyDecoder::Step BodyDecoder::fail(ParseError error, std::size_t consumed) {
  state_ = State::failed;
  return {consumed, {}, error};
}

BodyDecoder::Step BodyDecoder::feed(std::string_view input) {
  if (too_large_) return fail(ParseError::body_too_large, 0);
  std::size_t used = 0;
  while (used < input.size() && state_ != State::done && state_ != State::failed) {
    if (state_ == State::counted || state_ == State::to_close || state_ == State::data)
      return take_body(input, used);
    if (const ParseError error = take_framing(input[used]); error != ParseError::none)
      return fail(error, used);
    ++used;
  }
  if (state_ == State::failed) return {used, {}, ParseError::bad_chunk};
  return {used, {}, ParseError::none};
}

BodyDecoder::Step BodyDecoder::take_body(std::string_view input, std::size_t used) {
  std::string_view body = input.substr(used);
  if (state_ != State::to_close) {
    body = body.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, body.size())));
    left_ -= body.size();
  }
  received_ += body.size();
  if (received_ > limit_) return fail(ParseError::body_too_large, used);
  if (left_ == 0 && state_ == State::counted) state_ = State::done;
  if (left_ == 0 && state_ == State::data) state_ = State::data_cr;
  return {used + body.size(), body, ParseError::none};
}

// One byte of chunk framing (RFC 9112 section 7.1), without its leniencies: no blanks after the
// size, CR LF only.
ParseError BodyDecoder::take_framing(char c) {
  const auto expect = [&](char wanted, State next) {
    state_ = next;
    return c == wanted ? ParseError::none : ParseError::bad_chunk;
  };
  switch (state_) {
    case State::size_first:
      line_ = digits_ = 0;
      left_ = 0;
      state_ = State::size;
      [[fallthrough]];
    case State::size:
      return take_size(c);
    case State::extension:
      if (++line_ > kMaxChunkLine) return ParseError::bad_chunk;
      if (c == '\r') state_ = State::size_lf;
      return c == '\r' || is_text(c) ? ParseError::none : ParseError::bad_chunk;
    case State::size_lf:
      line_ = 0;
      return expect('\n', left_ > 0 ? State::data : State::trailer_start);
    case State::data_cr:
      return expect('\r', State::data_lf);
    case State::data_lf:
      return expect('\n', State::size_first);
    case State::trailer_start:
      if (c == '\r') return expect('\r', State::end_lf);
      if (c == ' ' || c == '\t' || c == ':') return ParseError::bad_chunk;
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (++line_ > kMaxTrailerBytes) return ParseError::bad_chunk;
      if (c == '\r') return expect('\r', State::trailer_lf);
      return is_text(c) ? ParseError::none : ParseError::bad_chunk;
    case State::trailer_lf:
      return expect('\n', State::trailer_start);
    case State::end_lf:
      return expect('\n', State::done);
    default:
      return ParseError::bad_chunk;
  }
}

ParseError BodyDecoder::take_size(char c) {
  if (const int digit = hex_digit(c); digit >= 0) {
    if (++digits_ > 15) return ParseError::bad_chunk;  // 2^60: no overflow below
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return left_ > limit_ || received_ + left_ > limit_ ? ParseError::body_too_large
                                                        : ParseError::none;
  }
  if (digits_ == 0 || (c != ';' && c != '\r')) return ParseError::bad_chunk;
  state_ = c == ';' ? State::extension : State::size_lf;
  return ParseError::none;
}

ParseError BodyDecoder::end_of_input() {
  if (state_ == State::to_close) state_ = State::done;
  return state_ == State::done ? ParseError::none : ParseError::truncated;
}

}  // namespace estiva::net
