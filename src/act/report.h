// What came of a run, for printers.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/plan.h"

namespace estiva::act {

enum class StepState : std::uint8_t {
  pending,    // not done
  done,       // done in this run, or before it was continued
  unchanged,  // it was so already
  failed,
  stands,   // done earlier, and still so
  drifted,  // done earlier, and changed by somebody since
  undone,
  left_alone,  // not undone, because somebody changed it since
  kept,        // can't be undone now: a module that is in use
};
std::string_view to_name(StepState state);

struct StepResult {
  StepState state = StepState::pending;
  std::string text;  // a remark or a reason; mostly empty
  friend bool operator==(const StepResult&, const StepResult&) = default;
};

struct RunReport {
  std::string run;  // its id in the journal; empty: there was nothing to do
  Plan plan;
  std::vector<StepResult> steps;  // as many as the plan has
  std::optional<Error> error;     // why it stopped before its end
};

// Told as each step ends: for a progress line.
using OnStep = std::function<void(std::size_t step, const StepResult& result)>;

}  // namespace estiva::act
