// 'estiva recover --recreate': makes containers again that have lost their GPU, as they were: by
// Compose with their own files, or by a start. Whatever fails leaves the old one in its place.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/session.h"
#include "decide/setup/recover_plan.h"
#include "model/readiness.h"

namespace estiva::cli {

// The words that a person can type for it, for this engine.
std::string command_in_words(const Arguments& args, const ReadinessFacts& facts,
                             const decide::LostContainer& one);

// One service after the other; a line for each on `session.out`, none with --json. An error
// (failed) says how many could not be made again; why each could not is on `session.err`. Blocking.
Result<void> recreate(Session& session, const Arguments& args, const ReadinessFacts& facts,
                      const std::vector<decide::LostContainer>& lost);

}  // namespace estiva::cli
