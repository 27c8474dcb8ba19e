// Whom to evict: of those that may be, the set that costs the least and makes a request fit.
#pragma once
#include <cstddef>
#include <vector>

#include "decide/residency/what_if.h"

namespace estiva::decide::residency {

struct Candidate {
  double cost = 0;  // above 0
  Holdings held;    // what its leaving frees
};

struct Victims {
  bool fits = false;
  std::vector<std::size_t> set;         // indices of candidates, ascending
  std::vector<std::uint32_t> accounts;  // where the request goes then, one a share
  double cost = 0;
};

// Up to so many candidates on a GPU all subsets are looked at; above, the cheapest a byte are taken
// first, and those that turn out not to be needed are dropped.
inline constexpr std::size_t kExactCandidates = 12;

// `freed` is free already. Exact for a request of one share; for several shares the GPUs are taken
// one after the other, the cheapest first, and no member of the set is superfluous. Every answer
// was tried on the ledger. O(GPUs x 2^candidates on one GPU), mostly far less.
Victims choose_victims(const Ledger& ledger, const AssignRequest& request, const Freed& freed,
                       const std::vector<Candidate>& candidates);

}  // namespace estiva::decide::residency
