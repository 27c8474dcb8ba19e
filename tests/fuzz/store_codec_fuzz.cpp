// The bytes of leases and journal bodies: any input is refused or decodes to a value that encodes
// to the very same bytes.
#include <cstdlib>

#include "store/codec.h"

using namespace estiva::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string again;
  if (const auto lease = decode_lease(bytes)) {
    encode_lease(*lease, again);
    if (again != bytes) std::abort();
  }
  again.clear();
  if (auto body = decode_body(bytes)) {
    Write write;
    write.text = body->text;
    write.lease = body->lease;
    if (body->has_decision) write.decision = Decision{body->request, nullptr, body->outcome};
    encode_body(write, body->readings, again);
    if (again != bytes) std::abort();
  }
  return 0;
}
