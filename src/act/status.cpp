#include "act/status.h"

#include "act/run_log.h"
#include "act/standing.h"

namespace estiva::act {
namespace {

StepResult result_of(const Machine& machine, const Step& step, const StepLog& known) {
  const auto stand = stand_of(machine, step, known);
  if (!stand) return {StepState::failed, stand.error().sentence()};
  // What never had to be changed stands as long as it is so.
  const bool was_so = is_same(known.intent->before, stand->after);
  const bool stands =
      stand->is == Standing::as_after || (was_so && is_same(stand->now.state, stand->after));
  if (stands) return {StepState::stands, {}};
  return {StepState::drifted, describe_drift(known.intent->path, stand->after, stand->now.state)};
}

}  // namespace

Result<RunReport> status_of(const Machine& machine, const std::string& journal,
                            const std::string& run) {
  const auto log = RunLog::load(journal, run);
  if (!log) return Failure(log.error());
  RunReport report{run, log->plan(), {}, {}};
  const auto known = log->steps();
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known[i].intent || known[i].is_void()) {
      report.steps.push_back({StepState::pending, known[i].failure});
    } else if (known[i].is_left()) {
      report.steps.push_back({StepState::left_alone, known[i].undone->text});
    } else if (known[i].undone) {
      report.steps.push_back({StepState::undone, known[i].undone->text});
    } else if (is_touched_again(log->plan(), known, i)) {
      report.steps.push_back({StepState::stands, {}});
    } else {
      report.steps.push_back(result_of(machine, report.plan.steps[i], known[i]));
    }
  }
  return report;
}

}  // namespace estiva::act
