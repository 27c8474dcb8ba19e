#include "cli/verb_recover.h"

#include <algorithm>
#include <fmt/format.h>

#include "act/prepare.h"
#include "base/messages/cli_doctor.h"
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

// Only those that are lost now, too.
void keep_lost(std::vector<decide::LostContainer>& lost,
               const std::vector<decide::LostContainer>& now) {
  std::erase_if(lost, [&](const decide::LostContainer& one) {
    return std::ranges::find(now, one.id, &decide::LostContainer::id) == now.end();
  });
}

// Errors that neither the plan nor its notes speak of: they stay, and a person has to do something.
std::vector<std::string> left_of(const std::vector<Finding>& findings,
                                 const decide::RecoverPlan& recover) {
  std::vector<std::string> left;
  for (const Finding& one : findings) {
    const bool is_open = one.severity == Severity::error && one.remedy.fix != Fix::automatic;
    const bool is_of_machine = !one.id.starts_with('P');  // those are a container's or a file's
    if (!is_open || !is_of_machine || recover.told.contains(one.id)) continue;
    left.push_back(fmt::format(m::kNotFixed, one.id, one.title, one.remedy.text));
  }
  return left;
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
  const auto findings = decide::judge_readiness(*facts);
  auto recover = decide::plan_recover(*facts, findings, wish);
  if (auto ok = act::prepare(where->machine(), recover.plan); !ok) return Failure(ok.error());
  if (recover.plan.steps.empty()) recover.told.erase("D3");  // nothing reloads the modules here
  for (std::string& one : left_of(findings, recover)) recover.notes.push_back(std::move(one));
  const auto notes = notes_of(args, *facts, recover);
  Shown shown{recover.plan, notes, "recover", "estiva/recover-plan/1"};
  if (!recover.notes.empty()) shown.nothing = m::kRecoverNothing;
  const bool only_shows = !args.words.empty() && args.words[0] == "plan";
  if (only_shows) {
    if (auto ok = show_plan(session, args, shown); !ok) return Failure(ok.error());
    return recover.plan.steps.empty() && !recover.notes.empty() ? 3 : 0;
  }
  auto ran = run_plan(session, args, *where, shown);
  if (!ran || *ran != 0) return ran;
  // A restarted engine may have brought some of them back.
  if (recreates && !recover.plan.steps.empty()) {
    const auto now = readiness_of(args);
    if (!now) return Failure(now.error());
    keep_lost(recover.lost, decide::plan_recover(*now, decide::judge_readiness(*now), wish).lost);
  }
  const bool is_left = !recover.notes.empty() || (!recover.lost.empty() && !recreates);
  if (!recreates || recover.lost.empty()) return is_left ? 3 : 0;
  if (auto ok = recreate(session, args, *facts, recover.lost); !ok) return Failure(ok.error());
  return is_left ? 3 : 0;
}

}  // namespace estiva::cli
