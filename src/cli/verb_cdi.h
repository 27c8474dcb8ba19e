// estiva cdi generate | list | check: CDI specifications made, looked through and judged.
#pragma once
#include <string>
#include <string_view>

#include "cli/arguments.h"
#include "model/plan.h"

namespace estiva::cli {

// generate: exit code 3 where there is no GPU, 1 where what could be made would not work (then no
// file is left). list, check: 1 where something is wrong with a specification.
Result<int> run_cdi(Session& session, const Arguments& args);

// The text of our own specification, made from the machine under `root` as it is now,
// judged before it is given out. For the plans that write one. `content` is the step's: a kind, and
// behind blanks the newest version of CDI that it may take and capabilities beside compute:
// "nvidia.com/gpu 0.7.0 graphics,video".
Result<std::string> make_own_spec(const std::string& root, std::string_view content);

}  // namespace estiva::cli
