// make_node: a device node, as mknod makes it.
#include <fmt/format.h>
#include <unistd.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

// Nobody but root where the step does not say more: a device is handed out on purpose.
constexpr mode_t kNewNode = 0600;
constexpr std::uint64_t kMostMajor = 0xfff, kMostMinor = 0xfffff;  // 12 and 20 bits in Linux

// "c 195 0" from the step's content; nothing where it is not like that.
std::optional<std::string> node_of(const Step& step) {
  std::string_view rest = step.content, type, major_text, minor_text, more;
  if (!format::next_word(rest, type) || !format::next_word(rest, major_text) ||
      !format::next_word(rest, minor_text) || format::next_word(rest, more)) {
    return std::nullopt;
  }
  const auto major_number = format::parse_u64(major_text);
  const auto minor_number = format::parse_u64(minor_text);
  if ((type != "c" && type != "b") || !major_number || !minor_number ||
      *major_number > kMostMajor || *minor_number > kMostMinor) {
    return std::nullopt;
  }
  return fmt::format("{} {} {}", type, *major_number, *minor_number);
}

Result<Found> look(const Machine& machine, const Step& step) {
  if (!node_of(step)) {
    return fail(ErrorKind::refused,
                fmt::format(msg::act::kBadNode, format::escape_for_terminal(step.content)));
  }
  return look_at_target(machine, step, false);
}

Result<void> intend(const Machine& machine, const Step& step, Intent& intent) {
  auto missing = missing_folders(machine.root, intent.before.path);
  if (!missing) return Failure(missing.error());
  intent.made = std::move(*missing);
  intent.after.is = State::Is::node;
  intent.after.node = node_of(step).value_or("");
  intent.after.mode = step.mode.value_or(kNewNode);
  intent.after.uid = ::geteuid(), intent.after.gid = ::getegid();
  const State& before = intent.before.state;
  if (before.is == State::Is::node) {  // whom it was for, it stays for
    intent.after.uid = before.uid, intent.after.gid = before.gid;
    if (!step.mode) intent.after.mode = before.mode;
  }
  return {};
}

Result<std::string> run(const Machine& machine, const Step&, Intent& intent) {
  if (is_same(intent.before.state, intent.after)) return std::string(msg::act::kIsSoAlready);
  if (auto made = make_so(machine, intent); !made) return Failure(made.error());
  return std::string();
}

}  // namespace

const StepActs kMakeNode{look, intend, run, look_at_place, restore_place};

}  // namespace estiva::act
