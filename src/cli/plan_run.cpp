#include "cli/plan_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <set>
#include <unistd.h>

#include "act/apply.h"
#include "act/command.h"
#include "act/journal.h"
#include "act/status.h"
#include "act/undo.h"
#include "api/places.h"
#include "api/plan_json.h"
#include "base/clock.h"
#include "base/messages/cli_plan_run.h"
#include "cli/render_plan.h"
#include "cli/session.h"
#include "cli/verb_cdi.h"
#include "decide/setup/setup_plan.h"
#include "format/json_writer.h"
#include "format/shell_word.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;
using format::JsonWriter;
using format::shell_word;

Result<void> print(Session& session, const std::string& text) {
  return session.out.write(text);
}

std::string notes_text(const std::vector<std::string>& notes) {
  std::string out;
  for (const std::string& note : notes)
    out += fmt::format(m::kPlanNote, escape_for_terminal(note)) + "\n";
  return out;
}

void write_notes(JsonWriter& json, const std::vector<std::string>& notes) {
  json.key("notes").begin_array();
  for (const std::string& note : notes) json.value(note);
  json.end_array();
}

// The command that the user may type next: "setup apply" or "doctor --fix", with what was said
// about the plan this time, for it would be another plan without that.
std::string command_of(const Arguments& args, std::string_view what) {
  static constexpr std::string_view kNotOfThePlan[] = {"--plan",  "--yes",        "--json",
                                                       "--diff",  "--fix",        "--undo",
                                                       "--force", "--keep-going", "--continue"};
  std::string command = fmt::format("estiva {}", args.verb->name);
  const bool is_doctor = args.verb->name == "doctor";
  command += is_doctor ? (what == "undo" ? " --undo" : " --fix") : fmt::format(" {}", what);
  for (const auto& [name, value] : args.flags) {
    if (std::ranges::find(kNotOfThePlan, name) != std::end(kNotOfThePlan)) continue;
    command += fmt::format(" {}", name);
    if (!value.empty()) command += " " + shell_word(value);
  }
  return escape_for_terminal(command);
}

// A yes at the terminal; anything else, and no terminal, is a no.
bool is_agreed(Session& session) {
  (void)session.out.write(std::string(m::kPlanAsk));
  char answer[16] = {};
  const ssize_t n = ::read(STDIN_FILENO, answer, sizeof answer - 1);
  return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

Result<void> check_right(const Arguments& args, const PlanMachine& where, const Shown& shown) {
  if (!where.is_real() || ::geteuid() == 0) return {};
  return fail(
      ErrorKind::denied, std::string(m::kPlanNeedsRoot),
      fmt::format(m::kPlanNeedsRootRemedy, command_of(args, "apply"), short_hash(shown.plan.hash)));
}

// A plan is named by its hash, or by enough of its beginning.
Result<void> check_hash(const Arguments& args, const PlanMachine& where, const Shown& shown,
                        std::string_view hash) {
  constexpr std::size_t kLeast = 8, kWhole = 64;
  const bool is_hash = hash.find_first_not_of("0123456789abcdef") == hash.npos &&
                       hash.size() >= kLeast && hash.size() <= kWhole;
  if (!is_hash)
    return fail(ErrorKind::usage, fmt::format(m::kPlanBadHash, escape_for_terminal(hash)),
                std::string(m::kPlanBadHashRemedy));
  if (shown.plan.hash.starts_with(hash)) return {};
  const std::string_view now = short_hash(shown.plan.hash);
  const auto runs = act::list_runs(where.journal());
  const bool was_done = runs && std::ranges::any_of(*runs, [&](const act::RunInfo& run) {
                          return run.hash.starts_with(hash);
                        });
  if (!was_done)
    return fail(ErrorKind::refused, fmt::format(m::kPlanUnknown, short_hash(hash)),
                fmt::format(m::kPlanUnknownRemedy, command_of(args, "plan"), now));
  return fail(ErrorKind::refused, fmt::format(m::kPlanIsAnother, short_hash(hash), now),
              fmt::format(m::kPlanIsAnotherRemedy, command_of(args, "plan")));
}

Result<void> check_agreed(Session& session, const Arguments& args, const PlanMachine& where,
                          const Shown& shown) {
  if (const auto hash = args.value("--plan")) {
    return check_hash(args, where, shown, *hash);
  }
  if (args.has("--yes")) return {};
  const bool can_ask = ::isatty(STDIN_FILENO) == 1 && session.style.terminal;
  if (can_ask && !args.has("--json") && is_agreed(session)) return {};
  return fail(
      ErrorKind::refused, std::string(can_ask ? m::kPlanNotAgreed : m::kPlanNobodyToAsk),
      fmt::format(m::kPlanNotAgreedRemedy, command_of(args, "apply"), short_hash(shown.plan.hash)));
}

// What the runs did, the newest first, and how each step is taken back.
Result<std::string> shown_runs(const PlanMachine& where, const std::vector<act::RunInfo>& runs) {
  std::string text;
  for (const act::RunInfo& run : runs) {
    const auto report = act::status_of(where.machine(), where.journal(), run.id);
    if (!report) return Failure(report.error());
    text += fmt::format(m::kUndoRun, run.id, run.plan_id, to_rfc3339({run.begun_ns})) + "\n";
    for (const Step& step : report->plan.steps)
      text += escape_for_terminal(fmt::format(m::kUndoStep, step.reason, step.undo)) + "\n";
  }
  return text;
}

Result<void> check_undo_shown(Session& session, const Arguments& args, const PlanMachine& where,
                              const std::vector<act::RunInfo>& runs) {
  const auto text = shown_runs(where, runs);
  if (!text) return Failure(text.error());
  if (!args.has("--json"))
    if (auto ok = print(session, *text); !ok) return ok;
  if (args.has("--yes")) return {};
  const bool can_ask = ::isatty(STDIN_FILENO) == 1 && session.style.terminal && !args.has("--json");
  if (can_ask && is_agreed(session)) return {};
  return fail(ErrorKind::refused, std::string(m::kUndoAll),
              fmt::format(m::kUndoRestartsRemedy, command_of(args, "undo")));
}

// Taking back what restarted something restarts it again: never without a yes.
Result<void> check_undo_agreed(Session& session, const Arguments& args, const PlanMachine& where,
                               const std::vector<act::RunInfo>& runs) {
  if (args.has("--yes")) return {};
  std::string restarts;
  for (const act::RunInfo& run : runs) {
    const auto report = act::status_of(where.machine(), where.journal(), run.id);
    if (!report) return Failure(report.error());
    for (const Step& step : report->plan.steps)
      if (step.risk == Risk::interrupts) restarts = step.target;
  }
  if (restarts.empty()) return {};
  const bool can_ask = ::isatty(STDIN_FILENO) == 1 && session.style.terminal;
  if (can_ask) {
    (void)session.out.write(fmt::format(m::kUndoRestarts, escape_for_terminal(restarts)) + "\n");
    if (is_agreed(session)) return {};
  }
  return fail(ErrorKind::refused, fmt::format(m::kUndoRestarts, escape_for_terminal(restarts)),
              fmt::format(m::kUndoRestartsRemedy, command_of(args, "undo")));
}

std::string run_json(std::string_view verb, std::string_view what, const act::RunReport& report,
                     const std::vector<std::string>& notes) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", fmt::format("estiva/{}-{}/1", verb, what)).key("run");
  api::write_run(json, report);
  write_notes(json, notes);
  json.end_object();
  return text + "\n";
}

// Where the run stopped before its end: what to type.
std::string interrupted_text(const act::RunInfo& run) {
  if (run.phase != act::RunPhase::interrupted) return {};
  return fmt::format(m::kRunStopped, run.done, run.steps,
                     act::command_for(run.plan_id, run.root, act::Next::proceed),
                     act::command_for(run.plan_id, run.root, act::Next::undo)) +
         "\n";
}

// What the last undo left to the user; empty: nothing.
Result<std::string> left_text(const PlanMachine& where, const act::RunInfo& run) {
  const auto report = act::status_of(where.machine(), where.journal(), run.id);
  if (!report) return Failure(report.error());
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < report->steps.size(); ++i) {
    const std::string& target = report->plan.steps[i].target;
    const bool is_new = std::ranges::find(targets, target) == targets.end();
    if (report->steps[i].state == act::StepState::left_alone && is_new) targets.push_back(target);
  }
  if (targets.empty()) return std::string();
  return fmt::format(m::kRunLeft, run.id, format::counted(targets.size(), "change"),
                     escape_for_terminal(fmt::format("{}", fmt::join(targets, ", ")))) +
         "\n";
}

// Runs of the same plan elsewhere, which nothing here concerns: a line a tree.
Result<std::string> other_trees_text(const PlanMachine& where, std::string_view id) {
  const auto runs = act::list_runs(where.journal());
  if (!runs) return Failure(runs.error());
  std::set<std::string> roots;
  for (const act::RunInfo& run : *runs) {
    const bool stands = run.phase != act::RunPhase::undone && run.problem.empty();
    if (run.plan_id == id && stands && run.root != where.root()) roots.insert(run.root);
  }
  std::string out;
  for (const std::string& root : roots)
    out += fmt::format(m::kRunElsewhere, escape_for_terminal(root)) + "\n";
  return out;
}

// Where no run stands.
Result<std::string> not_set_up(const Arguments& args, const PlanMachine& where,
                               std::string_view id) {
  const auto runs = act::list_runs(where.journal());
  if (!runs) return Failure(runs.error());
  std::string out = fmt::format(m::kNotSetUp, command_of(args, "plan"), command_of(args, "apply"));
  out += "\n";
  for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
    if (run->plan_id != id || run->root != where.root()) continue;
    auto left = left_text(where, *run);
    if (!left) return left;
    out += *left;
    break;
  }
  const auto others = other_trees_text(where, id);
  return others ? Result<std::string>(out + *others) : others;
}

// A line as each step ends, so that a person sees what takes time.
act::OnStep progress(Session& session, const Arguments& args, const Plan& plan) {
  if (args.has("--json")) return {};
  return [&session, &plan](std::size_t step, const act::StepResult& result) {
    (void)session.out.write(render_step(step + 1, plan.steps[step], result, session.style));
  };
}

}  // namespace

struct PlanMachine::Parts {
  host::Root root;
  act::RealCommands commands;
  act::Machine machine;
  explicit Parts(host::Root opened) : root(std::move(opened)), machine{root, commands, {}, {}} {}
};

Result<PlanMachine> PlanMachine::of(const Arguments& args) {
  auto root = host::Root::open(std::string(args.value("--root").value_or("/")));
  if (!root) return Failure(root.error());
  PlanMachine where;
  where.parts_ = std::make_shared<Parts>(std::move(*root));
  where.parts_->machine.generate = [dir = where.parts_->root.dir()](const Step& step) {
    return make_own_spec(dir, step.content);
  };
  where.machine_ = &where.parts_->machine;
  where.journal_ = api::resolve_places().state_dir + "/plans";
  where.root_ = act::root_of(*where.machine_);
  return where;
}

bool PlanMachine::is_real() const {
  return parts_->root.is_real();
}

std::string to_do_line(const std::string& phrase) {
  return fmt::format(m::kPlanLeft, escape_for_terminal(phrase)) + "\n";
}

Result<void> show_plan(Session& session, const Arguments& args, const Shown& shown) {
  if (args.has("--json")) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("schema", shown.schema).key("plan");
    api::write_plan(json, shown.plan);
    write_notes(json, shown.notes);
    json.end_object();
    return print(session, text + "\n");
  }
  const NewFiles new_files = args.has("--diff") ? NewFiles::whole : NewFiles::counted;
  const std::string text =
      shown.plan.steps.empty()
          ? std::string(shown.nothing.empty() ? m::kPlanNothing : shown.nothing) + "\n"
          : render_plan(shown.plan, new_files, session.style);
  return print(session, text + notes_text(shown.notes));
}

Result<int> run_plan(Session& session, const Arguments& args, const PlanMachine& where,
                     const Shown& shown) {
  // Who names the plan has seen it, and a program that says neither yes nor which gets the plan.
  const bool is_agreed = args.has("--plan") || args.has("--yes");
  const bool is_shown = args.has("--json") ? !is_agreed && !shown.plan.steps.empty()
                                           : !args.has("--plan") || shown.plan.steps.empty();
  if (is_shown)
    if (auto ok = show_plan(session, args, shown); !ok) return Failure(ok.error());
  act::RunReport report;
  report.plan = shown.plan;
  if (!shown.plan.steps.empty()) {
    if (auto ok = check_right(args, where, shown); !ok) return Failure(ok.error());
    if (auto ok = check_agreed(session, args, where, shown); !ok) return Failure(ok.error());
    const act::ApplyOptions options{shown.plan.hash, progress(session, args, shown.plan)};
    auto ran = act::apply(where.machine(), where.journal(), shown.plan, options);
    if (!ran) return Failure(ran.error());
    report = std::move(*ran);
  }
  if (args.has("--json"))
    if (auto ok = print(session, run_json(shown.verb, "run", report, shown.notes)); !ok)
      return Failure(ok.error());
  if (report.error) return Failure(*report.error);
  if (!args.has("--json") && !shown.plan.steps.empty()) {
    std::string text = fmt::format(m::kPlanDone, command_of(args, "undo")) + "\n";
    for (const std::string& phrase : decide::left_to_do(shown.plan)) text += to_do_line(phrase);
    if (auto ok = print(session, text); !ok) return Failure(ok.error());
  }
  return 0;
}

Result<int> continue_plan(Session& session, const Arguments& args, const PlanMachine& where,
                          std::string_view id) {
  const auto runs = act::standing_runs(where.journal(), id, where.root());
  if (!runs) return Failure(runs.error());
  const auto run = std::ranges::find(*runs, act::RunPhase::interrupted, &act::RunInfo::phase);
  if (run == runs->end())
    return fail(ErrorKind::refused, fmt::format(m::kNothingToContinue, id),
                fmt::format(m::kNothingToContinueRemedy, command_of(args, "plan")));
  if (where.is_real() && ::geteuid() != 0)
    return fail(ErrorKind::denied, std::string(m::kPlanNeedsRoot),
                fmt::format(m::kUndoNeedsRootRemedy,
                            act::command_for(run->plan_id, run->root, act::Next::proceed)));
  const auto standing = act::status_of(where.machine(), where.journal(), run->id);
  if (!standing) return Failure(standing.error());
  const auto ran = act::continue_run(where.machine(), where.journal(), run->id,
                                     progress(session, args, standing->plan));
  if (!ran) return Failure(ran.error());
  if (args.has("--json"))
    if (auto ok = print(session, run_json(id, "run", *ran, {})); !ok) return Failure(ok.error());
  if (ran->error) return Failure(*ran->error);
  if (!args.has("--json"))
    if (auto ok = print(session, fmt::format(m::kPlanDone, command_of(args, "undo")) + "\n"); !ok)
      return Failure(ok.error());
  return 0;
}

Result<int> show_standing(Session& session, const Arguments& args, const PlanMachine& where,
                          std::string_view id) {
  const auto runs = act::standing_runs(where.journal(), id, where.root());
  if (!runs) return Failure(runs.error());
  const bool is_json = args.has("--json");
  if (runs->empty()) {
    const auto text = is_json ? Result<std::string>(fmt::format(
                                    "{{\"schema\":\"estiva/{}-status/1\",\"run\":null}}\n", id))
                              : not_set_up(args, where, id);
    if (!text) return Failure(text.error());
    if (auto ok = print(session, *text); !ok) return Failure(ok.error());
    return 0;
  }
  bool drifted = false;
  for (const act::RunInfo& run : *runs) {
    auto report = act::status_of(where.machine(), where.journal(), run.id);
    if (!report) return Failure(report.error());
    for (const act::StepResult& step : report->steps)
      drifted |= step.state == act::StepState::drifted || step.state == act::StepState::failed;
    drifted |= run.phase == act::RunPhase::interrupted;
    const std::string text = is_json ? run_json(id, "status", *report, {})
                                     : render_run(*report, session.style) + interrupted_text(run);
    if (auto ok = print(session, text); !ok) return Failure(ok.error());
    if (is_json) break;  // one document: the newest
  }
  if (!is_json) {
    const auto others = other_trees_text(where, id);
    if (!others) return Failure(others.error());
    if (auto ok = print(session, *others); !ok) return Failure(ok.error());
  }
  return drifted ? 1 : 0;
}

// One document, however many runs were taken back; "run" is the newest of them.
std::string undone_json(std::string_view id, const std::vector<act::RunReport>& reports) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", fmt::format("estiva/{}-undo/1", id)).key("run");
  if (reports.empty())
    json.null();
  else
    api::write_run(json, reports.front());
  json.key("runs").begin_array();
  for (const act::RunReport& report : reports) api::write_run(json, report);
  json.end_array().end_object();
  return text + "\n";
}

Result<int> undo_runs(Session& session, const Arguments& args, const PlanMachine& where,
                      std::string_view id, UndoAsks asks) {
  const auto runs = act::standing_runs(where.journal(), id, where.root());
  if (!runs) return Failure(runs.error());
  const bool is_json = args.has("--json");
  if (runs->empty()) {
    const std::string text = is_json ? undone_json(id, {}) : fmt::format(m::kPlanNoRun, id) + "\n";
    if (auto ok = print(session, text); !ok) return Failure(ok.error());
    return 0;
  }
  if (where.is_real() && ::geteuid() != 0)
    return fail(ErrorKind::denied, std::string(m::kPlanNeedsRoot),
                fmt::format(m::kUndoNeedsRootRemedy, command_of(args, "undo")));
  const auto check = asks == UndoAsks::always ? check_undo_shown : check_undo_agreed;
  if (auto ok = check(session, args, where, *runs); !ok) return Failure(ok.error());
  bool is_left = false;
  std::vector<act::RunReport> reports;
  std::optional<Error> error;
  for (const act::RunInfo& run : *runs) {
    act::UndoOptions options;
    options.force = args.has("--force");
    options.keep_going = args.has("--keep-going");
    auto report = act::undo(where.machine(), where.journal(), run.id, options);
    if (!report) return Failure(report.error());
    if (!is_json)
      if (auto ok = print(session, render_run(*report, session.style)); !ok)
        return Failure(ok.error());
    for (const act::StepResult& step : report->steps)
      is_left |= step.state == act::StepState::kept || step.state == act::StepState::left_alone;
    error = report->error;
    reports.push_back(std::move(*report));
    if (error) break;
  }
  if (is_json)
    if (auto ok = print(session, undone_json(id, reports)); !ok) return Failure(ok.error());
  if (error) return Failure(std::move(*error));
  return is_left ? 3 : 0;
}

}  // namespace estiva::cli
