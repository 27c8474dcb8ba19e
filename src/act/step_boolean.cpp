// set_boolean: a boolean of SELinux's policy, now and after a reboot, by setsebool.
#include <algorithm>
#include <fmt/format.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr std::string_view kFolder = "/sys/fs/selinux/booleans/";
constexpr std::string_view kOn = "on", kOff = "off";
// -P builds the whole policy anew: 10 to 30 s on a small machine.
constexpr std::chrono::seconds kLimit{180};

bool is_boolean_name(std::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() < 128 && std::ranges::all_of(name, fine);
}

// "1 1": its value, and the one that waits to be committed.
Result<Found> now(const Machine& machine, const Step&, const std::string& path) {
  const auto text = host::read_file(machine.root, path, 64);
  if (!text) return Failure(text.error());
  return word_found(path, std::string(text->starts_with('1') ? kOn : kOff));
}

Result<Found> look(const Machine& machine, const Step& step) {
  using format::escape_for_terminal;
  if (!is_boolean_name(step.target))
    return fail(ErrorKind::refused, fmt::format(m::kBadBoolean, escape_for_terminal(step.target)));
  if (step.content != kOn && step.content != kOff)
    return fail(ErrorKind::refused, fmt::format(m::kBadSwitch, escape_for_terminal(step.content)));
  auto found = now(machine, step, fmt::format("{}{}", kFolder, step.target));
  if (!found && found.error().kind == ErrorKind::not_found)
    return fail(ErrorKind::refused, fmt::format(m::kNoBoolean, step.target));
  return found;
}

Result<void> intend(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = step.content;
  return {};
}

Result<void> set(const Machine& machine, const Step& step, const std::string& value) {
  const auto done =
      run_checked(machine.commands, {{"setsebool", "-P", step.target, value}, kLimit});
  machine.pass();
  if (!done) return Failure(done.error());
  return {};
}

Result<std::string> run(const Machine& machine, const Step& step, Intent& intent) {
  if (is_same(intent.before.state, intent.after)) return std::string(m::kIsSoAlready);
  if (auto done = set(machine, step, step.content); !done) return Failure(done.error());
  return std::string();
}

Result<void> restore(const Machine& machine, const Step& step, const Intent& intent, const Found&) {
  return set(machine, step, intent.before.state.word);
}

}  // namespace

const StepActs kSetBoolean{look, intend, run, now, restore};

}  // namespace estiva::act
