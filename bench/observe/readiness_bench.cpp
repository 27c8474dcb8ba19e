// What it costs to gather all that doctor looks at, in wall time: bench_readiness [ROOT [CALLS]].
// Without a ROOT this machine, with its engine and its driver asked as they are. Budget: 150 ms for
// doctor as a whole.
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include "observe/readiness/collect.h"

int main(int count, char** words) {
  using namespace estiva;
  const auto sources = observe::ReadinessSources::of_this_process(count > 1 ? words[1] : "/");
  const int calls = count > 2 ? std::max(1, std::atoi(words[2])) : 20;
  std::vector<double> took;
  for (int i = 0; i < calls; ++i) {
    const SteadyTime begun = steady_now();
    const auto facts = observe::collect_readiness(sources);
    took.push_back(std::chrono::duration<double, std::milli>(steady_now() - begun).count());
    if (!facts) {
      fmt::print(stderr, "{}\n", facts.error().sentence());
      return 1;
    }
    if (i > 0) continue;
    for (const std::string& reason : facts->not_seen) fmt::print("not seen: {}\n", reason);
    fmt::print("{} units, {} lines of the kernel log, {} packages, {} containers\n",
               facts->units.size(), facts->kernel.log.value_or({}).size(),
               facts->driver.packages.size(), facts->containers.size());
  }
  std::sort(took.begin(), took.end());
  fmt::print("{}: median {:.2f} ms, longest {:.2f} ms of {}\n", sources.root, took[took.size() / 2],
             took.back(), calls);
  return 0;
}
