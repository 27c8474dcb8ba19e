// Why a grant went where it went, as a sentence for the user. Pure.
#pragma once
#include <string>

#include "decide/placement/ledger.h"

namespace estiva::daemon {

// `ledger` as it was when the decision was made, before it was applied.
std::string grant_reason(const decide::Ledger& ledger, const decide::AssignRequest& request,
                         const decide::Decision& decision);

}  // namespace estiva::daemon
