// What every verb that changes the machine does with its Plan: show it, ask, run it, say how it
// went.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "act/machine.h"
#include "act/report.h"
#include "base/error.h"
#include "cli/arguments.h"
#include "model/plan.h"

namespace estiva::cli {

// The machine that plans act on: the one under --root, systemctl and modprobe of this one, and the
// generator of specifications. Must outlive what uses it.
class PlanMachine {
 public:
  static Result<PlanMachine> of(const Arguments& args);
  const act::Machine& machine() const { return *machine_; }
  const std::string& journal() const { return journal_; }
  // As the journal names it.
  const std::string& root() const { return root_; }
  bool is_real() const;

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;
  const act::Machine* machine_ = nullptr;
  std::string journal_, root_;
};

// A plan and what a person should know beside it.
struct Shown {
  const Plan& plan;
  const std::vector<std::string>& notes;
  std::string_view verb;    // "setup": for the commands that are named
  std::string_view schema;  // "estiva/setup-plan/1"
  // Said in place of a plan without steps; empty: that everything is so already.
  std::string_view nothing = {};
};

// A phrase of decide::left_to_do as a line.
std::string to_do_line(const std::string& phrase);

// Prints it, as text or JSON; a plan without steps says that nothing is to be done.
Result<void> show_plan(Session& session, const Arguments& args, const Shown& shown);

// --plan HASH or --yes, or a yes at the terminal; then runs it. Refused (exit 5) where the hash is
// another one, where nobody can be asked, or without the right to change the machine. With --json
// only the run's document is printed. Returns the exit code.
Result<int> run_plan(Session& session, const Arguments& args, const PlanMachine& where,
                     const Shown& shown);

// Goes on with the run of the plan called `id` that was cut off, without asking again. Refused
// where none was. Returns the exit code.
Result<int> continue_plan(Session& session, const Arguments& args, const PlanMachine& where,
                          std::string_view id);

// How the newest run of the plan called `id` on this tree stands.
Result<int> show_standing(Session& session, const Arguments& args, const PlanMachine& where,
                          std::string_view id);
enum class UndoAsks : std::uint8_t {
  where_it_restarts,
  always,  // and shows first what would be taken back
};
// Takes back every run of it that stands, the newest first: --force, --keep-going. Refused without
// --yes or a yes at the terminal where `asks` says so. Exit code 3 where something was
// kept or left alone.
Result<int> undo_runs(Session& session, const Arguments& args, const PlanMachine& where,
                      std::string_view id, UndoAsks asks = UndoAsks::where_it_restarts);

}  // namespace estiva::cli
