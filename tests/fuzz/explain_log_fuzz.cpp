// A log as anybody may paste it: what is named is a rule, each once, in a line that exists.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "decide/readiness/log_text.h"
#include "decide/readiness/rule.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  const auto lines = std::count(log.begin(), log.end(), '\n') + 1;
  std::set<std::string> known;
  for (const auto& one : estiva::decide::explain_log(log)) {
    if (one.line == 0 || one.line > static_cast<unsigned long>(lines)) std::abort();
    if (one.rule.empty() || one.text.size() > 400 || !known.insert(one.rule).second) std::abort();
  }
  if (estiva::decide::squash_log(log).text.size() > 2 * size) std::abort();
  return 0;
}
