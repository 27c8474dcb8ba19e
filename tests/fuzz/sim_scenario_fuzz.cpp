// Any text is either a scenario, whose machine can then run for a minute, or a problem with a
// place.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "sim/core/engine.h"

using namespace estiva::sim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParsedScenario parsed = parse_scenario(text);
  if (parsed.problem) {
    if (parsed.problem->line < 1 || parsed.problem->column < 1 || parsed.problem->what.empty()) {
      std::abort();
    }
    return 0;
  }
  const std::unique_ptr<State, void (*)(void*)> state(
      static_cast<State*>(std::calloc(1, sizeof(State))), std::free);
  build(*state, parsed.scenario);
  advance(*state, parsed.scenario, 2'000'000'000);
  for (unsigned i = 0; i < state->gpu_count; ++i) {
    const Gpu& gpu = state->gpus[i];
    if (gpu.used_bytes + gpu.card.reserved_bytes > gpu.card.total_bytes) std::abort();
  }
  return 0;
}
