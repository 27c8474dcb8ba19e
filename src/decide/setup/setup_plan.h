// 'estiva setup': everything that has to be so that GPUs reach containers, also after a reboot and
// an upgrade of the driver, as one Plan. Pure: what is on the machine arrives as facts; the caller
// fills in what each file holds now (act/prepare.h).
//
// NVIDIA's devices (nvidia.com/gpu) are declared by one file only, for two of one folder take each
// other away:
//   adopt      NVIDIA's own specification is there and healthy: it stays, and is ordered before the
//              engine; ours (estiva.dev/gpu) is published beside it
//   take over  nobody declares them, or the user agrees: ours declares nvidia.com/gpu, in the file
//              that NVIDIA's own refresh unit would write, so that the two never stand side by side
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "model/plan.h"
#include "model/readiness.h"

namespace estiva::decide {

struct SetupWish {
  bool take_over = false;       // also where NVIDIA's specification is there
  bool restart_engine = false;  // restart the engine where a change needs it
  bool log_rotation = true;
  bool unset_default_runtime = false;
  bool daemon = true;  // enable the estiva daemon where it is installed
  std::string program = "/usr/bin/estiva";
};

struct SetupPlan {
  Plan plan;                       // without hash, diffs and what files hold now
  std::vector<std::string> notes;  // sentences: what was left out, and what to know
};

// Errors (refused): there is no NVIDIA GPU; daemon.json can't be read by Docker either.
Result<SetupPlan> plan_setup(const ReadinessFacts& facts, const SetupWish& wish);

// What a person has to do before the steps of a plan are in force, a phrase each: Docker is to be
// restarted, or to read its settings again.
std::vector<std::string> left_to_do(const Plan& plan);
// Those that are still to be done: Docker runs since before its settings were changed, and does not
// list the runtime where a reload is enough.
std::vector<std::string> still_to_do(const Plan& plan, const ReadinessFacts& facts);

}  // namespace estiva::decide
