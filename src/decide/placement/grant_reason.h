// Why a grant went where it went, as a sentence for the user. Pure.
#pragma once
#include <string>

#include "decide/placement/ledger.h"

namespace estiva::decide {

// `ledger` as it was when the decision was made, before it was applied.
std::string grant_reason(const Ledger& ledger, const AssignRequest& request,
                         const Decision& decision);

}  // namespace estiva::decide
