// What would make a refused request fit: every hint was tried on the ledger before it is given.
#pragma once
#include <string>
#include <vector>

#include "decide/placement/explain.h"
#include "decide/placement/ledger.h"
#include "decide/placement/request.h"

namespace estiva::decide {

// At most kMostHints, the least intrusive first. `growing` is the model's own lease, where it has
// one.
std::vector<std::string> would_fit_if(const Ledger& ledger, const AssignRequest& request,
                                      const LeaseEntry* growing, Names names = Names::all);

// A lease that nobody holds, of which nothing was seen on `account`, and which a stranger of this
// size could be; null where there is none. The one whose size is nearest is named.
const LeaseEntry* unbound_like(const Ledger& ledger, std::uint32_t account, Bytes stranger);

}  // namespace estiva::decide
