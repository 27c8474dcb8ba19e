// Pressure files: shares stay between 0 and 1.
#include "format/psi.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pressure = parse_pressure(text);
  if (pressure.some && !(pressure.some->avg10.value >= 0 && pressure.some->avg10.value <= 1)) {
    __builtin_trap();
  }
  return 0;
}
