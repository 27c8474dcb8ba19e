// Compose files: whatever is changed is told, is YAML again, and has nothing more to change.
#include "format/compose_to_cdi.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const ComposeAsk ask : {ComposeAsk::legacy, ComposeAsk::cdi_driver}) {
    const auto result = compose_to_cdi(text, ask);
    if (!result) {
      if (result.error().what.empty()) __builtin_trap();
      continue;
    }
    if (result->changes.empty() != (result->text == text)) __builtin_trap();
    const auto again = compose_to_cdi(result->text, ask);
    if (!again || !again->changes.empty()) __builtin_trap();
  }
  return 0;
}
