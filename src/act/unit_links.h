// The symbolic links by which systemd units are enabled. Kept as a list before and after a step, so
// that its undo brings back exactly the links that were there, whoever made them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "act/machine.h"
#include "act/state.h"

namespace estiva::act {

// Fills `links` and `names` (folders) with what is below /etc/systemd/system, and with the links of
// /etc/rc*.d that systemctl keeps for old init scripts. Errors: can't be read, or more than 20,000.
Result<void> read_unit_links(const host::Root& root, State& state);

// What a step that was cut off has done: of all differences only those that concern this unit.
State only_of_unit(const State& before, const State& now, std::string_view unit);

// Where links stand of which `before` and `after` differ.
enum class LinksStand : std::uint8_t {
  as_before,
  ours,
  changed
};  // ours: no link is anybody else's
LinksStand compare_links(const State& before, const State& after, const State& now);
// Puts back each link that is as `after` says; what was changed since stays.
Result<void> restore_links(const Machine& machine, const State& before, const State& after,
                           const State& now);

}  // namespace estiva::act
