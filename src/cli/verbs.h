// Every verb there is: one row each.
#pragma once
#include <span>

#include "cli/arguments.h"

namespace estiva::cli {

std::span<const Verb> all_verbs();

// "estiva help": every verb with a line. "estiva help VERB": its words and options.
std::string help_text(std::span<const Verb> verbs);
std::string help_text(const Verb& verb);

}  // namespace estiva::cli
