#include "cli/verb_setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "act/journal.h"
#include "act/prepare.h"
#include "act/status.h"
#include "base/messages/cli_plan_run.h"
#include "cli/dockerd_check.h"
#include "cli/plan_run.h"
#include "cli/programs.h"
#include "cli/readiness.h"
#include "cli/session.h"
#include "decide/setup/setup_plan.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

decide::SetupWish wish_of(const Arguments& args) {
  decide::SetupWish wish;
  wish.take_over = args.has("--take-over");
  wish.restart_engine = args.has("--restart-docker");
  wish.log_rotation = !args.has("--no-log-rotation");
  wish.unset_default_runtime = args.has("--unset-default-runtime");
  wish.daemon = !args.has("--no-daemon");
  wish.program = own_program();
  return wish;
}

Result<decide::SetupPlan> make_plan(const Arguments& args, const PlanMachine& where) {
  const auto facts = readiness_without_cuda(args);
  if (!facts) return Failure(facts.error());
  auto made = decide::plan_setup(*facts, wish_of(args));
  if (!made) return Failure(made.error());
  if (auto ok = act::prepare(where.machine(), made->plan); !ok) return Failure(ok.error());
  if (auto ok = check_with_dockerd(where, *facts, made->plan); !ok) return Failure(ok.error());
  return std::move(*made);
}

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? std::string(m::kSetupNone)
                       : format::escape_for_terminal(fmt::format("{}", fmt::join(names, ", ")));
}

std::string engine_words(const EngineFacts& engine) {
  if (!engine.api_error.empty()) return engine.api_error + "\n";
  const bool is_podman = engine.kind == EngineKind::podman;
  const std::string text =
      fmt::format(m::kSetupRuntimes, is_podman ? m::kSetupPodman : m::kSetupDocker,
                  listed(engine.runtimes), format::escape_for_terminal(engine.default_runtime)) +
      "\n";
  // Podman's API has no list of them.
  return text +
         (is_podman ? std::string(m::kSetupPodmanDevices)
                    : fmt::format(m::kSetupDevices, listed(engine.discovered))) +
         "\n";
}

// How it stands, and what `docker info | grep nvidia` and `nvidia-ctk cdi list` would show.
Result<int> status(Session& session, const Arguments& args, const PlanMachine& where) {
  auto code = show_standing(session, args, where, "setup");
  if (!code || args.has("--json")) return code;
  const auto facts = readiness_without_cuda(args);
  if (!facts) return Failure(facts.error());
  std::string text = engine_words(facts->engine);
  const auto runs = act::standing_runs(where.journal(), "setup", where.root());
  for (const act::RunInfo& run : runs ? *runs : std::vector<act::RunInfo>{}) {
    const auto report = act::status_of(where.machine(), where.journal(), run.id);
    if (!report) continue;  // was told above
    for (const std::string& phrase : decide::still_to_do(report->plan, *facts))
      text += to_do_line(phrase);
  }
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return code;
}

}  // namespace

Result<int> run_setup(Session& session, const Arguments& args) {
  const std::string& what = args.words[0];
  const auto where = PlanMachine::of(args);
  if (!where) return Failure(where.error());
  if (what == "undo") return undo_runs(session, args, *where, "setup");
  if (what == "status") return status(session, args, *where);
  if (what == "apply" && args.has("--continue"))
    return continue_plan(session, args, *where, "setup");
  const auto made = make_plan(args, *where);
  if (!made) return Failure(made.error());
  const Shown shown{made->plan, made->notes, "setup", "estiva/setup-plan/1"};
  if (what == "apply") return run_plan(session, args, *where, shown);
  if (auto ok = show_plan(session, args, shown); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
