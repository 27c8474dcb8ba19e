// Names of the exported functions, in the order of the enumeration.
#include "sim/core/functions.h"

#include "sim/core/state.h"

namespace estiva::sim {
namespace {
constexpr std::string_view kNames[] = {
#define X(name) #name,
    ESTIVA_SIM_FUNCTIONS(X) ESTIVA_SIM_UNSUPPORTED(X)
#undef X
};
static_assert(kFunctionCount <= kMaxFunctions);
}  // namespace

std::string_view function_name(unsigned function) {
  return function < kFunctionCount ? kNames[function] : std::string_view();
}

int find_function(std::string_view name) {
  for (unsigned i = 0; i < kFunctionCount; ++i) {
    if (kNames[i] == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace estiva::sim
