// Takes a run back: its steps in reverse order, each exactly as it was before. What is as it was
// already is left as it is, so an undo can be repeated, and one that was cut off goes on.
#pragma once
#include <string>

#include "act/machine.h"
#include "act/report.h"
#include "base/error.h"

namespace estiva::act {

struct UndoOptions {
  bool force = false;  // also what somebody changed since; that is kept in saved/N.drift
  // Undoes the rest, and leaves what somebody changed since to them, for good.
  bool keep_going = false;
  OnStep on_step;
};

// A Failure means that nothing was changed: refused where something was changed since and neither
// option is given (the sentence says what and how many), or another process is at it; not_found.
// daemon-reload and the restart of units that the run restarted come last, once the old files are
// there again. The report's `error` says what could not be undone; the rest is undone.
Result<RunReport> undo(const Machine& machine, const std::string& journal, const std::string& run,
                       const UndoOptions& options = {});

}  // namespace estiva::act
