// One command out of the words of a line; used by scenario files and by the control socket.
#pragma once
#include "sim/core/tokens.h"

namespace estiva::sim {

bool is_verb(std::string_view word);
// Reads the whole rest of the line; what is wrong with it is in line.problem().
Command read_command(Line& line, unsigned cards);

}  // namespace estiva::sim
