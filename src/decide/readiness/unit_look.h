// Lines of systemd's unit files, as the rules look at them. The order of a whole boot is in
// setup/unit_graph.h. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "model/readiness.h"

namespace estiva::decide {

// The words of all "key=" lines of a unit and its drop-ins, in order. An empty assignment does not
// take back what stands before it: so it is with After=, Before=, Wants= and Requires=.
std::vector<std::string> unit_words(const UnitFact& unit, std::string_view key);
// The values of the lines, one a line; an empty assignment takes back those before it: so it is
// with ExecStart=.
std::vector<std::string> unit_commands(const UnitFact& unit, std::string_view key);
const UnitFact* find_unit(const std::vector<UnitFact>& units, std::string_view name);

// `first` starts before `second` by a line of one of the two.
bool is_ordered_before(const UnitFact& first, const UnitFact* second, std::string_view second_name);

}  // namespace estiva::decide
