#include <cstdlib>

#include "format/unit_file.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = estiva::format::parse_unit_file(text);
  if (file.entries.size() > estiva::format::kMaxUnitEntries) std::abort();
  for (const auto& entry : file.entries) {
    if (entry.section.empty() || entry.line == 0) std::abort();
    const auto words = estiva::format::unit_words(entry.value, false);
    if (words.size() > entry.value.size()) std::abort();
    if (estiva::format::parse_exec_line(entry.value).words.size() > words.size() + 1) std::abort();
  }
  return 0;
}
