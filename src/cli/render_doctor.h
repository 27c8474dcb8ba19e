// Pages of doctor and verify for people. Pure; what comes from outside is safe for a terminal.
#pragma once
#include <string>
#include <vector>

#include "api/finding_json.h"
#include "cli/style.h"
#include "decide/readiness/rule.h"
#include "decide/verify/ladder.h"

namespace estiva::cli {

std::string render_doctor(const api::DoctorReport& report, const Style& style);
// The signatures, a line each.
std::string render_rules(const Style& style);
std::string render_explained(const std::vector<decide::Explained>& causes, const Style& style);
std::string render_ladder(const decide::Ladder& ladder, const Style& style);

}  // namespace estiva::cli
