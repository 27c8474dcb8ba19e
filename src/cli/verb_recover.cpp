#include "cli/verb_recover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "act/prepare.h"
#include "base/messages/cli_plan_run.h"
#include "cli/plan_run.h"
#include "cli/programs.h"
#include "cli/readiness.h"
#include "cli/session.h"
#include "decide/readiness/rule.h"
#include "decide/setup/recover_plan.h"
#include "format/text.h"
#include "host/program.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

constexpr std::chrono::seconds kRecreateTime{300};  // an image may have to be built

// What makes it again: Compose for what came from Compose; else a start, which asks anew.
std::vector<std::string> command_for(const decide::LostContainer& one) {
  if (one.project.empty() || one.service.empty()) return {"docker", "restart", one.name};
  std::vector<std::string> words = {"docker", "compose"};
  for (const std::string& file : one.compose_files) {
    words.emplace_back("-f");
    words.push_back(file);
  }
  for (const char* word : {"-p", one.project.c_str(), "up", "-d", "--no-deps", "--force-recreate",
                           one.service.c_str()})
    words.emplace_back(word);
  return words;
}

std::string in_words(const std::vector<std::string>& command) {
  return format::escape_for_terminal(fmt::format("{}", fmt::join(command, " ")));
}

std::vector<std::string> notes_of(const decide::RecoverPlan& recover, bool recreates) {
  std::vector<std::string> notes = recover.notes;
  for (const decide::LostContainer& one : recover.lost)
    notes.push_back(fmt::format(fmt::runtime(recreates ? m::kWillRecreate : m::kToRecreate),
                                one.name, one.why, in_words(command_for(one))));
  return notes;
}

// Returns how many could not be made again.
Result<std::size_t> recreate(Session& session, const std::vector<decide::LostContainer>& lost) {
  std::size_t failed = 0;
  for (const decide::LostContainer& one : lost) {
    const auto command = command_for(one);
    const auto end = host::ask_program(command, {kRecreateTime, 1 << 20});
    const bool is_done = end && end->signal == 0 && end->exit_code == 0;
    if (!is_done) ++failed;
    const std::string text = fmt::format(fmt::runtime(is_done ? m::kRecreated : m::kNotRecreated),
                                         format::escape_for_terminal(one.name), in_words(command));
    if (auto ok = session.out.write(text + "\n"); !ok) return Failure(ok.error());
  }
  return failed;
}

}  // namespace

Result<int> run_recover(Session& session, const Arguments& args) {
  const auto where = PlanMachine::of(args);
  if (!where) return Failure(where.error());
  const bool is_undo = !args.words.empty() && args.words[0] == "undo";
  if (is_undo) return undo_runs(session, args, *where, "recover");
  const auto facts = readiness_of(args);
  if (!facts) return Failure(facts.error());
  decide::RecoverWish wish;
  wish.restart_engine = args.has("--restart-docker");
  wish.program = own_program();
  auto recover = decide::plan_recover(*facts, decide::judge_readiness(*facts), wish);
  if (auto ok = act::prepare(where->machine(), recover.plan); !ok) return Failure(ok.error());
  const bool recreates = args.has("--recreate");
  const auto notes = notes_of(recover, recreates);
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
  const auto failed = recreate(session, recover.lost);
  if (!failed) return Failure(failed.error());
  return *failed > 0 ? 1 : is_left ? 3 : 0;
}

}  // namespace estiva::cli
