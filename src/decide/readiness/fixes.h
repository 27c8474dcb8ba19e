// 'estiva doctor --fix': for findings that can be mended automatically and undoably, the steps that
// do it. Pure; act/prepare fills in what each file holds now.
#pragma once
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/plan.h"
#include "model/readiness.h"

namespace estiva::decide {

// Whether estiva has steps for it. A rule whose remedy is automatic but that is not here is told to
// the user as something that a person does.
bool has_fix(std::string_view rule);

// The command that does what --fix does not, because it stops or restarts something: "estiva setup
// apply --restart-docker". Empty: there is none.
std::string_view command_for(std::string_view rule);

// Whether it has steps for this very finding: a rule may find what can be mended and what can't.
bool can_fix(const ReadinessFacts& facts, const Finding& finding);

// The steps for all of `findings`, lowest rung first, each once. Findings without steps are left
// out. `program`: this estiva, for units that name it.
Plan plan_fixes(const ReadinessFacts& facts, const std::vector<Finding>& findings,
                const std::string& program);

}  // namespace estiva::decide
