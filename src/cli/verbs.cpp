#include "cli/verbs.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/messages/cli_cdi.h"
#include "base/messages/cli_discover.h"
#include "base/messages/cli_doctor.h"
#include "base/messages/cli_keys.h"
#include "base/messages/cli_models.h"
#include "base/messages/cli_plan_run.h"
#include "base/messages/cli_top.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "cli/session.h"
#include "cli/verb_assign.h"
#include "cli/verb_cdi.h"
#include "cli/verb_daemon.h"
#include "cli/verb_doctor.h"
#include "cli/verb_events.h"
#include "cli/verb_gpu.h"
#include "cli/verb_key.h"
#include "cli/verb_login.h"
#include "cli/verb_models.h"
#include "cli/verb_notify.h"
#include "cli/verb_record.h"
#include "cli/verb_recover.h"
#include "cli/verb_replay.h"
#include "cli/verb_report.h"
#include "cli/verb_run.h"
#include "cli/verb_setup.h"
#include "cli/verb_simulate.h"
#include "cli/verb_status.h"
#include "cli/verb_token.h"
#include "cli/verb_top.h"
#include "cli/verb_verify.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

Result<int> run_help(Session& session, const Arguments& args);
Result<int> run_version(Session& session, const Arguments& args);

constexpr Flag kJson{"--json", "", m::kHelpJson, ""};
constexpr Flag kVram{"--vram", "SIZE", m::kHelpVram, ""};
constexpr Flag kVramMb{"--vram-mb", "N", m::kHelpVramMb, ""};
constexpr Flag kGpu{"--gpu", "GPU", m::kHelpGpu, ""};
constexpr Flag kGpus{"--gpus", "N", m::kHelpGpus, ""};
constexpr Flag kPolicy{"--policy", "POLICY", m::kHelpPolicy, "auto|least-utilized|pack"};
constexpr Flag kNvml{"--nvml", "FILE", m::kHelpNvml, ""};
constexpr Flag kRoot{"--root", "DIR", m::kHelpRoot, ""};
constexpr Flag kRootToChange{"--root", "DIR", m::kHelpRootToChange, ""};
constexpr Flag kMachine{"--machine", "DIR", m::kHelpMachine, ""};
constexpr Flag kStateDir{"--state-dir", "DIR", m::kHelpStateDir, ""};
constexpr Flag kRuntimeDir{"--runtime-dir", "DIR", m::kHelpRuntimeDir, ""};

constexpr Flag kReportFlags[] = {kJson,
                                 {"--watch", "", m::kHelpWatch, ""},
                                 {"--interval", "TIME", m::kHelpInterval, ""},
                                 {"--seconds", "N", m::kHelpSeconds, ""},
                                 kNvml,
                                 kRoot,
                                 kMachine};
constexpr Flag kGpuFlags[] = {kJson,
                              {"--watch", "", m::kHelpWatch, ""},
                              {"--interval", "TIME", m::kHelpInterval, ""},
                              {"--seconds", "N", m::kHelpSeconds, ""},
                              {"--dismiss", "GPU", m::kHelpDismiss, ""},
                              {"--names", "", m::kHelpGpuNames, ""},
                              kNvml,
                              kRoot,
                              kMachine};
constexpr Flag kTopFlags[] = {{"--once", "", m::kHelpOnce, "", false, "-1"},
                              {"--json", "", m::kHelpTopJson, ""},
                              {"--sort", "KEY", m::kHelpSort, "vram|sm|pid|model|container"},
                              {"--lines", "N", m::kHelpLines, ""},
                              {"--gpu", "GPU", m::kHelpTopGpu, ""},
                              {"--interval", "TIME", m::kHelpTopInterval, ""},
                              {"--seconds", "N", m::kHelpTopSeconds, ""},
                              kNvml,
                              kRoot,
                              kMachine};
constexpr Flag kAssignFlags[] = {
    kVram, kVramMb, kGpu, kGpus, kPolicy, {"--pid", "PID", m::kHelpPid, ""}, kJson};
constexpr Flag kReleaseFlags[] = {kJson};
constexpr Flag kLeasesFlags[] = {kJson, {"--names", "", m::kHelpNames, ""}};
constexpr Flag kRunFlags[] = {kVram,
                              kVramMb,
                              kGpu,
                              kGpus,
                              kPolicy,
                              {"--name", "NAME", m::kHelpRunName, ""},
                              {"--wait", "TIME", m::kHelpWait, ""}};
constexpr Flag kDaemonFlags[] = {{"--simulate", "SCENARIO", m::kHelpSimulate, "", true},
                                 {"--config", "FILE", m::kHelpConfig, ""},
                                 {"--listen", "ADDRESS", m::kHelpListen, ""},
                                 {"--gateway", "ADDRESS", m::kHelpGateway, ""},
                                 {"--keep-models", "", m::kHelpKeepModels, ""},
                                 kStateDir,
                                 kRuntimeDir,
                                 {"--interval", "TIME", m::kHelpSampling, ""},
                                 {"--fresh-state", "", m::kHelpFreshState, ""},
                                 kNvml,
                                 kRoot,
                                 kMachine,
                                 {"--kernel-log", "FILE", m::kHelpKernelLog, ""}};
constexpr Flag kSimulateFlags[] = {{"--list", "", m::kHelpSimulateList, ""},
                                   {"--dir", "DIR", m::kHelpSimulateDir, ""}};
constexpr Flag kLoginFlags[] = {{"--end-all", "", m::kHelpEndAll, ""}, kJson};
constexpr Flag kEventsFlags[] = {{"--follow", "", m::kHelpFollow, ""},
                                 {"--since", "TIME", m::kHelpSince, ""},
                                 {"--grep", "TEXT", m::kHelpGrep, ""},
                                 {"--limit", "N", m::kHelpLimit, ""},
                                 kJson};

constexpr Flag kRecordFlags[] = {{"--seconds", "TIME", m::kHelpRecordSeconds, ""},
                                 {"--interval", "TIME", m::kHelpRecordInterval, ""},
                                 {"--names", "", m::kHelpRecordNames, ""},
                                 {"--list", "", m::kHelpRecordList, ""},
                                 {"--docker", "HOST", m::kHelpRecordDocker, ""},
                                 kNvml,
                                 kRoot,
                                 kJson};
constexpr Flag kReportArchiveFlags[] = {{"--yes", "", m::kHelpReportYes, ""},
                                        {"--list", "", m::kHelpReportList, ""},
                                        {"--names", "", m::kHelpRecordNames, ""},
                                        {"--docker", "HOST", m::kHelpRecordDocker, ""},
                                        {"--config", "FILE", m::kHelpConfig, ""},
                                        kNvml,
                                        kRoot,
                                        kJson};
constexpr Flag kDocker{"--docker", "HOST", m::kHelpDoctorDocker, ""};
constexpr Flag kPlanHash{"--plan", "HASH", m::kHelpPlanHash, ""};
constexpr Flag kDiff{"--diff", "", m::kHelpDiff, ""};
constexpr Flag kYes{"--yes", "", m::kHelpYes, ""};
constexpr Flag kForce{"--force", "", m::kHelpForce, ""};
constexpr Flag kKeepGoing{"--keep-going", "", m::kHelpKeepGoing, ""};
constexpr Flag kContinue{"--continue", "", m::kHelpContinue, ""};
constexpr Flag kRestartDocker{"--restart-docker", "", m::kHelpRestartDocker, ""};
constexpr Flag kDoctorFlags[] = {kJson,
                                 {"--sarif", "", m::kHelpSarif, ""},
                                 {"--fix", "", m::kHelpFix, ""},
                                 kPlanHash,
                                 kYes,
                                 kDiff,
                                 kContinue,
                                 {"--undo", "", m::kHelpFixUndo, ""},
                                 kForce,
                                 kKeepGoing,
                                 {"--compose", "FILE", m::kHelpCompose, "", false, "", true},
                                 {"--explain-error", "FILE", m::kHelpExplainError, "", true},
                                 {"--rules", "ID", m::kHelpRules, "", true},
                                 {"--pages", "DIR", m::kHelpPages, ""},
                                 kDocker,
                                 kNvml,
                                 {"--root", "DIR", m::kHelpDoctorRoot, ""}};
constexpr Flag kCdiFlags[] = {{"--output", "FILE", m::kHelpOutput, "", false, "-o"},
                              {"--kind", "KIND", m::kHelpKind, ""},
                              {"--capabilities", "LIST", m::kHelpCapabilities, ""},
                              {"--cdi-version", "VERSION", m::kHelpCdiVersion, ""},
                              kJson,
                              kDocker,
                              kNvml,
                              {"--root", "DIR", m::kHelpCdiRoot, ""}};
constexpr Flag kSetupFlags[] = {kPlanHash,
                                kYes,
                                kDiff,
                                {"--take-over", "", m::kHelpTakeOver, ""},
                                kRestartDocker,
                                {"--no-log-rotation", "", m::kHelpNoLogRotation, ""},
                                {"--unset-default-runtime", "", m::kHelpUnsetRuntime, ""},
                                {"--no-daemon", "", m::kHelpNoDaemon, ""},
                                kContinue,
                                kForce,
                                kKeepGoing,
                                kJson,
                                kDocker,
                                kNvml,
                                kRootToChange};
constexpr Flag kRecoverFlags[] = {
    kPlanHash, kYes,         kDiff,      kRestartDocker, {"--recreate", "", m::kHelpRecreate, ""},
    kContinue, kForce,       kKeepGoing, kJson,          kDocker,
    kNvml,     kRootToChange};
constexpr Flag kVerifyFlags[] = {kJson,
                                 {"--with", "WAY", m::kHelpWith, "auto|cdi|gpus|runtime"},
                                 {"--device", "NAME", m::kHelpDevice, ""},
                                 {"--no-container", "", m::kHelpNoContainer, ""},
                                 {"--graphics", "", m::kHelpGraphics, ""},
                                 {"--time", "TIME", m::kHelpTime, ""},
                                 kDocker,
                                 kNvml,
                                 {"--root", "DIR", m::kHelpVerifyRoot, ""}};
constexpr Flag kModelsFlags[] = {{"--dry-run", "", m::kHelpReloadDry, ""},
                                 {"--write", "FILE", m::kHelpDiscoverWrite, ""},
                                 {"--folder", "DIR", m::kHelpDiscoverFolder, "", false, "", true},
                                 {"--context", "TOKENS", m::kHelpDiscoverContext, ""},
                                 {"--yes", "", m::kHelpDiscoverYes, ""},
                                 {"--config", "FILE", m::kHelpConfig, ""},
                                 kDocker,
                                 kJson};
constexpr Flag kUnloadFlags[] = {{"--all", "", m::kHelpAllModels, ""}, kJson};
constexpr Flag kFreeMemoryFlags[] = {{"--dry-run", "", m::kHelpFreeDry, ""}, kJson};
constexpr Flag kPinFlags[] = {{"--off", "", m::kHelpPinOff, ""}, kJson};
constexpr Flag kPauseFlags[] = {{"--for", "TIME", m::kHelpPauseFor, ""}, kJson};
constexpr Flag kStressFlags[] = {{"--minutes", "N", m::kHelpStressMinutes, ""},
                                 {"--seconds", "TIME", m::kHelpStressSeconds, ""},
                                 {"--path", "PATH", m::kHelpStressPath, ""},
                                 {"--body", "TEXT", m::kHelpStressBody, ""},
                                 kJson};
constexpr Flag kKeyFlags[] = {{"--role", "ROLE", m::kHelpKeyRole, "view|use|operate"},
                              {"--quota", "N", m::kHelpKeyQuota, ""},
                              {"--at-once", "N", m::kHelpKeyAtOnce, ""},
                              {"--model", "NAME", m::kHelpKeyModel, "", false, "", true},
                              kJson};
constexpr Flag kHelpFlags[] = {{"--man", "", m::kHelpMan, ""}};
constexpr Flag kReplayFlags[] = {{"--save", "FILE", m::kHelpSave, ""}, kJson};

constexpr Verb kVerbs[] = {
    {"status", m::kVerbStatus, {}, kReportFlags, false, run_status},
    {"top", m::kVerbTop, {}, kTopFlags, false, run_top},
    {"gpu", m::kVerbGpu, {}, kGpuFlags, false, run_gpu},
    {"doctor", m::kVerbDoctor, {}, kDoctorFlags, false, run_doctor},
    {"setup",
     m::kVerbSetup,
     {"ACTION", 1, 1, "plan|apply|status|undo"},
     kSetupFlags,
     false,
     run_setup},
    {"recover",
     m::kVerbRecover,
     {"ACTION", 0, 1, "plan|apply|undo"},
     kRecoverFlags,
     false,
     run_recover},
    {"cdi", m::kVerbCdi, {"ACTION", 1, 65, "generate|list|check"}, kCdiFlags, false, run_cdi},
    {"verify", m::kVerbVerify, {"CONTAINER", 0, 1, ""}, kVerifyFlags, false, run_verify},
    {"assign", m::kVerbAssign, {"NAME", 1, 1, ""}, kAssignFlags, false, run_assign},
    {"release", m::kVerbRelease, {"NAME...", 1, 1024, ""}, kReleaseFlags, false, run_release},
    {"leases", m::kVerbLeases, {}, kLeasesFlags, false, run_leases},
    {"models", m::kVerbModels, {"ACTION", 0, 3, ""}, kModelsFlags, false, run_models},
    {"load", m::kVerbLoad, {"NAME...", 1, 1024, ""}, kReleaseFlags, false, run_load},
    {"unload", m::kVerbUnload, {"NAME...", 0, 1024, ""}, kUnloadFlags, false, run_unload},
    {"free-memory", m::kVerbFreeMemory, {}, kFreeMemoryFlags, false, run_free_memory},
    {"pin", m::kVerbPin, {"NAME...", 1, 1024, ""}, kPinFlags, false, run_pin},
    {"pause", m::kVerbPause, {"GPU", 0, 1, ""}, kPauseFlags, false, run_pause},
    {"resume", m::kVerbResume, {"GPU", 0, 1, ""}, kReleaseFlags, false, run_resume},
    {"stress", m::kVerbStress, {"NAME...", 1, 64, ""}, kStressFlags, false, run_stress},
    {"explain", m::kVerbExplain, {"ID", 1, 1, ""}, kReleaseFlags, false, run_explain},
    {"run", m::kVerbRun, {}, kRunFlags, true, run_run},
    {"daemon", m::kVerbDaemon, {}, kDaemonFlags, false, run_daemon},
    {"simulate", m::kVerbSimulate, {"SCENARIO", 0, 1, ""}, kSimulateFlags, false, run_simulate},
    {"events", m::kVerbEvents, {}, kEventsFlags, false, run_events},
    {"record", m::kVerbRecord, {"DIR", 0, 1, ""}, kRecordFlags, false, run_record},
    {"replay", m::kVerbReplay, {"JOURNAL|DIR", 0, 1, ""}, kReplayFlags, false, run_replay},
    {"report", m::kVerbReport, {"FILE", 0, 1, ""}, kReportArchiveFlags, false, run_report},
    {"notify", m::kVerbNotify, {"test", 1, 1, ""}, kReleaseFlags, false, run_notify},
    {"login", m::kVerbLogin, {}, kLoginFlags, false, run_login},
    {"key", m::kVerbKey, {"ACTION", 0, 2, "list|create|revoke|usage"}, kKeyFlags, false, run_key},
    {"token", m::kVerbToken, {}, {}, false, run_token},
    {"completion", m::kVerbCompletion, {"SHELL", 1, 1, "bash|zsh|fish"}, {}, false, run_completion},
    {"version", m::kVerbVersion, {}, {}, false, run_version},
    {"help", m::kVerbHelp, {"VERB", 0, 1, ""}, kHelpFlags, false, run_help},
};

Result<int> print(Session& session, const std::string& text) {
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

Result<int> run_version(Session& session, const Arguments&) {
  return print(session, "estiva " ESTIVA_VERSION "\n");
}

Result<int> run_help(Session& session, const Arguments& args) {
  if (args.has("--man")) return print(session, manual_page(kVerbs));
  if (args.words.empty()) return print(session, help_text(kVerbs));
  // The same words as for an unknown verb, with its suggestion.
  const auto named = parse_arguments(kVerbs, std::vector<std::string>{args.words[0], "--help"});
  if (!named) return Failure(named.error());
  return print(session, help_text(*named->verb));
}

std::string flag_form(const Flag& flag) {
  if (flag.value.empty() && !flag.letter.empty())
    return fmt::format("{}, {}", flag.name, flag.letter);
  if (flag.value.empty()) return std::string(flag.name);
  const std::string names =
      flag.letter.empty() ? std::string(flag.name) : fmt::format("{}, {}", flag.letter, flag.name);
  return fmt::format(fmt::runtime(flag.optional_value ? "{} [{}]" : "{} {}"), names, flag.value);
}

std::string choices_note(const Flag& flag) {
  std::string list(flag.choices);
  for (char& c : list)
    if (c == '|') c = ' ';
  return list.empty() ? list : fmt::format(" ({})", list);
}

}  // namespace

std::span<const Verb> all_verbs() {
  return kVerbs;
}

std::string help_text(std::span<const Verb> verbs) {
  std::string out = fmt::format("{}\n\n{}\n\n", m::kIntro, m::kHelpUsage);
  for (const Verb& verb : verbs) out += fmt::format("  {:<12}{}\n", verb.name, verb.summary);
  return out + fmt::format("\n{}\n{}\n", m::kHelpExitCodes, m::kHelpMore);
}

std::string help_text(const Verb& verb) {
  std::string usage = fmt::format("Usage: estiva {}", verb.name);
  if (verb.words.most > 0)
    usage += fmt::format(fmt::runtime(verb.words.least == 0 ? " [{}]" : " {}"), verb.words.name);
  if (!verb.flags.empty()) usage += " [OPTIONS]";
  if (verb.command) usage += " -- COMMAND...";
  std::string out = fmt::format("{}\n\n{}.\n", usage, verb.summary);
  if (!verb.words.choices.empty())
    out += fmt::format("\n  {}:{}\n", verb.words.name,
                       choices_note(Flag{"", "", "", verb.words.choices}));
  out += "\nOptions:\n";
  for (const Flag& flag : verb.flags)
    out += fmt::format("  {:<24}{}{}\n", flag_form(flag), flag.help, choices_note(flag));
  return out + fmt::format("  {:<24}{}\n", "--help", m::kHelpHelp);
}

}  // namespace estiva::cli
