// What is asked of placement and what it answers. A Decision changes nothing by itself:
// Ledger::apply charges it, and the daemon journals it before anybody is told.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "model/lease.h"

namespace estiva::decide {

// No request may ask for more shares than this; no machine we know has more GPUs.
inline constexpr std::size_t kMostShares = 64;

enum class Choice : std::uint8_t {
  by_gpu_count,    // the default: least_utilized on one GPU, pack from two up
  least_utilized,  // of the GPUs with enough room: least utilisation, then most room, then index
  pack,            // best fit: the GPU with the least room that is enough, then index
};

// The settings of the ledger. Why the defaults are zero: docs/placement.md.
struct PlacementPolicy {
  Bytes margin;             // kept free on each GPU beside all promises
  Bytes context_allowance;  // charged on top of a lease until its holder has a context on the GPU
  // Foreign memory counts at its highest value of this long; zero: as it is now.
  Nanoseconds foreign_window{0};
  // The same for what processes that draw on a screen hold, and so much on top of it where there
  // are such.
  Nanoseconds desktop_window{0};
  Bytes desktop_reserve = {0};
};

// One GPU's part of a request. `gpu` is "auto", an index, a UUID, a unique prefix of one, or a MIG
// instance's UUID.
struct ShareWanted {
  std::string gpu = "auto";
  Bytes bytes;
};

struct AssignRequest {
  std::string model;
  std::vector<ShareWanted> shares;  // all on different GPUs; granted all or none
  Choice choice = Choice::by_gpu_count;
  std::optional<Holder> holder;
  SteadyTime requested_at;  // when the request arrived; a read begun earlier can't grant it
  WallTime wall;            // becomes granted_at
};

// `n` equal shares on any GPUs.
std::vector<ShareWanted> on_any_gpus(std::size_t n, Bytes each);

enum class Verdict : std::uint8_t {
  granted,              // a new lease
  grown,                // the model's lease, with larger shares
  bound,                // the model's lease, with a holder it did not have
  already_assigned,     // the model's lease as it is; nothing to apply
  needs_fresh_reading,  // nobody's fault: read the GPUs again and ask again
  refused,              // see `cause`; explain_refusal() has the words
};

enum class Cause : std::uint8_t {
  none,
  bad_request,  // the words are wrong: `detail` says which
  unknown_gpu,  // no GPU, or more than one, is called `detail`
  driver_not_ready,
  no_usable_gpu,  // every GPU that was asked for is lost, asleep, split or unreadable
  no_room,
  assigned_elsewhere,  // the model has a lease with other GPUs or another number of them
  held_by_another,     // the model's lease has another holder
};

struct Decision {
  Verdict verdict = Verdict::refused;
  Cause cause = Cause::none;
  std::string detail;  // a sentence or a name, where `cause` needs one
  // granted: the draft (id and sequence are given by Ledger::apply). grown, bound: what the lease
  // becomes. already_assigned, assigned_elsewhere, held_by_another: the lease as it is.
  Lease lease;
};

// True where Ledger::apply has something to do.
constexpr bool changes_ledger(Verdict v) {
  return v == Verdict::granted || v == Verdict::grown || v == Verdict::bound;
}
// no_room -> no_room (exit 1), bad_request -> usage, unknown_gpu -> not_found, the rest -> refused.
ErrorKind kind_of(Cause cause);

}  // namespace estiva::decide
