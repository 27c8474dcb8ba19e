// The response parser, to a HEAD request and to others, and the reader of event streams.
#include <cstdint>
#include <cstdlib>

#include "net/head_writer.h"
#include "net/http_parser.h"
#include "net/sse.h"

using namespace estiva::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  HeadFinder finder;
  const std::size_t block = finder.find(input);
  if (block > 0) {
    ResponseHead head;
    for (const bool to_head : {false, true})
      if (parse_response(input.substr(0, block), to_head, head).error == ParseError::none) {
        std::string out;
        if (!write_response_head(out, head)) abort();
      }
  }
  EventReader reader(1 << 16);
  if (!reader.feed(input)) return 0;
  while (const auto event = reader.next())
    if (event->name.find('\n') != std::string::npos) abort();
  return 0;
}
