// A settings file that was written for a shell, as anybody may have written it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "format/shell_settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = estiva::format::read_shell_settings({reinterpret_cast<const char*>(data), size},
                                                        {{"HOME", "/home/ana"}});
  for (const auto& setting : read.settings)
    if (setting.name.empty() || setting.place.line == 0) std::abort();
  for (const auto& refusal : read.refusals)
    if (refusal.what.empty() || refusal.place.column == 0) std::abort();
  return 0;
}
