// CDI specs: whatever is taken is written again as a text that gives an equal value, in both
// formats.
#include "format/cdi_rules.h"
#include "format/cdi_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TextPlace place;
  const auto spec = parse_cdi_spec(text, &place);
  if (!spec) {
    if (spec.error().what.empty()) __builtin_trap();
    return 0;
  }
  for (const auto& violation : validate_cdi(*spec)) (void)cdi_place_of(text, violation.place);
  for (const std::string& again : {render_cdi_yaml(*spec), render_cdi_json(*spec)}) {
    // What aliases had made short may be too long now.
    if (again.size() > 1024 * 1024) return 0;
    const auto back = parse_cdi_spec(again);
    if (!back || !(*back == *spec)) __builtin_trap();
  }
  return 0;
}
