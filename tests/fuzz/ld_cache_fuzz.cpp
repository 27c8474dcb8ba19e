// /etc/ld.so.cache, in both of its forms.
#include <cstdlib>

#include "format/ld_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva::format;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto entries = parse_ld_cache(bytes);
  if (entries.size() > kMaxLdCacheEntries) std::abort();
  for (const auto& entry : entries) {
    if (entry.name.empty() || !entry.path.starts_with('/')) std::abort();
    if (entry.path.size() >= kMaxLdCachePath) std::abort();
  }
  if (parse_ld_cache(bytes, {"libcuda.so"}).size() > entries.size()) std::abort();
  return 0;
}
