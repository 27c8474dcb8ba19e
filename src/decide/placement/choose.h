// Which GPUs a new request gets. Exact: where any assignment of different GPUs to the shares fits,
// one is found; docs/placement.md says why the greedy order can't miss one.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "decide/placement/ledger.h"
#include "decide/placement/request.h"

namespace estiva::decide {

struct Chosen {
  Cause cause = Cause::none;
  std::string detail;
  std::vector<std::uint32_t> accounts;  // one a share, in the request's order
};

// `freed` asks "what if": bytes to be taken as free on each account; empty means as it is.
Chosen choose_gpus(const Ledger& ledger, const AssignRequest& request,
                   std::span<const Bytes> freed = {});

// A of an account, with what `freed` says.
Bytes room_on(const Ledger& ledger, std::uint32_t account, std::span<const Bytes> freed);

}  // namespace estiva::decide
