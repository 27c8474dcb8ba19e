// estiva.toml: a value, or a sentence that can be printed.
#include "format/settings.h"
#include "format/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = parse_settings(text, "f");
  if (!settings &&
      (settings.error().what.empty() || !estiva::format::is_utf8(settings.error().what))) {
    __builtin_trap();
  }
  return 0;
}
