// Sizes, durations and addresses: no crash, and what is accepted survives a round trip.
#include <cstdlib>

#include "format/listen.h"
#include "format/size.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto bytes = parse_size(text);
  if (bytes && parse_size(format_size(*bytes)).value() != *bytes) std::abort();
  const auto span = parse_duration(text);
  if (span && parse_duration(format_duration(*span)).value() > *span) std::abort();
  (void)parse_seconds(text);
  (void)parse_mib_count(text);
  (void)parse_size_or_zero(text);
  (void)parse_listen(text);
  return 0;
}
