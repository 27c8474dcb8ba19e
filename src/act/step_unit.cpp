// enable_unit, disable_unit, start_unit, stop_unit, restart_unit, reload_unit, reload_units:
// systemctl. Where systemd does not run (an image that is being built, a tree in a folder) only
// links are made.
#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>

#include "act/steps.h"
#include "act/unit_links.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr std::chrono::seconds kAsk{15}, kChange{60};
// systemd gives a unit 90 s to stop and 90 s to start before it gives up by itself.
constexpr std::chrono::seconds kStart{200};
constexpr std::string_view kActive = "active", kInactive = "inactive";

bool is_unit_name(std::string_view name) {
  constexpr std::string_view kTypes[] = {".service", ".socket", ".timer",    ".path",
                                         ".target",  ".mount",  ".device",   ".slice",
                                         ".scope",   ".swap",   ".automount"};
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  };
  return name.size() < 256 && !name.starts_with('-') && !name.starts_with('.') &&
         std::all_of(name.begin(), name.end(), fine) &&
         std::any_of(std::begin(kTypes), std::end(kTypes),
                     [&](std::string_view type) { return name.ends_with(type); });
}

bool systemd_runs(const Machine& machine) {
  return bool(UniqueFd(machine.root.open_at("/run/systemd/system", O_PATH | O_DIRECTORY)));
}

Result<void> check_name(const Step& step) {
  if (is_unit_name(step.target)) return {};
  return fail(ErrorKind::refused,
              fmt::format(m::kBadUnit, format::escape_for_terminal(step.target)));
}

std::vector<std::string> systemctl(const Machine& machine) {
  if (systemd_runs(machine)) return {"systemctl"};
  return {"systemctl", "--root=" + machine.root.dir()};
}

// The first word that `systemctl VERB UNIT` says, whatever its exit code.
Result<std::string> ask(const Machine& machine, const std::string& verb, const std::string& unit,
                        std::string_view otherwise) {
  Command command{systemctl(machine), kAsk};
  command.words.insert(command.words.end(), {verb, "--", unit});
  const auto end = machine.commands.run(command);
  if (!end) return Failure(end.error());
  std::string_view rest = end->output, word;
  return std::string(format::next_word(rest, word) ? format::trim(word) : otherwise);
}

Result<void> change(const Machine& machine, std::vector<std::string> words,
                    std::chrono::milliseconds limit) {
  Command command{systemctl(machine), limit};
  command.words.insert(command.words.end(), words.begin(), words.end());
  auto done = run_checked(machine.commands, command);
  machine.pass();
  if (done) return {};
  Error error = done.error();
  if (error.kind == ErrorKind::timed_out && words.size() > 1) {
    error.remedy = fmt::format(m::kProgramSlowUnitHow, words.back());
  }
  return Failure(std::move(error));
}

// --- enabled or not ------------------------------------------------------------------------------

Result<Found> enabled_now(const Machine& machine, const Step&, const std::string& unit) {
  auto word = ask(machine, "is-enabled", unit, "not-found");
  if (!word) return Failure(word.error());
  Found found = word_found(unit, std::move(*word));
  if (auto read = read_unit_links(machine.root, found.state); !read) return Failure(read.error());
  return found;
}

Result<Found> look_enabled(const Machine& machine, const Step& step) {
  if (auto fine = check_name(step); !fine) return Failure(fine.error());
  return enabled_now(machine, step, step.target);
}

Result<void> intend_enabled(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = step.kind == StepKind::enable_unit ? "enabled" : "disabled";
  return {};
}

Result<std::string> run_enabled(const Machine& machine, const Step& step, Intent& intent) {
  const std::string verb = step.kind == StepKind::enable_unit ? "enable" : "disable";
  if (auto done = change(machine, {verb, "--", step.target}, kChange); !done) {
    return Failure(done.error());
  }
  const auto now = enabled_now(machine, step, step.target);
  if (!now) return Failure(now.error());
  const bool same = now->state.links == intent.before.state.links;
  intent.after = now->state;
  return same ? std::string(m::kIsSoAlready) : std::string();
}

Result<void> restore_enabled(const Machine& machine, const Step&, const Intent& intent,
                             const Found& now) {
  return restore_links(machine, intent.before.state, intent.after, now.state);
}

// --- running or not ------------------------------------------------------------------------------

// "active" or "inactive": what lies between counts as what it becomes.
Result<Found> active_now(const Machine& machine, const Step&, const std::string& unit) {
  if (!systemd_runs(machine)) return word_found(unit, std::string(kInactive));
  const auto word = ask(machine, "is-active", unit, kInactive);
  if (!word) return Failure(word.error());
  const bool runs = *word == kActive || *word == "activating" || *word == "reloading";
  return word_found(unit, std::string(runs ? kActive : kInactive));
}

Result<Found> look_active(const Machine& machine, const Step& step) {
  if (auto fine = check_name(step); !fine) return Failure(fine.error());
  return active_now(machine, step, step.target);
}

Result<void> intend_active(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = step.kind == StepKind::stop_unit ? kInactive : kActive;
  return {};
}

Result<std::string> run_active(const Machine& machine, const Step& step, Intent& intent) {
  if (!systemd_runs(machine)) {
    intent.after = intent.before.state;
    return std::string(m::kNoSystemd);
  }
  const bool restarts = step.kind == StepKind::restart_unit;
  const bool reloads = step.kind == StepKind::reload_unit;
  const auto before = active_now(machine, step, step.target);
  if (before && reloads && before->state.word == kInactive) {
    intent.after = before->state;
    return std::string(m::kIsSoAlready);
  }
  if (before && !restarts && !reloads && before->state.word == intent.after.word) {
    return std::string(m::kIsSoAlready);
  }
  const std::string verb = restarts                           ? "restart"
                           : reloads                          ? "reload"
                           : step.kind == StepKind::stop_unit ? "stop"
                                                              : "start";
  if (auto done = change(machine, {verb, "--", step.target}, kStart); !done) {
    return Failure(done.error());
  }
  const auto now = active_now(machine, step, step.target);
  if (now) intent.after = now->state;  // a unit that does its work and ends is inactive again
  return std::string();
}

// Of a restart or a reload: once more, so that it runs with the files that are there again.
Result<void> restore_active(const Machine& machine, const Step& step, const Intent& intent,
                            const Found& now) {
  if (!systemd_runs(machine)) return {};
  const bool ran = intent.before.state.word == kActive, runs = now.state.word == kActive;
  if (!ran && !runs) return {};
  if (step.kind == StepKind::reload_unit) {
    if (!runs) return {};
    return change(machine, {"reload", "--", step.target}, kStart);
  }
  const bool restarts = step.kind == StepKind::restart_unit && ran;
  return change(machine,
                {!ran       ? "stop"
                 : restarts ? "restart"
                            : "start",
                 "--", step.target},
                kStart);
}

// --- systemd's own view of the files
// ---------------------------------------------------------------

Result<Found> reload_now(const Machine&, const Step&, const std::string&) {
  return word_found({}, {});
}

Result<Found> look_reload(const Machine& machine, const Step& step) {
  return reload_now(machine, step, {});
}

Result<void> intend_reload(const Machine&, const Step&, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  return {};
}

Result<std::string> run_reload(const Machine& machine, const Step&, Intent&) {
  if (!systemd_runs(machine)) return std::string(m::kNoSystemd);
  if (auto done = change(machine, {"daemon-reload"}, kChange); !done) return Failure(done.error());
  return std::string();
}

Result<void> restore_reload(const Machine& machine, const Step& step, const Intent& intent,
                            const Found&) {
  Intent again = intent;
  const auto done = run_reload(machine, step, again);
  if (!done) return Failure(done.error());
  return {};
}

}  // namespace

const StepActs kEnableUnit{look_enabled, intend_enabled, run_enabled, enabled_now, restore_enabled};
const StepActs kRunUnit{look_active, intend_active, run_active, active_now, restore_active};
const StepActs kReloadUnits{look_reload, intend_reload, run_reload, reload_now, restore_reload};

}  // namespace estiva::act
