// The six rungs of memory. Each is tried only for what those before it left missing.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_memory.h"
#include "decide/memory/ladder_parts.h"
#include "format/size.h"

namespace estiva::decide::memory {
namespace {

constexpr std::int64_t kPressing = 2'000'000'000;  // of headroom left

Lever lever_of(const Climb& climb, LeverKind kind, std::string target, std::uint64_t amount) {
  const Decision& law = climb.look.law;
  Lever lever;
  lever.kind = kind;
  lever.target = std::move(target);
  lever.amount = amount;
  lever.reason = fmt::format(msg::kLeverShort, to_text(Bytes{law.headroom}),
                             to_text(Bytes{law.headroom + deficit_of(climb)}), rate_text(law.rate));
  return lever;
}

void take(std::uint64_t& missing, std::uint64_t bytes) {
  missing -= std::min(missing, bytes);
}

// 1: one at a time, because its bytes come back only when it has gone.
void unload(Climb& climb, std::uint64_t& missing) {
  const LadderState& state = climb.state;
  const LadderLook& look = climb.look;
  const bool waits = state.unloaded_ns >= 0 &&
                     look.at_ns - state.unloaded_ns < climb.settings.between_unloads.count();
  const IdleModel* longest = nullptr;
  for (const IdleModel& model : look.idle_models)
    if (model.ram.value > 0 && (longest == nullptr || model.idle > longest->idle)) longest = &model;
  if (waits || longest == nullptr) return;
  Lever lever = lever_of(climb, LeverKind::unload_model, longest->name, longest->ram.value);
  lever.effect = fmt::format(msg::kLeverUnload, longest->name,
                             format::format_duration(longest->idle), to_text(longest->ram));
  lever.undo = msg::kLeverUnloadUndo;
  climb.out.pull.push_back(std::move(lever));
  climb.state.unloaded_ns = look.at_ns;
  take(missing, longest->ram.value);
}

// 2: a slice of each idle group that does not wait for memory itself.
void reclaim(Climb& climb, std::uint64_t& missing) {
  for (const GroupLook& group : climb.look.groups) {
    if (missing == 0) return;
    if (!group.is_idle || group.is_protected || group.stalled > climb.settings.reclaim_stall)
      continue;
    const std::uint64_t slice =
        std::min({climb.settings.slice.value, group.reclaimable.value, missing});
    if (slice == 0) continue;
    Lever lever = lever_of(climb, LeverKind::reclaim, group.name, slice);
    lever.bound = climb.settings.slice.value;
    lever.effect = fmt::format(msg::kLeverReclaim, to_text(Bytes{slice}), group.name);
    lever.undo = msg::kLeverReclaimUndo;
    climb.out.pull.push_back(std::move(lever));
    take(missing, slice);
  }
}

// 3: as much as is missing, where nothing is in the way.
void grow(Climb& climb, std::uint64_t& missing) {
  if (missing == 0 || climb.look.law.blocked != Blocked::none) return;
  Lever lever = lever_of(climb, LeverKind::grow_swap, {}, missing);
  lever.effect = fmt::format(msg::kLeverGrow, to_text(Bytes{missing}));
  lever.undo = msg::kLeverGrowUndo;
  climb.out.pull.push_back(std::move(lever));
  missing = 0;
}

const GroupLook* fastest(const Climb& climb) {
  const GroupLook* best = nullptr;
  for (const GroupLook& group : climb.look.groups)
    if (!group.is_protected && group.growth > 0 && (best == nullptr || group.growth > best->growth))
      best = &group;
  return best;
}

// 4: slowed where it stands; what is declared freezable stands still.
bool brake(Climb& climb) {
  if (is_in_force(climb, LeverKind::brake) || is_in_force(climb, LeverKind::freeze)) return true;
  const GroupLook* group = fastest(climb);
  if (group == nullptr) return false;
  const LeverKind kind = group->is_freezable ? LeverKind::freeze : LeverKind::brake;
  const std::string ttl = format::format_duration(climb.settings.brake_ttl);
  const std::string rate = rate_text(group->growth);
  Lever lever = lever_of(climb, kind, group->name, group->is_freezable ? 0 : group->memory.value);
  lever.bound = lever.amount;
  lever.ttl = climb.settings.brake_ttl;
  lever.effect = group->is_freezable
                     ? fmt::format(msg::kLeverFreeze, group->name, rate)
                     : fmt::format(msg::kLeverBrake, group->name, rate, to_text(group->memory));
  lever.undo = fmt::format(
      fmt::runtime(group->is_freezable ? msg::kLeverFreezeUndo : msg::kLeverBrakeUndo), ttl);
  climb.out.pull.push_back(std::move(lever));
  return true;
}

// 5
void pause(Climb& climb) {
  if (is_in_force(climb, LeverKind::pause_admission)) return;
  Lever lever = lever_of(climb, LeverKind::pause_admission, {}, 0);
  lever.ttl = climb.settings.brake_ttl;
  lever.effect = msg::kLeverPause;
  lever.undo = fmt::format(msg::kLeverPauseUndo, format::format_duration(lever.ttl));
  climb.out.pull.push_back(std::move(lever));
}

bool is_last_resort(const Climb& climb, bool braked) {
  const Decision& law = climb.look.law;
  if (law.headroom >= law.required / 2 || !is_in_force(climb, LeverKind::pause_admission))
    return false;
  if (!braked) return true;  // nobody grows who could be slowed
  return std::ranges::any_of(climb.look.in_force, [&](const InForce& lever) {
    const bool is_brake = lever.kind == LeverKind::brake || lever.kind == LeverKind::freeze;
    return is_brake && climb.look.at_ns - lever.since_ns >= climb.settings.grace.count();
  });
}

// 6: one, by the declared order; then it is measured again.
void kill(Climb& climb) {
  const VictimOrder victims = order_victims(climb.look.groups, climb.settings);
  if (victims.order.empty() || is_in_force(climb, LeverKind::kill)) return;
  const auto group = std::ranges::find(climb.look.groups, victims.order.front(), &GroupLook::name);
  Lever lever = lever_of(climb, LeverKind::kill, group->name, group->memory.value);
  lever.bound = climb.settings.most_processes;
  lever.effect = fmt::format(msg::kLeverKill, group->name, to_text(group->memory),
                             process_text(group->processes));
  lever.undo = msg::kLeverKillUndo;
  climb.out.pull.push_back(std::move(lever));
}

}  // namespace

void climb_memory(Climb& climb) {
  std::uint64_t missing = deficit_of(climb);
  if (missing == 0) return;
  unload(climb, missing);
  reclaim(climb, missing);
  grow(climb, missing);
  const std::int64_t left = climb.look.law.left_ns;
  if (missing == 0 || left < 0 || left >= kPressing) return;
  const bool braked = brake(climb);
  pause(climb);
  if (is_last_resort(climb, braked)) kill(climb);
}

}  // namespace estiva::decide::memory
