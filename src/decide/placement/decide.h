// Placement: may this model have this much VRAM, and where? Pure: the same ledger and request give
// the same answer for ever.
#pragma once
#include "decide/placement/ledger.h"
#include "decide/placement/request.h"

namespace estiva::decide {

// Decides an assign. Grants only on a read begun at or after `requested_at` (I2); a batch shares
// one read when each grant is applied before the next is decided. A model that has a lease gets
// the same GPU again; with a holder it is bound, with a larger size it is decided as a grow.
// O(GPUs) for a grant; a refusal's words are made by explain_refusal().
Decision decide_assign(const Ledger& ledger, const AssignRequest& request);

// Decides to make a lease's shares larger where they are. `bytes` holds one size a share, in the
// lease's order; a size below the present one leaves that share as it is.
Decision decide_grow(const Ledger& ledger, const LeaseEntry& entry, const std::vector<Bytes>& bytes,
                     SteadyTime requested_at);

}  // namespace estiva::decide
