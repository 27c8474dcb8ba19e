#include "cli/verb_doctor.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <unistd.h>

#include "act/prepare.h"
#include "api/finding_json.h"
#include "base/messages/cli_cdi.h"
#include "base/messages/cli_doctor.h"
#include "base/unique_fd.h"
#include "cli/dockerd_check.h"
#include "cli/doctor_pages.h"
#include "cli/local_world.h"
#include "cli/named_path.h"
#include "cli/output.h"
#include "cli/plan_run.h"
#include "cli/programs.h"
#include "cli/readiness.h"
#include "cli/render_doctor.h"
#include "cli/session.h"
#include "decide/readiness/fixes.h"
#include "decide/readiness/look.h"
#include "decide/readiness/rule.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "format/yaml_tree.h"
#include "host/files.h"
#include "observe/readiness/compose.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

constexpr std::size_t kMostLog = 64 << 20;  // a day of a busy engine's log

// All of standard input, up to one byte more than may be.
Result<std::string> read_standard_input() {
  std::string text;
  char piece[65'536];
  while (text.size() <= kMostLog) {
    const ssize_t size = ::read(STDIN_FILENO, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_errno(m::kReadingInput, errno);
    if (size == 0) return text;
    text.append(piece, static_cast<std::size_t>(size));
  }
  return fail(fmt::format(m::kLogTooLong, to_text(Bytes{kMostLog})),
              std::string(m::kLogTooLongRemedy));
}

std::string explained_json(const std::vector<decide::Explained>& causes) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("schema", "estiva/explain-error/1").key("causes").begin_array();
  for (const decide::Explained& cause : causes) {
    const decide::Rule* rule = decide::find_rule(cause.rule);
    if (rule == nullptr) continue;
    json.begin_object().field("id", rule->id).field("severity", to_name(rule->severity));
    json.field("title", rule->name).field("line", cause.line).field("text", cause.text);
    json.key("remedy").begin_object().field("text", rule->remedy);
    json.field("fix", to_name(rule->fix)).end_object();
    json.key("also").begin_array();
    for (const std::string& other : cause.also) json.value(other);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text;
}

// A file, or where there is none of that name and it has blanks, the pasted text itself.
Result<std::string> read_log(const std::string& file) {
  auto log = host::read_local_file(file, kMostLog);
  if (log) return log;
  if (log.error().kind == ErrorKind::not_found && file.find_first_of(" \n\t") != file.npos)
    return file;
  if (log.error().remedy.empty()) log.error().remedy = m::kPipeIt;
  return log;
}

Result<int> explain(Session& session, const Arguments& args, std::string_view file) {
  const bool from_input = file.empty() || file == "-";
  const auto log = from_input ? read_standard_input() : read_log(std::string(file));
  if (!log) return Failure(log.error());
  const auto causes = decide::explain_log(*log);
  std::string text =
      args.has("--json") ? explained_json(causes) + "\n" : render_explained(causes, session.style);
  if (!args.has("--json") && format::trim(*log).empty()) text = std::string(m::kEmptyLog) + "\n";
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return causes.empty() ? 0 : 1;
}

// The page of docs/doctor/ about one signature.
Result<int> page_of(Session& session, std::string_view id) {
  std::string name(id);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const decide::Rule* rule = decide::find_rule(name);
  if (rule == nullptr)
    return fail(ErrorKind::usage,
                fmt::format(m::kNoSuchRule, format::escape_for_terminal(id.substr(0, 60))),
                std::string(m::kNoSuchRuleRemedy));
  if (auto ok = session.out.write(doctor_text(*rule)); !ok) return Failure(ok.error());
  return 0;
}

bool has_error(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& one) { return one.severity == Severity::error; });
}

// The system's own words for it, at the place where it was looked for.
Failure unread(const Arguments& args, const ComposeFact& file) {
  const auto root = host::Root::open(sources_of(args).root);
  if (!root) return Failure(root.error());
  const auto text = host::read_file(*root, file.path);
  Error error = text ? Error{ErrorKind::failed, file.path, {}} : text.error();
  error.remedy = m::kComposeUnreadRemedy;
  if (!root->is_real()) error.remedy += fmt::format(m::kNoFolderInTree, root->dir());
  return Failure(std::move(error));
}

// What was named and can't be read is not passed over.
Result<ReadinessFacts> facts_of(const Arguments& args) {
  for (const std::string& file : args.values("--compose"))
    if (auto inside = machine_path_of(sources_of(args).root, file); !inside)
      return Failure(inside.error());
  const auto named = readiness_sources(args).compose_files;
  if (named.size() > observe::kMostComposeFiles)
    return fail(ErrorKind::usage,
                fmt::format(m::kComposeTooMany, named.size(), observe::kMostComposeFiles),
                std::string(m::kComposeTooManyRemedy));
  auto facts = readiness_of(args);
  if (!facts) return facts;
  for (const ComposeFact& file : facts->compose) {
    if (std::ranges::find(named, file.path) == named.end()) continue;
    if (!file.text) return unread(args, file);
    const auto tree = format::YamlTree::parse(*file.text);
    if (tree) continue;
    Error error = tree.error().in(fmt::format(m::kComposeBroken, file.path));
    if (error.remedy.empty()) error.remedy = m::kComposeBrokenRemedy;
    return Failure(std::move(error));
  }
  return facts;
}

std::vector<std::string> not_seen_of(const ReadinessFacts& facts) {
  std::vector<std::string> sentences = facts.not_seen;
  const bool has_one = decide::has_gpu(facts) || !decide::nvidia_displays(facts).empty() ||
                       !facts.driver.gpus.empty();
  if (!has_one) sentences.emplace_back(m::kNoNvidiaGpu);
  return sentences;
}

// 3: no error in what could be seen, and that is not all.
int exit_of(const std::vector<Finding>& findings, const std::vector<std::string>& not_seen) {
  if (has_error(findings)) return 1;
  return not_seen.empty() ? 0 : 3;
}

std::string not_fixed(const Finding& finding) {
  const std::string text =
      fmt::format(m::kNotFixed, finding.id, finding.title, finding.remedy.text);
  const std::string_view command = decide::command_for(finding.id);
  const bool is_asked = finding.remedy.fix == Fix::asks && !command.empty();
  return is_asked ? fmt::format(m::kNotFixedCommand, text, command) : text;
}

// Shows and does what can be mended, then looks again: exit 1 where errors are left.
Result<int> fix(Session& session, const Arguments& args) {
  const auto where = PlanMachine::of(args);
  if (!where) return Failure(where.error());
  auto facts = facts_of(args);
  if (!facts) return Failure(facts.error());
  const auto findings = decide::judge_readiness(*facts);
  Plan plan = decide::plan_fixes(*facts, findings, own_program());
  if (auto ok = act::prepare(where->machine(), plan); !ok) return Failure(ok.error());
  if (auto ok = check_with_dockerd(*where, *facts, plan); !ok) return Failure(ok.error());
  std::vector<std::string> notes;
  for (const Finding& one : findings)
    if (one.remedy.fix != Fix::automatic && one.severity != Severity::info)
      notes.push_back(not_fixed(one));
  Shown shown{plan, notes, "doctor", "estiva/doctor-plan/1"};
  if (!notes.empty()) shown.nothing = m::kNothingOfOurs;
  auto ran = run_plan(session, args, *where, shown);
  if (!ran) return ran;
  if (plan.steps.empty()) return exit_of(findings, not_seen_of(*facts));
  facts = readiness_of(args);
  if (!facts) return Failure(facts.error());
  const auto left = decide::judge_readiness(*facts);
  if (!args.has("--json")) {
    const std::string text = render_doctor({left, {}, not_seen_of(*facts)}, session.style);
    if (auto ok = session.out.write("\n" + text); !ok) return Failure(ok.error());
  }
  return exit_of(left, not_seen_of(*facts));
}

// For each finding what --fix would do for it alone; none where it can't be shown to this user.
std::vector<std::optional<Plan>> plans_for(const Arguments& args, const ReadinessFacts& facts,
                                           const std::vector<Finding>& findings) {
  std::vector<std::optional<Plan>> plans(findings.size());
  const auto where = PlanMachine::of(args);
  for (std::size_t i = 0; where && i < findings.size(); ++i) {
    if (!decide::has_fix(findings[i].id)) continue;
    Plan plan = decide::plan_fixes(facts, {findings[i]}, own_program());
    if (!plan.steps.empty() && act::prepare(where->machine(), plan)) plans[i] = std::move(plan);
  }
  return plans;
}

Result<int> look(Session& session, const Arguments& args) {
  auto facts = facts_of(args);
  if (!facts) return Failure(facts.error());
  api::DoctorReport report{decide::judge_readiness(*facts), decide::look_at_displays(*facts),
                           not_seen_of(*facts)};
  if (args.has("--json")) report.plans = plans_for(args, *facts, report.findings);
  std::string text;
  if (args.has("--sarif"))
    text = api::findings_sarif(report.findings, ESTIVA_VERSION) + "\n";
  else if (args.has("--json"))
    text = api::doctor_json(report) + "\n";
  else
    text = render_doctor(report, session.style);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return exit_of(report.findings, report.not_seen);
}

// What would be passed over otherwise, and a user would think that it was done.
Result<void> check_words(const Arguments& args) {
  const bool fixes = args.has("--fix"), undoes = args.has("--undo");
  if (fixes && undoes) return fail(ErrorKind::usage, std::string(m::kFixOrUndo));
  if (fixes || undoes) return {};
  for (const char* flag : {"--plan", "--yes"})
    if (args.has(flag))
      return fail(ErrorKind::usage, fmt::format(m::kOnlyWithFix, flag),
                  fmt::format(m::kOnlyWithFixRemedy, flag));
  return {};
}

}  // namespace

Result<int> run_doctor(Session& session, const Arguments& args) {
  if (const auto id = args.value("--rules"); id && !id->empty()) return page_of(session, *id);
  if (args.has("--rules")) {
    if (auto ok = session.out.write(render_rules(session.style)); !ok) return Failure(ok.error());
    return 0;
  }
  if (const auto folder = args.value("--pages")) {
    if (auto ok = write_doctor_pages(std::string(*folder)); !ok) return Failure(ok.error());
    return 0;
  }
  if (args.has("--explain-error"))
    return explain(session, args, args.value("--explain-error").value_or(""));
  if (auto ok = check_words(args); !ok) return Failure(ok.error());
  if (args.has("--undo")) {
    const auto where = PlanMachine::of(args);
    if (!where) return Failure(where.error());
    return undo_runs(session, args, *where, "doctor", UndoAsks::always);
  }
  if (args.has("--continue")) {
    const auto where = PlanMachine::of(args);
    if (!where) return Failure(where.error());
    return continue_plan(session, args, *where, "doctor");
  }
  if (args.has("--fix")) return fix(session, args);
  return look(session, args);
}

}  // namespace estiva::cli
