// The journal's decisions made again, from the API's own documents. Pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "decide/placement/replay.h"

namespace estiva::api {

// The decisions of GET /api/v1/journal?decisions=true, in its order; one that can't be made again
// has no request. Errors: it is no such document.
Result<std::vector<decide::PastDecision>> parse_past_decisions(std::string_view json);

struct ReplayReport {
  std::size_t decisions = 0, again = 0, not_kept = 0, no_chain = 0;
  std::vector<decide::Difference> differences;
  // Those where the answer itself is another one, not only its words.
  std::size_t changed() const;
};
ReplayReport replay(const std::vector<decide::PastDecision>& past);

// {"schema":"estiva/replay/1","decisions":..,"again":..,"skipped":{"not_kept":..,"no_chain":..},
//  "differences":[{"position":..,"model":..,"what":"placement","then":{..},"now":{..}}]}
std::string replay_json(const ReplayReport& report);

}  // namespace estiva::api
