// Findings as documents: the JSON of doctor, and SARIF 2.1.0 for what reads that.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "decide/readiness/display.h"
#include "model/finding.h"
#include "model/plan.h"

namespace estiva::api {

struct DoctorReport {
  std::vector<Finding> findings;  // in the order of the ladder
  decide::DisplayReport display;
  std::vector<std::string> not_seen;  // sentences: what could not be looked at
  // One for each finding: what --fix would do for it alone, ready to be shown; none where it is not
  // mended automatically. Empty: nobody asked.
  std::vector<std::optional<Plan>> plans = {};
};

// A finding's "remedy" has "text", "fix", "automatic", "undo", "plan" (as write_plan(); or null).
// {"schema":"estiva/doctor/1","findings":[..],"summary":{..},"displays":[..],"advice":[..],
//  "not_seen":[..]}
std::string doctor_json(const DoctorReport& report);

// A log file of the Static Analysis Results Interchange Format (OASIS, 2.1.0). `version` is ours.
std::string findings_sarif(const std::vector<Finding>& findings, const std::string& version);

}  // namespace estiva::api
