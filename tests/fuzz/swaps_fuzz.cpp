// /proc/swaps and octal escapes.
#include "format/mounts.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (parse_swaps(text).size() > 64) __builtin_trap();
  if (undo_octal_escapes(text).size() > text.size()) __builtin_trap();
  return 0;
}
