#include "act/apply.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "act/journal.h"
#include "act/standing.h"
#include "act/steps.h"
#include "base/messages/act.h"
#include "format/plan_text.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;
using format::escape_for_terminal;

// Is the outcome of an earlier step what this one acts on? It is then looked at in its turn.
bool depends_on_earlier(const Plan& plan, std::size_t i) {
  const Step& step = plan.steps[i];
  return std::any_of(plan.steps.begin(), plan.steps.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const Step& earlier) {
                       if (earlier.kind == StepKind::load_module) {
                         return step.kind == StepKind::set_sysctl || earlier.target == step.target;
                       }
                       return earlier.target == step.target && !step.target.empty();
                     });
}

Error changed(const Step& step, const State& now) {
  return Error{ErrorKind::refused,
               fmt::format(m::kChanged, escape_for_terminal(step.target),
                           describe_expected(step.expects), describe(now)),
               {}};
}

class Run {
 public:
  Run(const Machine& machine, RunLog log, const OnStep& on_step)
      : machine_(machine), log_(std::move(log)), on_step_(on_step), plan_(log_.plan()) {
    log_.set_boundary([this] { machine_.pass(); });
    report_.run = log_.id();
    report_.plan = plan_;
    report_.steps.resize(plan_.steps.size());
  }

  RunReport to_end() {
    const auto earlier = log_.steps();
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const StepLog& known = earlier[i];
      const bool is_begun = known.intent && !known.undone;
      if (is_begun) touched_.insert(known.intent->path);
      if (known.done) {
        report_.steps[i] = {StepState::done, known.done->text};
        continue;
      }
      auto text = is_begun ? finish(i, *known.intent) : begin(i);
      if (!text) return stop(i, text.error());
      const bool was_so = *text == m::kIsSoAlready;
      tell(i, {was_so ? StepState::unchanged : StepState::done, std::move(*text)});
    }
    Record finished;
    finished.kind = RecordKind::finished;
    if (auto written = log_.append(finished); !written) report_.error = written.error();
    return std::move(report_);
  }

 private:
  void tell(std::size_t i, StepResult result) {
    report_.steps[i] = std::move(result);
    if (on_step_) on_step_(i, report_.steps[i]);
  }

  RunReport stop(std::size_t i, const Error& error) {
    Record failed;
    failed.kind = RecordKind::failed;
    failed.step = static_cast<std::uint32_t>(i);
    failed.text = error.what;
    (void)log_.append(failed);  // for people; the intent without its `done` says it already
    forget_if_untouched(i);
    tell(i, {StepState::failed, error.what});
    Error whole = error;
    whole.what = fmt::format(m::kStepFailed, i + 1, plan_.steps.size(),
                             escape_for_terminal(plan_.steps[i].target), error.what);
    std::string how = error.remedy.empty() ? std::string(m::kProgramFailedHow) : error.remedy;
    const std::string &id = plan_.id, &root = log_.root();
    whole.remedy = log_.standing() == 0
                       ? fmt::format(m::kStepFailedFirstHow, how)
                       : fmt::format(m::kStepFailedHow, how, command_for(id, root, Next::proceed),
                                     command_for(id, root, Next::undo));
    report_.error = std::move(whole);
    return std::move(report_);
  }

  // A step that failed and left no trace is as one that was never begun.
  void forget_if_untouched(std::size_t i) {
    const StepLog known = log_.steps()[i];
    if (!known.intent || known.done) return;
    const auto stand = stand_of(machine_, plan_.steps[i], known);
    if (!stand || stand->is != Standing::as_before) return;
    const StepKind kind = plan_.steps[i].kind;
    const bool is_link = kind == StepKind::enable_unit || kind == StepKind::disable_unit;
    if (!is_link && !is_same(stand->now.state, known.intent->before)) return;
    clear_away(*known.intent);
    Record nothing;
    nothing.kind = RecordKind::undone;
    nothing.step = static_cast<std::uint32_t>(i);
    (void)log_.append(nothing);  // else it is looked at by the undo
  }

  // What was made on the way to a step's effect.
  void clear_away(const Record& record) {
    remove_leftover(machine_.root, record.path, record.temp);
    for (auto folder = record.made.rbegin(); folder != record.made.rend(); ++folder) {
      remove_empty_folder(machine_.root, *folder);
    }
  }

  // A step of which nothing was done yet.
  Result<std::string> begin(std::size_t i) {
    const Step& step = plan_.steps[i];
    auto found = acts_of(step.kind).look(machine_, step);
    if (!found) return Failure(found.error());
    // A file is looked at once more just before it is changed.
    const bool is_ours = touched_.contains(found->path) || found->state.is == State::Is::word;
    if (!is_ours && !is_as_expected(found->state, step.expects)) {
      return Failure(changed(step, found->state));
    }
    return carry_out(i, std::move(*found));
  }

  Result<std::string> carry_out(std::size_t i, Found before) {
    const Step& step = plan_.steps[i];
    Intent intent;
    intent.before = std::move(before);
    touched_.insert(intent.before.path);
    intent.temp = fmt::format(".estiva-{}-{}.tmp", log_.id(), i);
    if (auto meant = acts_of(step.kind).intend(machine_, step, intent); !meant) {
      return Failure(meant.error());
    }
    Record record;
    record.step = static_cast<std::uint32_t>(i);
    record.path = intent.before.path;
    record.temp = intent.temp;
    record.made = intent.made;
    record.before = intent.before.state;
    record.after = intent.after;
    if (intent.before.state.is == State::Is::file) {
      record.saved = fmt::format("{}", i);
      if (auto saved = log_.save(record.saved, intent.before.content); !saved) {
        return Failure(saved.error());
      }
    }
    if (auto written = log_.append(record); !written) return Failure(written.error());
    return effect(step, std::move(record), intent);
  }

  Result<std::string> effect(const Step& step, Record record, Intent& intent) {
    auto text = acts_of(step.kind).run(machine_, step, intent);
    if (!text) return text;
    record.kind = RecordKind::done;
    record.after = intent.after;
    record.text = *text;
    if (auto written = log_.append(std::move(record)); !written) return Failure(written.error());
    return text;
  }

  // A step that was cut off.
  Result<std::string> finish(std::size_t i, const Record& record) {
    const Step& step = plan_.steps[i];
    const StepActs& acts = acts_of(step.kind);
    auto now = acts.now(machine_, step, record.path);
    if (!now) return Failure(now.error());
    if (record.before.is == State::Is::word) {
      Intent intent;
      intent.before = word_found(record.path, {});
      intent.before.state = record.before;
      intent.after = record.after;
      return effect(step, record, intent);
    }
    if (is_same(now->state, record.before)) {
      // What was made on the way to it is made again, and has to go at the undo.
      clear_away(record);
      return carry_out(i, std::move(*now));
    }
    if (is_same(now->state, record.after)) {
      remove_leftover(machine_.root, record.path, record.temp);
      Record done = record;
      done.kind = RecordKind::done;
      if (auto written = log_.append(std::move(done)); !written) return Failure(written.error());
      return std::string();
    }
    return fail(ErrorKind::refused,
                fmt::format(m::kCantContinue, log_.id(), escape_for_terminal(record.path),
                            describe(now->state)),
                std::string(m::kCantContinueHow));
  }

  const Machine& machine_;
  RunLog log_;
  const OnStep& on_step_;
  const Plan plan_;
  RunReport report_;
  std::set<std::string> touched_;  // by earlier steps of this run
};

Result<void> check_hash(const Plan& plan, const std::string& shown) {
  const std::string hash = format::hash_of(plan);
  const std::string& meant = shown.empty() ? plan.hash : shown;
  if (hash == plan.hash && hash == meant) return {};
  return fail(
      ErrorKind::refused,
      fmt::format(m::kHashWrong, escape_for_terminal(plan.id), hash, escape_for_terminal(meant)),
      std::string(m::kHashWrongHow));
}

// What the first of several reasons says, and how many more there are.
Failure refuse(const std::vector<Error>& problems) {
  std::string what = fmt::format(m::kRefused, problems.front().what);
  if (problems.size() > 1) what = fmt::format(m::kRefusedMore, what, problems.size() - 1);
  std::string how = problems.front().remedy;
  if (how.empty()) how = m::kRefusedHow;
  return fail(ErrorKind::refused, std::move(what), std::move(how));
}

Result<void> check_from(const Machine& machine, const Plan& plan,
                        const std::vector<StepLog>& known) {
  std::vector<Error> problems;
  std::set<std::string> touched;  // one file may have two names
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const bool begun = i < known.size() && known[i].intent && !known[i].undone;
    if (begun) touched.insert(known[i].intent->path);
    if (begun || depends_on_earlier(plan, i)) continue;
    const auto found = acts_of(step.kind).look(machine, step);
    if (!found) {
      problems.push_back(found.error());
    } else if (touched.insert(found->path).second && !is_as_expected(found->state, step.expects)) {
      problems.push_back(changed(step, found->state));
    }
  }
  if (problems.empty()) return {};
  return refuse(problems);
}

}  // namespace

std::string_view to_name(StepState state) {
  switch (state) {
    case StepState::pending:
      return "pending";
    case StepState::done:
      return "done";
    case StepState::unchanged:
      return "unchanged";
    case StepState::failed:
      return "failed";
    case StepState::stands:
      return "stands";
    case StepState::drifted:
      return "drifted";
    case StepState::undone:
      return "undone";
    case StepState::left_alone:
      return "left_alone";
    case StepState::kept:
      return "kept";
  }
  return "pending";
}

Result<void> check_plan(const Machine& machine, const Plan& plan) {
  return check_from(machine, plan, {});
}

Result<RunReport> apply(const Machine& machine, const std::string& journal, const Plan& plan,
                        const ApplyOptions& options) {
  if (auto fine = check_hash(plan, options.shown_hash); !fine) return Failure(fine.error());
  if (plan.steps.empty()) return RunReport{{}, plan, {}, {}};
  auto opened = Journal::open(journal);
  if (!opened) return Failure(opened.error());
  if (auto fine = check_plan(machine, plan); !fine) return Failure(fine.error());
  auto log = opened->begin(plan, root_of(machine));
  if (!log) return Failure(log.error());
  machine.pass();
  return Run(machine, std::move(*log), options.on_step).to_end();
}

Result<RunReport> continue_run(const Machine& machine, const std::string& journal,
                               const std::string& run, const OnStep& on_step) {
  auto opened = Journal::open(journal);
  if (!opened) return Failure(opened.error());
  auto log = opened->load(run);
  if (!log) return Failure(log.error());
  if (log->phase() != RunPhase::interrupted) {
    return fail(ErrorKind::refused, fmt::format(m::kNotInterrupted, run),
                std::string(m::kNotInterruptedHow));
  }
  if (auto fine = check_from(machine, log->plan(), log->steps()); !fine) {
    return Failure(fine.error());
  }
  return Run(machine, std::move(*log), on_step).to_end();
}

}  // namespace estiva::act
