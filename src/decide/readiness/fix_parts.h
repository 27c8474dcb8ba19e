// What the makers of fixes have in common. Each takes a finding and hands out the steps that mend
// it; none where this machine's case is not one that estiva mends. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/plan.h"
#include "model/readiness.h"

namespace estiva::decide {

using Steps = std::vector<Step>;

struct Fixing {
  const ReadinessFacts& facts;
  const Finding& finding;
  const std::string& program;  // this estiva
};

Step make_step(StepKind kind, std::string target, std::string reason, std::string effect,
               std::string_view undo);
// A text file with mode 0644, or the new content of one that keeps its own.
Step write_step(std::string_view path, std::string content, std::string reason);
Step reload_step();  // systemd reads its unit files again

// fix_spec.cpp
Steps renew_spec(const Fixing& fix);         // the file that the finding names
Steps give_group(const Fixing& fix);         // D14
Steps make_missing_spec(const Fixing& fix);  // C1, C2
// Of the driver beside compute and utility, what a specification gives, by --capabilities' words.
std::vector<std::string> capabilities_given_by(const CdiSpec& spec);
// The most that one of this machine could give; empty where none can be made now.
std::vector<std::string> capabilities_to_be_had(const ReadinessFacts& facts);
// fix_driver.cpp
Steps hold_driver(const Fixing& fix);    // D4
Steps share_gpus(const Fixing& fix);     // D20
Steps link_nodes(const Fixing& fix);     // K17
Steps allow_devices(const Fixing& fix);  // K31
// fix_daemon_json.cpp
Steps mend_daemon_json(const Fixing& fix);   // K7
Steps drop_doubled_keys(const Fixing& fix);  // K8
Steps declare_runtime(const Fixing& fix);    // K9
Steps right_runtime(const Fixing& fix);      // K11
Steps restore_features(const Fixing& fix);   // K10
// fix_units.cpp
Steps start_what_docker_left(const Fixing& fix);  // K4
Steps break_cycle(const Fixing& fix);             // K6

}  // namespace estiva::decide
