#include "decide/memory/ladder.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_memory.h"
#include "decide/memory/ladder_parts.h"

namespace estiva::decide::memory {
namespace {

constexpr double kBack = 0.05;                 // so far below a threshold it counts as left again
constexpr std::int64_t kHeld = 5'000'000'000;  // a lever is kept at least so long

void cross(Climb& climb, Crossing::What what, const std::optional<Ratio>& value, Ratio threshold,
           bool& above) {
  if (!value) return;
  const bool now =
      above ? value->value >= threshold.value - kBack : value->value >= threshold.value;
  if (now != above) climb.out.crossings.push_back({what, now, *value, threshold});
  above = now;
}

void watch_thresholds(Climb& climb) {
  const LadderSettings& settings = climb.settings;
  const LadderLook& look = climb.look;
  LadderState& state = climb.state;
  cross(climb, Crossing::What::cpu, look.cpu_used, settings.cpu, state.cpu_above);
  cross(climb, Crossing::What::memory, look.memory_used, settings.memory, state.memory_above);
  cross(climb, Crossing::What::disk, look.disk_used, settings.disk, state.disk_above);
}

void find_disk(Climb& climb) {
  if (!climb.state.disk_above || !climb.look.disk_used) return;
  Finding finding;
  finding.id = "M1";
  finding.severity = Severity::warning;
  finding.title = fmt::format(msg::kDiskPressure, climb.look.disk, to_text(*climb.look.disk_used));
  finding.evidence.push_back(
      {Evidence::Source::host, climb.look.disk, 0, to_text(*climb.look.disk_used)});
  finding.remedy.text = msg::kDiskPressureRemedy;
  climb.out.findings.push_back(std::move(finding));
}

bool is_weight(LeverKind kind) {
  return kind == LeverKind::weigh_cpu || kind == LeverKind::weigh_io;
}

bool is_over(const Climb& climb, const InForce& lever) {
  const std::int64_t held = climb.look.at_ns - lever.since_ns;
  const LadderSettings& settings = climb.settings;
  if (held >= (is_weight(lever.kind) ? settings.weight_ttl : settings.brake_ttl).count())
    return true;
  if (held < kHeld) return false;
  if (lever.kind == LeverKind::weigh_cpu) return climb.look.cpu_stalled < settings.calm_below;
  if (lever.kind == LeverKind::weigh_io) return climb.look.io_stalled < settings.calm_below;
  return deficit_of(climb) == 0 && climb.look.law.headroom >= 2 * climb.look.law.required;
}

// Why a group is never ended; empty: it may be.
std::string why_spared(const GroupLook& group, const LadderSettings& settings) {
  if (group.is_protected) return std::string(msg::kSpareProtected);
  if (!group.is_managed) return std::string(msg::kSpareForeign);
  if (!group.kill_order) return std::string(msg::kSpareUndeclared);
  if (group.processes > settings.most_processes)
    return fmt::format(msg::kSpareLarge, process_text(group.processes), settings.most_processes);
  return {};
}

bool goes_before(const GroupLook& a, const GroupLook& b) {
  if (*a.kill_order != *b.kill_order) return *a.kill_order < *b.kill_order;
  if (a.memory != b.memory) return a.memory > b.memory;
  return a.name < b.name;
}

}  // namespace

std::string_view to_name(LeverKind kind) {
  constexpr std::string_view names[] = {"unload_model", "reclaim",   "grow_swap",
                                        "brake",        "freeze",    "pause_admission",
                                        "kill",         "weigh_cpu", "weigh_io"};
  return names[static_cast<std::size_t>(kind)];
}

std::uint64_t deficit_of(const Climb& climb) {
  const Decision& law = climb.look.law;
  const double ahead = law.rate * static_cast<double>(climb.settings.horizon_ns) / 1e9;
  const std::uint64_t needed = law.required + static_cast<std::uint64_t>(std::max(ahead, 0.0));
  const std::uint64_t missing = needed > law.headroom ? needed - law.headroom : 0;
  // Locked memory can be short while swap is not.
  return law.blocked == Blocked::nothing_swappable ? std::max(missing, law.required) : missing;
}

bool is_in_force(const Climb& climb, LeverKind kind) {
  return std::ranges::any_of(climb.look.in_force,
                             [&](const InForce& lever) { return lever.kind == kind; });
}

std::string rate_text(double bytes_a_second) {
  return to_text(Bytes{static_cast<std::uint64_t>(std::max(bytes_a_second, 0.0))});
}

std::string process_text(unsigned processes) {
  return processes == 1 ? std::string(msg::kOneProcess) : fmt::format(msg::kProcesses, processes);
}

void let_go(Climb& climb) {
  for (const InForce& lever : climb.look.in_force)
    if (is_over(climb, lever)) climb.out.let_go.push_back(lever);
}

VictimOrder order_victims(const std::vector<GroupLook>& groups, const LadderSettings& settings) {
  VictimOrder result;
  std::vector<const GroupLook*> may;
  for (const GroupLook& group : groups) {
    std::string why = why_spared(group, settings);
    if (why.empty())
      may.push_back(&group);
    else
      result.spared.push_back({group.name, std::move(why)});
  }
  std::ranges::sort(may, [](const auto* a, const auto* b) { return goes_before(*a, *b); });
  for (const GroupLook* group : may) result.order.push_back(group->name);
  return result;
}

Ladder decide_ladder(LadderState& state, const LadderSettings& settings, const LadderLook& look) {
  Climb climb{state, settings, look, {}};
  watch_thresholds(climb);
  find_disk(climb);
  let_go(climb);
  climb_memory(climb);
  climb_weights(climb);
  return std::move(climb.out);
}

}  // namespace estiva::decide::memory
