// One row a kind of step: how it is looked at, done, compared and taken back. Nothing here writes
// the journal; the runner does, before and after.
#pragma once
#include <string>

#include "act/files.h"
#include "act/machine.h"
#include "act/record.h"

namespace estiva::act {

// A step that is about to be done, or was.
struct Intent {
  Found before;
  State after;                    // as it will be; what a program decides is known only after it
  std::vector<std::string> made;  // folders that have to be made
  std::string temp;               // in: the name that may be used; out: empty where none is needed
  std::string content;            // to be written
};

struct StepActs {
  // What is there, and every reason why the step can't be done. Changes nothing.
  Result<Found> (*look)(const Machine& machine, const Step& step);
  // Fills the rest of an intent whose `before` and `temp` are set. Changes nothing.
  Result<void> (*intend)(const Machine& machine, const Step& step, Intent& intent);
  // Does it, and sets intent.after to what came of it. Also for a step that was interrupted.
  // The text is a remark for people; mostly empty.
  Result<std::string> (*run)(const Machine& machine, const Step& step, Intent& intent);
  // What is there now, at the place that was acted on.
  Result<Found> (*now)(const Machine& machine, const Step& step, const std::string& path);
  // Makes it as intent.before says (with its content), from what is there now.
  Result<void> (*restore)(const Machine& machine, const Step& step, const Intent& intent,
                          const Found& now);
};

const StepActs& acts_of(StepKind kind);

// The rows, one file a kind.
extern const StepActs kWriteFile, kRemoveFile, kRunGenerator, kEnableUnit, kRunUnit, kReloadUnits,
    kLoadModule, kUnloadModule, kSetSysctl, kMakeNode, kSetMode, kSetComputeMode, kSetBoolean;

// Pieces that several rows share.
Result<Found> look_at_target(const Machine& machine, const Step& step, bool follow);
Result<Found> look_at_place(const Machine& machine, const Step& step, const std::string& path);
Result<void> restore_place(const Machine& machine, const Step& step, const Intent& intent,
                           const Found& now);
// Makes the folders that are missing, then the thing itself.
Result<void> make_so(const Machine& machine, const Intent& intent);
// The state of something that is no file.
Found word_found(std::string path, std::string word);

}  // namespace estiva::act
