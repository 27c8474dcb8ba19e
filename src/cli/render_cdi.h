// Pages and documents of 'estiva cdi'. Pure; what comes from outside is safe for a terminal.
#pragma once
#include <string>
#include <vector>

#include "cli/style.h"
#include "decide/cdi/check.h"
#include "decide/cdi/effective.h"
#include "format/cdi_rules.h"
#include "model/cdi.h"

namespace estiva::cli {

// A file with everything that is wrong with it.
struct CheckedSpec {
  CdiFile file;
  std::vector<format::CdiViolation> violations;
  std::vector<decide::CdiProblem> problems;
};
// Engines refuse it, or containers that ask for its devices fail.
bool is_wrong(const CheckedSpec& checked);

std::string render_cdi_list(const decide::CdiEffective& effective,
                            const std::vector<std::string>& dirs, const Style& style);
std::string cdi_list_json(const decide::CdiEffective& effective,
                          const std::vector<std::string>& dirs);
std::string render_cdi_check(const std::vector<CheckedSpec>& checked, const Style& style);
std::string cdi_check_json(const std::vector<CheckedSpec>& checked);

}  // namespace estiva::cli
