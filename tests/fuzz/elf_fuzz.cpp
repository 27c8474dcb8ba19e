// The head and the dynamic section of a shared library.
#include <cstdlib>

#include "format/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva::format;
  const auto library = read_elf(TextSource({reinterpret_cast<const char*>(data), size}));
  if (!library) return 0;
  if (library->soname.size() > kMaxSoname) std::abort();
  if (library->soname.find('/') != std::string::npos) std::abort();
  return 0;
}
