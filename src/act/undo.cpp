#include "act/undo.h"

#include <fmt/format.h>

#include "act/journal.h"
#include "act/standing.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

bool comes_last(const Step& step, const StepLog& known) {
  if (step.kind == StepKind::reload_units) return true;
  const bool reads = step.kind == StepKind::restart_unit || step.kind == StepKind::reload_unit;
  return reads && known.intent->before.word == "active";
}

bool changes_units(StepKind kind) {
  return kind == StepKind::write_file || kind == StepKind::remove_file ||
         kind == StepKind::enable_unit || kind == StepKind::disable_unit;
}

class Undoing {
 public:
  Undoing(const Machine& machine, RunLog log, const UndoOptions& options)
      : machine_(machine), log_(std::move(log)), options_(options), plan_(log_.plan()) {
    log_.set_boundary([this] { machine_.pass(); });
    report_.run = log_.id();
    report_.plan = plan_;
    report_.steps.resize(plan_.steps.size());
    known_ = log_.steps();
  }

  // Everything that somebody changed since, before anything is touched.
  Result<void> look_for_drift() {
    std::vector<std::string> drift;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (!is_standing(i) || is_touched_again(plan_, known_, i)) continue;
      const auto stand = stand_of(machine_, plan_.steps[i], known_[i]);
      if (!stand) return Failure(stand.error());
      if (stand->is == Standing::changed) drift.push_back(drift_text(i, *stand));
    }
    if (drift.empty() || options_.force || options_.keep_going) return {};
    std::string what = drift.front();
    if (drift.size() > 1) what = fmt::format(m::kRefusedMore, what, drift.size() - 1);
    return fail(ErrorKind::refused, std::move(what), std::string(m::kDriftHow));
  }

  RunReport to_end() {
    note_what_does_not_stand();
    if (log_.phase() == RunPhase::undone) return std::move(report_);
    if (auto begun = write(RecordKind::undo_begun); !begun) return give_up(begun.error());
    std::vector<std::size_t> last;
    for (std::size_t i = known_.size(); i-- > 0;) {
      if (!is_standing(i)) continue;
      if (comes_last(plan_.steps[i], known_[i])) {
        last.insert(last.begin(), i);
      } else {
        undo_step(i);
      }
    }
    for (const std::size_t i : last) undo_step(i);
    // Also where a step failed: this undo was not cut off, and the next one tries it again.
    const auto ended = write(RecordKind::undo_finished);
    if (!ended) return give_up(ended.error());
    return failed_ > 0 ? give_up({}) : std::move(report_);
  }

 private:
  bool is_standing(std::size_t i) const { return known_[i].intent && !known_[i].undone; }

  std::string drift_text(std::size_t i, const Stand& stand) const {
    return describe_drift(known_[i].intent->path, stand.after, stand.now.state);
  }

  void note_what_does_not_stand() {
    for (std::size_t i = 0; i < known_.size(); ++i) {
      const StepLog& known = known_[i];
      if (known.undone)
        report_.steps[i] = {known.is_left() ? StepState::left_alone : StepState::undone,
                            known.undone->text};
      if (!known.intent || known.is_void())
        report_.steps[i] = {StepState::pending, std::string(m::kNeverDone)};
    }
  }

  Result<void> write(RecordKind kind, std::size_t step = 0, std::string text = {},
                     std::string left = {}) {
    Record record;
    record.path = std::move(left);
    record.kind = kind;
    record.step = static_cast<std::uint32_t>(step);
    record.text = std::move(text);
    return log_.append(std::move(record));
  }

  void tell(std::size_t i, StepResult result) {
    report_.steps[i] = std::move(result);
    if (options_.on_step) options_.on_step(i, report_.steps[i]);
  }

  RunReport give_up(const std::optional<Error>& error) {
    if (error && !first_error_) first_error_ = error;
    const Error& first = *first_error_;
    Error whole = first;
    whole.what = fmt::format(m::kUndoFailed, failed_, known_.size(), first.what);
    whole.remedy = fmt::format(
        m::kUndoFailedHow, first.remedy.empty() ? std::string(m::kProgramFailedHow) : first.remedy);
    report_.error = std::move(whole);
    return std::move(report_);
  }

  // Goes on with the others where it fails: the more is as it was, the better.
  void undo_step(std::size_t i) {
    auto result = try_undo(i);
    if (!result) {
      ++failed_;
      if (!first_error_) first_error_ = result.error();
      return tell(i, {StepState::failed, result.error().what});
    }
    const bool is_left = result->state == StepState::left_alone;
    if (!is_left || options_.keep_going) {
      std::string path = is_left ? known_[i].intent->path : std::string();
      if (auto written = write(RecordKind::undone, i, result->text, std::move(path)); !written) {
        ++failed_;
        if (!first_error_) first_error_ = written.error();
      }
    }
    tell(i, std::move(*result));
  }

  Result<StepResult> try_undo(std::size_t i) {
    const Record& intent = *known_[i].intent;
    auto stand = stand_of(machine_, plan_.steps[i], known_[i]);
    if (!stand) return Failure(stand.error());
    if (stand->is == Standing::changed && !options_.force) {
      clean_up(intent);
      return StepResult{StepState::left_alone, fmt::format(m::kLeftAlone, drift_text(i, *stand))};
    }
    StepResult result{StepState::undone, std::string(m::kUndoneAlready)};
    if (stand->is == Standing::as_before) {
      if (auto tidied = tidy_unit_folders(i, *stand); !tidied) return Failure(tidied.error());
    } else {
      auto restored = restore(i, *stand);
      if (!restored && restored.error().kind == ErrorKind::degraded) {
        result = {StepState::kept, restored.error().what};
      } else if (!restored) {
        return Failure(restored.error());
      } else {
        result.text.clear();
      }
    }
    clean_up(intent);
    return result;
  }

  Result<void> restore(std::size_t i, Stand& stand) {
    const Step& step = plan_.steps[i];
    const Record& record = *known_[i].intent;
    if (auto kept = keep_drift(i, stand); !kept) return kept;
    Intent intent;
    intent.before.path = record.path;
    intent.before.state = record.before;
    intent.after = stand.after;
    intent.temp = record.temp;
    if (!record.saved.empty()) {
      auto content = log_.saved(record.saved, record.before.sha256, record.path);
      if (!content) return Failure(content.error());
      intent.before.content = std::move(*content);
    }
    if (changes_units(step.kind)) stale_units_ = true;
    if (auto fresh = refresh_units(step); !fresh) return fresh;
    auto restored = acts_of(step.kind).restore(machine_, step, intent, stand.now);
    machine_.pass();
    return restored;
  }

  // What is overwritten by force stays in the journal.
  Result<void> keep_drift(std::size_t i, const Stand& stand) {
    if (stand.is != Standing::changed || stand.now.state.is != State::Is::file) return {};
    return log_.save(fmt::format("{}.drift", i), stand.now.content);
  }

  // A unit that is started has to be started from the file that is there again.
  Result<void> refresh_units(const Step& step) {
    const bool starts = step.kind == StepKind::stop_unit || step.kind == StepKind::restart_unit;
    if (!starts || !stale_units_) return {};
    stale_units_ = false;
    return kReloadUnits.restore(machine_, step, {}, {});
  }

  // An undo that was cut off may have put back the links and not yet their folders.
  Result<void> tidy_unit_folders(std::size_t i, const Stand& stand) {
    const Step& step = plan_.steps[i];
    if (step.kind != StepKind::enable_unit && step.kind != StepKind::disable_unit) return {};
    Intent intent;
    intent.before.state = known_[i].intent->before;
    intent.after = stand.after;
    return kEnableUnit.restore(machine_, step, intent, stand.now);
  }

  void clean_up(const Record& intent) {
    remove_leftover(machine_.root, intent.path, intent.temp);
    for (auto folder = intent.made.rbegin(); folder != intent.made.rend(); ++folder) {
      remove_empty_folder(machine_.root, *folder);
    }
  }

  const Machine& machine_;
  RunLog log_;
  const UndoOptions& options_;
  const Plan plan_;
  RunReport report_;
  std::vector<StepLog> known_;
  std::optional<Error> first_error_;
  std::size_t failed_ = 0;
  bool stale_units_ = false;
};

}  // namespace

Result<RunReport> undo(const Machine& machine, const std::string& journal, const std::string& run,
                       const UndoOptions& options) {
  auto opened = Journal::open(journal);
  if (!opened) return Failure(opened.error());
  auto log = opened->load(run);
  if (!log) return Failure(log.error());
  Undoing undoing(machine, std::move(*log), options);
  if (auto fine = undoing.look_for_drift(); !fine) return Failure(fine.error());
  return undoing.to_end();
}

}  // namespace estiva::act
