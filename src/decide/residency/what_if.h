// The ledger as it would be: with promises that it does not show yet, without GPUs that are paused,
// and with bytes taken as free that are on their way out. Every question is put to the ledger's own
// arithmetic.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "decide/placement/choose.h"
#include "decide/placement/ledger.h"
#include "decide/residency/model_entry.h"

namespace estiva::decide::residency {

using Models = std::map<std::string, Entry, std::less<>>;

// What a model has on one account.
struct Holding {
  std::uint32_t account = 0;
  Bytes bytes;
};
using Holdings = std::vector<Holding>;
using Freed = std::vector<Bytes>;  // one an account

// Bytes of a model that left, and may not yet be seen to be free.
struct Lag {
  std::string device;
  Bytes bytes;
  SteadyTime until;
};

class WhatIf {
 public:
  using IsPaused = std::function<bool(const std::string& device)>;
  WhatIf(const Ledger& ledger, const IsPaused& is_paused);

  // The accounts are the real ledger's, in its order.
  const Ledger& ledger() const { return ledger_; }
  // Charges a promise that the ledger does not show yet.
  void promise(const std::string& model, const std::vector<Held>& held);
  bool fits(const AssignRequest& request, const Freed& freed = {}) const {
    return choose_gpus(ledger_, request, freed).cause == Cause::none;
  }
  Freed nothing() const { return Freed(ledger_.accounts().size()); }

 private:
  Ledger ledger_;
};

// What a live lease of the model is charged, or else what it claims.
Holdings holdings_of(const Entry& entry, const Ledger& ledger);
void add(Freed& freed, const Holdings& holdings);
// Given back, and not yet read again.
Freed credits_of(const Ledger& ledger);
// The same, and all that is on its way out: of models that leave for sure, of leases that are
// releasing, and `lags`, as far as there is foreign memory that they could be.
Freed leaving_of(const Ledger& ledger, const Models& models, const std::vector<Lag>& lags);

std::vector<Held> as_held(const Ledger& ledger, const Holdings& holdings);
Holdings as_holdings(const Ledger& ledger, const std::vector<Held>& held);

}  // namespace estiva::decide::residency
