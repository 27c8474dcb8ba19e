// One assign under way, from its arrival to its answer. Loop thread only.
#pragma once
#include <optional>
#include <string>

#include "api/backend.h"
#include "decide/placement/request.h"
#include "net/loop.h"

namespace estiva::daemon {

struct PendingAssign {
  PendingAssign(net::Loop& loop, decide::AssignRequest wanted, api::AssignTerms kept_to)
      : request(std::move(wanted)), terms(std::move(kept_to)), answered(loop) {}
  decide::AssignRequest request;
  api::AssignTerms terms;
  int readings_waited_for = 0;
  std::string why;
  std::optional<Result<api::AssignAnswer>> answer;
  net::Notice answered;
};

}  // namespace estiva::daemon
