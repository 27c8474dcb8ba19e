// Whatever a sensor or a recording sends: no crash, no limit passed. The input is a row of
// messages, each after its length in two bytes.
#include <cstdlib>
#include <cstring>

#include "gpu/recording.h"
#include "gpu/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace estiva::gpu;
  const std::span<const std::byte> all(reinterpret_cast<const std::byte*>(data), size);
  Assembler assembler;
  std::span<const std::byte> rest = all;
  while (rest.size() >= 2) {
    std::uint16_t length = 0;
    std::memcpy(&length, rest.data(), 2);
    rest = rest.subspan(2);
    const std::size_t n = std::min<std::size_t>(length, rest.size());
    assembler.take(rest.first(n));
    rest = rest.subspan(n);
    if (assembler.gpus().size() > kMaxDevices) std::abort();
    for (const estiva::Gpu& gpu : assembler.gpus()) {
      if (gpu.sample.processes && gpu.sample.processes->size() > kMaxProcesses) std::abort();
    }
  }
  if (auto request = decode_request(all)) encode_request(*request);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto recording = parse_recording(text)) {
    if (parse_recording(format_recording(*recording)) != *recording) std::abort();
  }
  return 0;
}
