#include "decide/memory/halt.h"

#include <fmt/format.h>

#include "base/messages/decide_memory.h"
#include "base/units.h"

namespace estiva::decide::memory {
namespace {

// One row a value of Blocked, in its order.
struct Row {
  Blocked blocked;
  std::string_view name, why, remedy;
};
constexpr Row kRows[] = {
    {Blocked::none, "none", msg::kHaltNothing, {}},
    {Blocked::nothing_swappable, "nothing_swappable", msg::kHaltSwappable, msg::kHaltSwappableDo},
    {Blocked::disk_floor, "disk_floor", msg::kHaltDisk, msg::kHaltDiskDo},
    {Blocked::cap, "cap", msg::kHaltCap, msg::kHaltCapDo},
    {Blocked::slots, "slots", msg::kHaltSlots, msg::kHaltSlotsDo},
    {Blocked::file_system, "file_system", msg::kHaltFiles, msg::kHaltFilesDo},
    {Blocked::not_root, "not_root", msg::kHaltRoot, msg::kHaltRootDo},
    {Blocked::stopped, "stopped", msg::kHaltStopped, msg::kHaltStoppedDo},
    {Blocked::failed, "failed", msg::kHaltFailed, msg::kHaltFailedDo},
};

const Row& row_of(Blocked blocked) {
  for (const Row& row : kRows)
    if (row.blocked == blocked) return row;
  return kRows[0];
}

}  // namespace

std::string_view to_name(Blocked blocked) {
  return row_of(blocked).name;
}

Halt explain_halt(const Decision& decision) {
  const Row& row = row_of(decision.blocked);
  const bool is_locked = decision.blocked == Blocked::nothing_swappable;
  const std::string bytes = to_text(Bytes{is_locked ? decision.swappable : decision.missing});
  return {row.name, fmt::format(fmt::runtime(row.why), bytes), std::string(row.remedy)};
}

}  // namespace estiva::decide::memory
