// The manual page, made of the same table as the help.
#pragma once
#include <span>
#include <string>

#include "cli/arguments.h"

namespace estiva::cli {

// "estiva.1" in man(7)'s language. Pure.
std::string manual_page(std::span<const Verb> verbs);

}  // namespace estiva::cli
