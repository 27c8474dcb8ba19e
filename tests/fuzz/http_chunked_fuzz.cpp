// The chunked decoder: the same bytes in one piece and byte by byte give the same body and end.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/body_decoder.h"

using namespace estiva::net;

namespace {

struct Outcome {
  std::string body;
  bool failed = false, done = false;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view input, std::size_t step) {
  BodyDecoder decoder;
  decoder.start({Framing::chunked, 0}, 1 << 20);
  Outcome out;
  std::size_t used = 0, seen = 0;
  while (seen < input.size() && !decoder.done()) {
    seen = std::min(input.size(), seen + step);
    while (used < seen && !decoder.done()) {
      const auto got = decoder.feed(input.substr(used, seen - used));
      out.body.append(got.body);
      if (got.error != ParseError::none) {
        out.failed = true;
        return out;
      }
      used += got.consumed;
      if (got.consumed == 0) break;
    }
  }
  out.done = decoder.done();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (!(decode(input, 1) == decode(input, std::max<std::size_t>(size, 1)))) abort();
  return 0;
}
