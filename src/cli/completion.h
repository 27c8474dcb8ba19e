// Shell completion, generated from the table of verbs: what the parser takes is what is offered.
#pragma once
#include <span>
#include <string>

#include "cli/arguments.h"

namespace estiva::cli {

// A script for bash (source it, or put it in /usr/share/bash-completion/completions/estiva), zsh (a
// _estiva file in $fpath) or fish. `shell` must be one of the three. Pure.
std::string completion_script(std::string_view shell, std::span<const Verb> verbs);

Result<int> run_completion(Session& session, const Arguments& args);

}  // namespace estiva::cli
