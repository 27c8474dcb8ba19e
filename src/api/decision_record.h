// The texts that the journal keeps of a decision, and back: so that it can be read and made again.
// Pure.
#pragma once
#include <string>

#include "decide/placement/ledger.h"
#include "format/json_tree.h"

namespace estiva::api {

// A request, and the ledger's sequence when it was decided.
struct RequestRecord {
  decide::AssignRequest request;
  std::uint64_t sequence = 0;
};

// {"model":"xtts","shares":[{"gpu":"auto","bytes":..}],"choice":"pack",..,"sequence":17}
std::string request_record(const decide::AssignRequest& request, std::uint64_t sequence);
// Errors: it is not what request_record() writes; the sentence names the member.
Result<RequestRecord> read_request_record(format::JsonNode record);

// What a decision rests on: the driver's state, each GPU's account, every lease. Where that is more
// than `most` bytes it is cut to the accounts, which a person can read and nobody can decide on.
std::string readings_record(const decide::Ledger& ledger, std::size_t most);
// Errors: as above, or it holds the accounts only.
Result<decide::LedgerState> read_readings_record(format::JsonNode record);

}  // namespace estiva::api
