// CPU and disks: who takes the most gets a smaller weight while others wait. Busy is no reason: a
// model that computes is busy, and that is what it is for.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_memory.h"
#include "decide/memory/ladder_parts.h"
#include "format/size.h"

namespace estiva::decide::memory {
namespace {

constexpr unsigned kLeastWeight = 10;

struct Resource {
  LeverKind kind;
  std::string_view file, reason;
  double stalled;
  double GroupLook::*share;
  unsigned GroupLook::*weight;
};

const GroupLook* greediest(const Climb& climb, const Resource& resource) {
  const GroupLook* best = nullptr;
  for (const GroupLook& group : climb.look.groups) {
    const bool may = !group.is_protected && group.is_managed &&
                     group.*resource.weight > kLeastWeight && group.*resource.share > 0;
    if (may && (best == nullptr || group.*resource.share > best->*resource.share)) best = &group;
  }
  return best;
}

void weigh(Climb& climb, const Resource& resource) {
  if (resource.stalled < climb.settings.stalled_at || is_in_force(climb, resource.kind)) return;
  const GroupLook* group = greediest(climb, resource);
  if (group == nullptr) return;
  const unsigned before = group->*resource.weight;
  Lever lever;
  lever.kind = resource.kind;
  lever.target = group->name;
  lever.amount = std::max(before / 2, kLeastWeight);
  lever.bound = kLeastWeight;
  lever.ttl = climb.settings.weight_ttl;
  lever.reason =
      fmt::format(fmt::runtime(resource.reason), to_text(Ratio{resource.stalled}), group->name);
  lever.effect = fmt::format(msg::kLeverWeight, resource.file, group->name, lever.amount, before);
  lever.undo = fmt::format(msg::kLeverWeightUndo, before, format::format_duration(lever.ttl));
  climb.out.pull.push_back(std::move(lever));
}

}  // namespace

void climb_weights(Climb& climb) {
  weigh(climb, {LeverKind::weigh_cpu, "cpu.weight", msg::kLeverCpu, climb.look.cpu_stalled,
                &GroupLook::cpu, &GroupLook::cpu_weight});
  weigh(climb, {LeverKind::weigh_io, "io.weight", msg::kLeverIo, climb.look.io_stalled,
                &GroupLook::io, &GroupLook::io_weight});
}

}  // namespace estiva::decide::memory
