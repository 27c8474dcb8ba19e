// write_file, remove_file and run_generator. A file that exists keeps its mode, its owner and the
// symbolic link that leads to it; a link that is to be written replaces what stands there.
#include <fmt/format.h>
#include <unistd.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/sha256.h"
#include "format/text.h"

namespace estiva::act {
namespace {

constexpr mode_t kNewFile = 0644;

// A device in the place of a file was put there on purpose: /dev/null.
Result<Found> look_at_file(const Machine& machine, const Step& step, bool follow) {
  auto found = look_at_target(machine, step, follow);
  if (!found || found->state.is != State::Is::node) return found;
  return fail(ErrorKind::refused,
              fmt::format(msg::act::kNotReplaced, format::escape_for_terminal(found->path),
                          describe(found->state)));
}

Result<Found> look_write(const Machine& machine, const Step& step) {
  return look_at_file(machine, step, step.link_to.empty());
}

Result<Found> look_remove(const Machine& machine, const Step& step) {
  return look_at_target(machine, step, false);
}

Result<Found> look_generate(const Machine& machine, const Step& step) {
  if (!machine.generate) {
    return fail(ErrorKind::refused,
                fmt::format(msg::act::kNoGenerator, format::escape_for_terminal(step.target)));
  }
  return look_at_file(machine, step, true);
}

Result<void> find_missing_folders(const Machine& machine, Intent& intent) {
  auto missing = missing_folders(machine.root, intent.before.path);
  if (!missing) return Failure(missing.error());
  intent.made = std::move(*missing);
  return {};
}

// What the file will be: its content with what the present one has.
State file_with(const std::string& content, const State& before, std::optional<mode_t> mode) {
  State after;
  if (before.is == State::Is::file) {
    after = before;
  } else {
    after.mode = mode.value_or(kNewFile);
    after.uid = ::geteuid(), after.gid = ::getegid();
  }
  after.is = State::Is::file;
  after.modified_ns = 0;
  after.size = content.size();
  after.sha256 = format::sha256_hex(content);
  return after;
}

Result<void> intend_content(const Machine& machine, const Step& step, Intent& intent,
                            std::string content) {
  intent.content = std::move(content);
  intent.after = file_with(intent.content, intent.before.state, step.mode);
  return find_missing_folders(machine, intent);
}

Result<void> intend_write(const Machine& machine, const Step& step, Intent& intent) {
  if (step.link_to.empty()) return intend_content(machine, step, intent, step.content);
  intent.after.is = State::Is::link;
  intent.after.leads_to = step.link_to;
  intent.after.mode = 0777;
  intent.after.uid = ::geteuid(), intent.after.gid = ::getegid();
  return find_missing_folders(machine, intent);
}

Result<void> intend_generate(const Machine& machine, const Step& step, Intent& intent) {
  auto content = machine.generate(step);
  if (!content) return Failure(content.error());
  return intend_content(machine, step, intent, std::move(*content));
}

Result<void> intend_remove(const Machine&, const Step&, Intent& intent) {
  intent.after = State{};
  return {};
}

Result<std::string> run_write(const Machine& machine, const Step&, Intent& intent) {
  if (is_same(intent.before.state, intent.after)) {
    intent.after = intent.before.state;
    return std::string(msg::act::kIsSoAlready);
  }
  if (auto made = make_so(machine, intent); !made) return Failure(made.error());
  return std::string();
}

}  // namespace

const StepActs kWriteFile{look_write, intend_write, run_write, look_at_place, restore_place};
const StepActs kRemoveFile{look_remove, intend_remove, run_write, look_at_place, restore_place};
const StepActs kRunGenerator{look_generate, intend_generate, run_write, look_at_place,
                             restore_place};

}  // namespace estiva::act
