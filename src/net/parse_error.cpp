#include "base/messages/net.h"
#include "net/http_parser.h"

namespace estiva::net {

std::string_view parse_error_text(ParseError error) {
  switch (error) {
    case ParseError::none:
      return "";
    case ParseError::too_large:
      return msg::kNetHeaderTooLarge;
    case ParseError::bad_line_ending:
      return msg::kNetBadLineEnding;
    case ParseError::bad_start_line:
      return msg::kNetBadStartLine;
    case ParseError::bad_version:
      return msg::kNetBadVersion;
    case ParseError::bad_field:
      return msg::kNetBadField;
    case ParseError::folded_field:
      return msg::kNetFoldedField;
    case ParseError::space_before_colon:
      return msg::kNetSpaceBeforeColon;
    case ParseError::bad_length:
      return msg::kNetBadLength;
    case ParseError::bad_transfer_coding:
      return msg::kNetBadTransferCoding;
    case ParseError::length_and_coding:
      return msg::kNetLengthAndCoding;
    case ParseError::bad_host:
      return msg::kNetBadHost;
    case ParseError::too_many_fields:
      return msg::kNetTooManyFields;
    case ParseError::bad_chunk:
      return msg::kNetBadChunk;
    case ParseError::body_too_large:
      return msg::kNetBodyTooLarge;
    case ParseError::truncated:
      return msg::kNetTruncated;
  }
  return "";
}

int parse_error_status(ParseError error) {
  switch (error) {
    case ParseError::none:
      return 200;
    case ParseError::too_large:
    case ParseError::too_many_fields:
      return 431;
    case ParseError::body_too_large:
      return 413;
    case ParseError::bad_transfer_coding:
      return 501;
    case ParseError::bad_version:
      return 505;
    default:
      return 400;
  }
}

}  // namespace estiva::net
