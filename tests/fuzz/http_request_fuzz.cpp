// The request parser: never crashes, and what it accepts has one framing and prints back to the
// same fields.
#include <cstdint>
#include <cstdlib>

#include "net/head_writer.h"
#include "net/http_parser.h"
#include "net/target.h"

using namespace estiva::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  HeadFinder finder;
  const std::size_t block = finder.find(input);
  if (block == 0) return 0;
  RequestHead head;
  if (parse_request(input.substr(0, block), head).error != ParseError::none) return 0;
  if (head.headers.count("content-length") + head.headers.count("transfer-encoding") > 1) abort();
  (void)parse_target(head.target);
  std::string out;
  if (!write_request_head(out, head)) abort();
  out += "\r\n";
  RequestHead again;
  if (parse_request(out, again).error != ParseError::none) abort();
  if (again.target != head.target || again.headers.size() != head.headers.size()) abort();
  return 0;
}
