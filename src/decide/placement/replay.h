// Past decisions made again, on the ledger as it was then: the proof that the same words and the
// same readings still give the same answer. Pure.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "decide/placement/ledger.h"

namespace estiva::decide {

struct Placed {
  std::string device;  // DeviceId::key()
  Bytes bytes;
  friend bool operator==(const Placed&, const Placed&) = default;
};

// How a decision ended, as the journal has it.
struct Outcome {
  bool granted = false;        // or grown, or bound: a lease came of it
  std::vector<Placed> shares;  // of that lease, as they were promised
  std::string words;           // why it went there, or why it was refused
};

struct PastDecision {
  std::uint64_t position = 0;  // in the journal
  std::string model;
  // Nothing where the journal does not hold enough of it any more.
  std::optional<AssignRequest> request;
  // The ledger before the first of the decisions that share it; the others give null, and stand on
  // what those before them changed.
  std::shared_ptr<const LedgerState> before;
  std::uint64_t sequence = 0;  // the ledger's when it was decided
  Outcome outcome;
};

enum class Differs : std::uint8_t {
  verdict,    // granted then, refused now, or the other way round
  placement,  // granted on other GPUs, or with other sizes
  words,      // the same answer, in other words
};
std::string_view to_name(Differs differs);

struct Difference {
  std::uint64_t position = 0;
  std::string model;
  Differs what = Differs::words;
  Outcome then, now;
};

// Why a decision could not be made again.
enum class Skipped : std::uint8_t {
  no,
  not_kept,  // its request or the readings under it are not in the journal (any more)
  no_chain,  // a change of the ledger before it is not in the journal
};
std::string_view to_name(Skipped skipped);

class Replay {
 public:
  struct Step {
    Skipped skipped = Skipped::no;
    std::optional<Difference> difference;
  };
  // In the journal's order, all of them.
  Step take(const PastDecision& past);

 private:
  Outcome decide_again(const AssignRequest& request);

  // `state` is the ledger that the present chain began with.
  bool is_same_base(const LedgerState& state) const;

  std::optional<Ledger> ledger_;
  std::shared_ptr<const LedgerState> base_;
};

}  // namespace estiva::decide
