#include "cli/verb_recover.h"

#include <fmt/format.h>

#include "act/prepare.h"
#include "base/messages/cli_plan_run.h"
#include "cli/plan_run.h"
#include "cli/programs.h"
#include "cli/readiness.h"
#include "cli/recreate.h"
#include "cli/session.h"
#include "decide/readiness/rule.h"
#include "decide/setup/recover_plan.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

std::vector<std::string> notes_of(const Arguments& args, const ReadinessFacts& facts,
                                  const decide::RecoverPlan& recover) {
  std::vector<std::string> notes = recover.notes;
  const std::string_view form = args.has("--recreate") ? m::kWillRecreate : m::kToRecreate;
  for (const decide::LostContainer& one : recover.lost)
    notes.push_back(fmt::format(fmt::runtime(form), format::escape_for_terminal(one.name), one.why,
                                command_in_words(args, facts, one)));
  return notes;
}

}  // namespace

Result<int> run_recover(Session& session, const Arguments& args) {
  const auto where = PlanMachine::of(args);
  if (!where) return Failure(where.error());
  const bool is_undo = !args.words.empty() && args.words[0] == "undo";
  if (is_undo) return undo_runs(session, args, *where, "recover");
  if (args.has("--continue")) return continue_plan(session, args, *where, "recover");
  const bool recreates = args.has("--recreate");
  if (recreates && !where->is_real())
    return fail(ErrorKind::usage, std::string(m::kRecreateOnTree));
  const auto facts = readiness_of(args);
  if (!facts) return Failure(facts.error());
  decide::RecoverWish wish;
  wish.restart_engine = args.has("--restart-docker");
  wish.program = own_program();
  auto recover = decide::plan_recover(*facts, decide::judge_readiness(*facts), wish);
  if (auto ok = act::prepare(where->machine(), recover.plan); !ok) return Failure(ok.error());
  const auto notes = notes_of(args, *facts, recover);
  const Shown shown{recover.plan, notes, "recover", "estiva/recover-plan/1"};
  const bool only_shows = !args.words.empty() && args.words[0] == "plan";
  if (only_shows) {
    if (auto ok = show_plan(session, args, shown); !ok) return Failure(ok.error());
    return 0;
  }
  auto ran = run_plan(session, args, *where, shown);
  if (!ran || *ran != 0) return ran;
  const bool is_left = !recover.notes.empty() || (!recover.lost.empty() && !recreates);
  if (!recreates || recover.lost.empty()) return is_left ? 3 : 0;
  if (auto ok = recreate(session, args, *facts, recover.lost); !ok) return Failure(ok.error());
  return is_left ? 3 : 0;
}

}  // namespace estiva::cli
