// Events and effects in words, for a schedule that is replayed.
#pragma once
#include <fmt/format.h>
#include <string>

#include "decide/residency/residency.h"

namespace estiva::residency_test {

// "12.345 Loaded xtts -> Open xtts"
inline void print_step(SteadyTime at, const decide::residency::Event& event,
                       const std::vector<decide::residency::Effect>& effects) {
  static constexpr const char* kEvents[] = {
      "Arrived",       "Left",       "Busy",       "Closed",      "Reserved",     "NotReserved",
      "Loaded",        "LoadFailed", "Released",   "SleepFailed", "Died",         "Adopted",
      "Overcommitted", "Learned",    "Unload",     "Pin",         "SetPolicy",    "Pause",
      "Resume",        "Configured", "HostBudget", "DefaultTtl",  "NobodyYields", "Tick"};
  static constexpr const char* kEffects[] = {"Reserve", "Load", "Cancel",    "Open",
                                             "Close",   "Cut",  "Leave",     "Forgo",
                                             "Refuse",  "Done", "AskOthers", "Told"};
  const auto words = [](const auto& one) {
    std::string text;
    if constexpr (requires { one.model; }) text += " " + one.model;
    if constexpr (requires { one.ticket; }) text += fmt::format(" #{}", one.ticket);
    if constexpr (requires { one.in_flight; }) text += fmt::format(" in_flight={}", one.in_flight);
    if constexpr (requires { one.asleep; }) text += one.asleep ? " asleep" : "";
    if constexpr (requires { one.wake; }) text += one.wake ? " wake" : "";
    if constexpr (requires { one.how; }) text += fmt::format(" {}", decide::to_name(one.how));
    if constexpr (requires { one.why; }) text += " '" + one.why + "'";
    if constexpr (requires { one.what; }) text += " '" + one.what + "'";
    return text;
  };
  std::string line = fmt::format("{:.3f} {}{}", static_cast<double>(at.ns) / 1e9,
                                 kEvents[event.index()], std::visit(words, event));
  for (const auto& effect : effects)
    line += fmt::format("\n      -> {}{}", kEffects[effect.index()], std::visit(words, effect));
  fmt::print("{}\n", line);
}

}  // namespace estiva::residency_test
