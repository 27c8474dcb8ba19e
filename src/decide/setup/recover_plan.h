// 'estiva recover': a GPU that containers have lost is brought back without a reboot where that can
// be: the driver's modules are loaded anew where nobody uses them, the specification is made anew,
// what must be restarted is restarted, and the containers that have to be made again are named.
// Pure.
#pragma once
#include <string>
#include <vector>

#include "model/finding.h"
#include "model/plan.h"
#include "model/readiness.h"

namespace estiva::decide {

struct RecoverWish {
  bool restart_engine = false;
  std::string program = "/usr/bin/estiva";
};

// One that keeps failing until it is made again.
struct LostContainer {
  std::string name, project, service;
  std::vector<std::string> compose_files;
  std::string why;  // the engine's words, or a sentence
  friend bool operator==(const LostContainer&, const LostContainer&) = default;
};

struct RecoverPlan {
  Plan plan;                        // as its maker wrote it: act/prepare.h completes it
  std::vector<LostContainer> lost;  // by name
  std::vector<std::string> notes;   // sentences: what can't be done here, and what to do
};

// `findings`: judge_readiness's.
RecoverPlan plan_recover(const ReadinessFacts& facts, const std::vector<Finding>& findings,
                         const RecoverWish& wish);

}  // namespace estiva::decide
