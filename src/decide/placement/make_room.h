// Who could make room for a request by giving back what they hold: programs that share the GPU and
// can move their bytes to RAM. Pure, as all of placement.
#pragma once
#include <string>
#include <vector>

#include "decide/placement/ledger.h"
#include "decide/placement/request.h"

namespace estiva::decide {

// A lease that may be asked, and what it would go on holding of each share (nothing, where no
// number is given).
struct Yielder {
  std::string lease_id;
  std::vector<Bytes> kept;
};

// Those to ask: a shortest beginning of `in_order`, without those in it that are not needed. Empty:
// it fits without, or does not fit even if all of them yield. O(n * accounts).
std::vector<std::string> whom_to_ask(const Ledger& ledger, const AssignRequest& request,
                                     const std::vector<Yielder>& in_order);

}  // namespace estiva::decide
