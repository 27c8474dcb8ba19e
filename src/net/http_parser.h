// Strict HTTP/1.x head parser without I/O. The only part of the product behind which Beast stands.
// It refuses whatever two parsers could read differently (request smuggling): see kRefusals in the
// tests for the list. Bodies are taken apart by body_decoder.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/message.h"

namespace estiva::net {

enum class ParseError : std::uint8_t {
  none,
  too_large,            // the header exceeds the limit                      431
  bad_line_ending,      // bare CR or bare LF                                400
  bad_start_line,       // method, target, version or status malformed       400
  bad_version,          // not HTTP/1.0 or HTTP/1.1                          505
  bad_field,            // name or value with a forbidden character          400
  folded_field,         // obs-fold                                          400
  space_before_colon,   //                                                   400
  bad_length,           // Content-Length not one plain number, or twice     400
  bad_transfer_coding,  // not exactly "chunked", twice, or in HTTP/1.0      501 or 400
  length_and_coding,    // Content-Length together with Transfer-Encoding    400
  bad_host,             // HTTP/1.1 without Host, or more than one           400
  too_many_fields,      //                                                   431
  bad_chunk,            // chunk size, line ending or trailer malformed      400
  body_too_large,       //                                                   413
  truncated,            // the connection ended inside the message
};

// One sentence for a person, and the status a server answers with.
std::string_view parse_error_text(ParseError error);
int parse_error_status(ParseError error);

inline constexpr std::size_t kMaxFields = 128;

// Finds the end of the header block in growing input without scanning a byte twice.
class HeadFinder {
 public:
  // `input` is everything received of this message so far (it may only grow between calls).
  // Returns the size of the block with its blank line, 0 when more is needed.
  std::size_t find(std::string_view input);
  void reset() { scanned_ = from_ = 0; }

 private:
  std::size_t scanned_ = 0;  // start of the line not yet judged
  std::size_t from_ = 0;     // where to look for its end
};

struct RequestParse {
  ParseError error = ParseError::none;
  BodyInfo body;
  bool keep_alive = true;
  bool expects_continue = false;
};

// Parses one whole header block (from the start line to the blank line, as HeadFinder found it).
// `head` is overwritten and keeps its memory. Never throws but for want of memory.
RequestParse parse_request(std::string_view block, RequestHead& head);

struct ResponseParse {
  ParseError error = ParseError::none;
  BodyInfo body;
  bool keep_alive = true;
};

// `head_request`: the response to a HEAD request has no body whatever its fields say.
ResponseParse parse_response(std::string_view block, bool head_request, ResponseHead& head);

}  // namespace estiva::net
