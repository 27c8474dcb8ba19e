#include <cstdlib>

#include "container/engine_json.h"
#include "container/standing.h"

// What an engine answers: bounded, sorted, and ids that are ids, whatever it sends.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva::container;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_version(text);
  if (const auto id = parse_event(text); id && id->size() != 64) std::abort();
  if (const auto standing = parse_standing(text)) {
    const auto address = address_of(*standing);
    if (address && address->port == 0) std::abort();
  }
  const auto containers = parse_containers(text);
  if (!containers) return 0;
  if (containers->size() > kMostContainers) std::abort();
  for (std::size_t i = 1; i < containers->size(); ++i) {
    if ((*containers)[i - 1].id >= (*containers)[i].id) std::abort();
  }
  return 0;
}
