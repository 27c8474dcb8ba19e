// One assign under way, from its arrival to its answer. Loop thread only.
#pragma once
#include <optional>
#include <string>

#include "api/backend.h"
#include "decide/placement/request.h"
#include "net/loop.h"

namespace estiva::daemon {

struct PendingAssign {
  PendingAssign(net::Loop& loop, decide::AssignRequest wanted, bool new_only)
      : request(std::move(wanted)), only_new(new_only), answered(loop) {}
  decide::AssignRequest request;
  bool only_new = false;
  int readings_waited_for = 0;
  std::string why;
  std::optional<Result<api::AssignAnswer>> answer;
  net::Notice answered;
};

}  // namespace estiva::daemon
