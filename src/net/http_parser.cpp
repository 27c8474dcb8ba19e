// Two readers look at every header block. The first is ours: one pass over the bytes that refuses
// everything RFC 9112 lets a recipient be lenient about (line endings, folding, blanks around
// names, control characters, framing given twice). The second is Beast's basic_parser, which checks
// the grammar and takes the fields apart. A block must please both.
#include "net/http_parser.h"

#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

namespace estiva::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view view(BeastView text) {
  return {text.data(), text.size()};
}

enum CharClass : std::uint8_t { kToken = 1, kValue = 2, kTarget = 4, kHost = 8, kDigit = 16 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> t{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto in = [c](std::string_view set) {
      return c != 0 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (alnum || in("!#$%&'*+-.^_`|~")) t[c] |= kToken;                // RFC 9110 section 5.6.2
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) t[c] |= kValue;         // VCHAR, blank, obs-text
    if (c > 0x20 && c < 0x7f && !in("#<>\"\\^`{|}")) t[c] |= kTarget;  // RFC 3986, with its '%'
    if (alnum || in("-._~%!$&'()*+,;=:[]")) t[c] |= kHost;             // RFC 3986 section 3.2.2
    if (c >= '0' && c <= '9') t[c] |= kDigit;
  }
  return t;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

bool is(char c, CharClass wanted) {
  return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

bool all(std::string_view text, CharClass wanted) {
  for (const char c : text)
    if (!is(c, wanted)) return false;
  return true;
}

// What the first pass learns about the fields that decide where the body ends and who is asked.
struct Scan {
  ParseError error = ParseError::none;
  std::size_t lengths = 0, codings = 0, hosts = 0, fields = 0;
};

ParseError scan_field(std::string_view line, Scan& scan) {
  if (line.front() == ' ' || line.front() == '\t') return ParseError::folded_field;
  std::size_t colon = 0;
  while (colon < line.size() && is(line[colon], kToken)) ++colon;
  if (colon == line.size() || colon == 0) return ParseError::bad_field;
  if (line[colon] == ' ' || line[colon] == '\t') return ParseError::space_before_colon;
  if (line[colon] != ':' || !all(line.substr(colon + 1), kValue)) return ParseError::bad_field;
  if (++scan.fields > kMaxFields) return ParseError::too_many_fields;
  const std::string_view name = line.substr(0, colon);
  if (name.size() == 14 && same_token(name, "content-length")) ++scan.lengths;
  if (name.size() == 17 && same_token(name, "transfer-encoding")) ++scan.codings;
  if (name.size() == 4 && same_token(name, "host")) ++scan.hosts;
  return ParseError::none;
}

ParseError scan_start_line(std::string_view line) {
  return line.empty() || !all(line, kValue) ? ParseError::bad_start_line : ParseError::none;
}

Scan scan_block(std::string_view block) {
  Scan scan;
  bool first = true;
  while (!block.empty() && scan.error == ParseError::none) {
    const std::size_t lf = block.find('\n');
    const std::string_view line = block.substr(0, lf == 0 ? 0 : lf - 1);
    const bool is_ended = lf != std::string_view::npos && lf > 0 && block[lf - 1] == '\r' &&
                          line.find('\r') == std::string_view::npos;
    const bool is_blank = line.empty() && !first;
    const bool is_last = lf + 1 == block.size();
    if (!is_ended || (is_blank && !is_last)) {
      scan.error = ParseError::bad_line_ending;
    } else if (first) {
      scan.error = scan_start_line(line);
    } else if (!is_blank) {
      scan.error = scan_field(line, scan);
    }
    first = false;
    block.remove_prefix(lf == std::string_view::npos ? block.size() : lf + 1);
  }
  if (scan.error != ParseError::none) return scan;
  if (scan.lengths > 0 && scan.codings > 0) scan.error = ParseError::length_and_coding;
  if (scan.lengths > 1) scan.error = ParseError::bad_length;
  if (scan.codings > 1) scan.error = ParseError::bad_transfer_coding;
  return scan;
}

// At most 18 digits: far beyond any body, and no overflow to think about.
bool parse_length(std::string_view value, std::uint64_t& length) {
  if (value.empty() || value.size() > 18 || !all(value, kDigit)) return false;
  length = 0;
  for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  return true;
}

ParseError translate(const error_code& ec) {
  using E = http::error;
  if (ec == E::bad_version) return ParseError::bad_version;
  if (ec == E::bad_content_length || ec == E::multiple_content_length)
    return ParseError::bad_length;
  if (ec == E::bad_transfer_encoding) return ParseError::bad_transfer_coding;
  if (ec == E::bad_method || ec == E::bad_target || ec == E::bad_status || ec == E::bad_reason)
    return ParseError::bad_start_line;
  if (ec == E::bad_line_ending) return ParseError::bad_line_ending;
  if (ec == E::header_limit) return ParseError::too_large;
  return ParseError::bad_field;
}

// Collects what Beast finds. Bodies never get here: only the header block is put in.
template <bool kRequest, class Head>
class Collector final : public http::basic_parser<kRequest> {
 public:
  explicit Collector(Head& head) : head_(head) {
    head_.headers.clear();
    this->header_limit(UINT32_MAX);
    this->body_limit(boost::none);
  }

  ParseError run(std::string_view block) {
    error_code ec;
    const std::size_t used = this->put(boost::asio::const_buffer(block.data(), block.size()), ec);
    if (ec) return own_ != ParseError::none ? own_ : translate(ec);
    if (used != block.size() || !this->is_header_done()) return ParseError::bad_field;
    return ParseError::none;
  }

  BodyInfo info;

 private:
  void refuse(ParseError error, error_code& ec) {
    own_ = error;
    ec = http::error::bad_field;
  }

  void on_request_impl(http::verb, BeastView method, BeastView target, int version,
                       error_code& ec) override {
    if constexpr (kRequest) {
      head_.method = view(method);
      head_.target = view(target);
      head_.http_1_0 = version == 10;
      const bool star = head_.target == "*" && head_.method == "OPTIONS";
      // Only the origin form: what a proxy form would name is not ours to serve, and two readers
      // may disagree on whether it or Host counts.
      if ((!star && head_.target.front() != '/') || !all(head_.target, kTarget))
        refuse(ParseError::bad_start_line, ec);
    }
  }

  void on_response_impl(int status, BeastView reason, int version, error_code& ec) override {
    if constexpr (!kRequest) {
      head_.status = status;
      head_.reason = view(reason);
      head_.http_1_0 = version == 10;
      if (status < 100 || status > 599) refuse(ParseError::bad_start_line, ec);
    }
  }

  void on_field_impl(http::field known, BeastView name, BeastView value, error_code& ec) override {
    const std::string_view text = view(value);
    if (known == http::field::content_length) {
      info.framing = Framing::length;
      if (!parse_length(text, info.length)) return refuse(ParseError::bad_length, ec);
    } else if (known == http::field::transfer_encoding) {
      info.framing = Framing::chunked;
      if (head_.http_1_0 || !same_token(text, "chunked"))
        return refuse(ParseError::bad_transfer_coding, ec);
    } else if (kRequest && known == http::field::host && !all(text, kHost)) {
      return refuse(ParseError::bad_host, ec);
    }
    head_.headers.add(view(name), text);
  }

  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastView, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  Head& head_;
  ParseError own_ = ParseError::none;
};

}  // namespace

std::size_t HeadFinder::find(std::string_view input) {
  // A blank line is an LF at the start of a line, with or without CR before it: the parser then
  // refuses the wrong ones at once instead of waiting for more.
  while (scanned_ < input.size()) {
    const std::size_t start = scanned_;
    if (input[start] == '\n') return start + 1;
    if (input[start] == '\r') {
      if (start + 1 == input.size()) return 0;
      if (input[start + 1] == '\n') return start + 2;
    }
    const void* lf = std::memchr(input.data() + from_, '\n', input.size() - from_);
    if (lf == nullptr) {
      from_ = input.size();
      return 0;
    }
    scanned_ = from_ = static_cast<std::size_t>(static_cast<const char*>(lf) - input.data()) + 1;
  }
  return 0;
}

RequestParse parse_request(std::string_view block, RequestHead& head) {
  RequestParse result;
  Scan scan = scan_block(block);
  if (scan.error != ParseError::none) return result.error = scan.error, result;
  Collector<true, RequestHead> parser(head);
  result.error = parser.run(block);
  if (result.error != ParseError::none) return result;
  if (scan.hosts > 1 || (scan.hosts == 0 && !head.http_1_0)) result.error = ParseError::bad_host;
  result.body = parser.info;
  if (result.body.framing == Framing::length && result.body.length == 0) result.body = {};
  result.keep_alive = parser.keep_alive();
  const auto expect = head.headers.find("expect");
  result.expects_continue = expect && !head.http_1_0 && same_token(*expect, "100-continue");
  return result;
}

ResponseParse parse_response(std::string_view block, bool head_request, ResponseHead& head) {
  ResponseParse result;
  const Scan scan = scan_block(block);
  if (scan.error != ParseError::none) return result.error = scan.error, result;
  Collector<false, ResponseHead> parser(head);
  if (head_request) parser.skip(true);
  result.error = parser.run(block);
  if (result.error != ParseError::none) return result;
  const int status = head.status;
  result.keep_alive = parser.keep_alive() && status != 101;
  if (head_request || status / 100 == 1 || status == 204 || status == 304) return result;
  result.body = parser.info;
  if (result.body.framing == Framing::none) result.body.framing = Framing::until_close;
  return result;
}

}  // namespace estiva::net
