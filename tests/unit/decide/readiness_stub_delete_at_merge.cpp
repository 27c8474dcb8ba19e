// Stands in for the families of rules that are still to come, so that this test links. To be
// deleted, here and in CMakeLists.txt, as soon as cdi_rules.cpp and application_rules.cpp exist.
#include "decide/readiness/rule.h"

namespace estiva::decide {

__attribute__((weak)) std::span<const Rule> cdi_rules() {
  return {};
}
__attribute__((weak)) std::span<const Rule> application_rules() {
  return {};
}

}  // namespace estiva::decide
