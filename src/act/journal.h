// The folder of all runs (/var/lib/estiva/plans, or another one). One process changes a machine at
// a time: it holds the lock for as long as its Journal lives.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "act/machine.h"
#include "act/run_log.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "model/plan.h"

namespace estiva::act {

// Runs that are undone and are kept for people to look at.
inline constexpr std::size_t kUndoneKept = 20;
// Beyond it no plan is run: a run that stands is never thrown away, so something must be undone.
inline constexpr std::size_t kMostRuns = 1000;

struct RunInfo {
  std::string id;       // "000012": a later run has a greater one
  std::string plan_id;  // "setup"; empty where the run can't be read
  std::string hash;
  std::int64_t begun_ns = 0;  // wall clock
  RunPhase phase = RunPhase::interrupted;
  std::size_t steps = 0, standing = 0;
  std::string problem;     // why it can't be read; empty: it can
  std::string root = "/";  // the tree it changed, as its canonical path
  std::size_t done = 0;    // steps that were done to their end
  std::size_t left = 0;    // steps that an undo left to the user
};

// All runs, the oldest first; needs no lock. A folder that is not there has none.
Result<std::vector<RunInfo>> list_runs(const std::string& dir);
// The tree that a machine's plans change, as the journal names it: an absolute path without links.
std::string root_of(const Machine& machine);
// Those of one plan on one tree of which something stands, the newest first: the order in which to
// undo them.
Result<std::vector<RunInfo>> standing_runs(const std::string& dir, std::string_view plan_id,
                                           std::string_view root = "/");

enum class Next : std::uint8_t { proceed, undo };
// What to type for it: "estiva setup undo --root /srv/tree".
std::string command_for(std::string_view plan_id, std::string_view root, Next next);

class Journal {
 public:
  // Makes the folder (0700) where there is none, and takes the lock. Refused when another process
  // holds it.
  static Result<Journal> open(const std::string& dir);

  // Refused while a run on the same tree was interrupted. Removes old runs that are undone.
  Result<RunLog> begin(const Plan& plan, const std::string& root);
  Result<RunLog> load(const std::string& id) const { return RunLog::load(dir_, id); }
  // Removes all but the newest `keep` of the runs that are undone; the others are never touched.
  Result<void> prune(std::size_t keep);

 private:
  explicit Journal(std::string dir) : dir_(std::move(dir)) {}
  std::string dir_;
  UniqueFd lock_;
};

}  // namespace estiva::act
