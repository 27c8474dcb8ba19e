// The body of an assign request, as anybody may send it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "api/request_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = estiva::api::parse_assign({reinterpret_cast<const char*>(data), size});
  if (parsed) {
    // What is accepted has a name, at least one share and a size.
    if (parsed->request.model.empty() || parsed->request.shares.empty()) std::abort();
    for (const auto& share : parsed->request.shares) {
      if (share.bytes.value == 0) std::abort();
    }
  } else if (parsed.error().what.empty()) {
    std::abort();
  }
  return 0;
}
