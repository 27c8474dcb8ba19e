// Packets between estivad and the gateway: no crash, and what is accepted survives a round trip.
#include <cstdint>
#include <cstdlib>

#include "api/gateway_protocol.h"

using namespace estiva::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  if (const auto message = read_to_gateway(packet)) {
    const std::string text = to_packet(*message);
    const auto again = read_to_gateway(text);
    if (!again || to_packet(*again) != text) std::abort();
  }
  if (const auto message = read_from_gateway(packet)) {
    const std::string text = to_packet(*message);
    const auto again = read_from_gateway(text);
    if (!again || to_packet(*again) != text) std::abort();
  }
  return 0;
}
