// The texts that the journal keeps of a decision, so that it can be read and run again later. Pure.
#pragma once
#include <string>

#include "decide/placement/ledger.h"

namespace estiva::daemon {

// {"model":"xtts","shares":[{"gpu":"auto","bytes":..}],"choice":"pack","pid":null}
std::string request_record(const decide::AssignRequest& request);
// What the decision saw: driver state and each GPU's account.
std::string readings_record(const decide::Ledger& ledger);

}  // namespace estiva::daemon
