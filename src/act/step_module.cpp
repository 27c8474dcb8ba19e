// load_module and unload_module: modprobe and rmmod. What came along with a module is unloaded with
// it at the undo, where nobody uses it.
#include <algorithm>
#include <fmt/format.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr std::chrono::seconds kLimit{60};  // loading a GPU driver takes seconds, not minutes
constexpr std::string_view kLoaded = "loaded", kAbsent = "absent";

// As the kernel lists it.
std::string kernel_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

bool is_module_name(std::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() < 64 && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), fine);
}

// Names in /proc/modules, the newest first.
Result<std::vector<std::string>> loaded_modules(const Machine& machine) {
  const auto text = host::read_file(machine.root, "/proc/modules", 4 << 20);
  if (!text && text.error().kind == ErrorKind::not_found) return std::vector<std::string>();
  if (!text) return Failure(text.error());
  std::vector<std::string> names;
  for (std::string_view rest = *text, line, word; format::next_line(rest, line);) {
    if (format::next_word(line, word)) names.emplace_back(word);
  }
  return names;
}

// All that is loaded is kept: the undo needs to know what came along.
Result<Found> now(const Machine& machine, const Step& step, const std::string& path) {
  auto loaded = loaded_modules(machine);
  if (!loaded) return Failure(loaded.error());
  const bool is_there =
      std::find(loaded->begin(), loaded->end(), kernel_name(step.target)) != loaded->end();
  Found found = word_found(path, std::string(is_there ? kLoaded : kAbsent));
  found.state.names = std::move(*loaded);
  return found;
}

Result<Found> look(const Machine& machine, const Step& step) {
  if (!is_module_name(step.target)) {
    return fail(ErrorKind::refused,
                fmt::format(m::kBadModule, format::escape_for_terminal(step.target)));
  }
  return now(machine, step, step.target);
}

Result<void> intend(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = step.kind == StepKind::load_module ? kLoaded : kAbsent;
  return {};
}

Result<void> call(const Machine& machine, const std::string& program, const std::string& name) {
  const auto done = run_checked(machine.commands, {{program, name}, kLimit});
  machine.pass();
  if (!done) return Failure(done.error());
  return {};
}

Result<std::string> run(const Machine& machine, const Step& step, Intent& intent) {
  const auto before = now(machine, step, step.target);
  if (!before) return Failure(before.error());
  if (before->state.word == intent.after.word) {
    intent.after = before->state;
    return std::string(m::kIsSoAlready);
  }
  const bool loads = step.kind == StepKind::load_module;
  if (auto done = call(machine, loads ? "modprobe" : "rmmod", step.target); !done) {
    return Failure(done.error());
  }
  // A driver that is part of the kernel is never listed.
  const auto after = now(machine, step, step.target);
  if (after) intent.after = after->state;
  return std::string();
}

// Modules that came with this one and that nobody needs any more.
void unload_companions(const Machine& machine, const Intent& intent, const std::string& target) {
  const auto& earlier = intent.before.state.names;
  for (const std::string& name : intent.after.names) {
    if (std::find(earlier.begin(), earlier.end(), name) != earlier.end()) continue;
    if (name == kernel_name(target)) continue;
    (void)machine.commands.run({{"rmmod", name}, kLimit});  // in use: it stays, nothing is lost
  }
}

Result<void> restore(const Machine& machine, const Step& step, const Intent& intent, const Found&) {
  if (intent.before.state.word == kLoaded) return call(machine, "modprobe", step.target);
  if (auto done = call(machine, "rmmod", step.target); !done) {
    return fail(ErrorKind::degraded, fmt::format(m::kModuleKept, step.target, done.error().what));
  }
  unload_companions(machine, intent, step.target);
  return {};
}

}  // namespace

const StepActs kLoadModule{look, intend, run, now, restore};
const StepActs kUnloadModule{look, intend, run, now, restore};

}  // namespace estiva::act
