// set_compute_mode: who may compute on a GPU, by nvidia-smi. It lasts until the driver is unloaded
// or the machine restarts.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

// Without persistence nvidia-smi starts every GPU first: some seconds each.
constexpr std::chrono::seconds kLimit{60};
// As `nvidia-smi --query-gpu=compute_mode` says them; its -c takes the same words in capitals.
constexpr std::array<std::string_view, 4> kModes = {"Default", "Exclusive_Thread", "Prohibited",
                                                    "Exclusive_Process"};

bool is_mode(std::string_view word) {
  return std::ranges::find(kModes, word) != kModes.end();
}

bool is_uuid(std::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == '-';
  };
  return name.starts_with("GPU-") && name.size() < 64 &&
         std::ranges::all_of(name.substr(4), fine) && name.size() > 4;
}

Result<Found> now(const Machine& machine, const Step&, const std::string& uuid) {
  const auto said = run_checked(
      machine.commands,
      {{"nvidia-smi", "-i", uuid, "--query-gpu=compute_mode", "--format=csv,noheader"}, kLimit});
  if (!said) return Failure(said.error());
  const std::string_view word = format::trim(*said);
  if (is_mode(word)) return word_found(uuid, std::string(word));
  return fail(ErrorKind::refused, fmt::format(m::kNoComputeMode, uuid),
              std::string(m::kNoComputeModeHow));
}

Result<Found> look(const Machine& machine, const Step& step) {
  using format::escape_for_terminal;
  if (!is_uuid(step.target))
    return fail(ErrorKind::refused, fmt::format(m::kBadGpu, escape_for_terminal(step.target)));
  if (!is_mode(step.content))
    return fail(ErrorKind::refused,
                fmt::format(m::kBadComputeMode, escape_for_terminal(step.content)));
  return now(machine, step, step.target);
}

Result<void> intend(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = step.content;
  return {};
}

Result<void> set(const Machine& machine, const std::string& uuid, std::string mode) {
  std::ranges::transform(mode, mode.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  const auto done = run_checked(machine.commands, {{"nvidia-smi", "-i", uuid, "-c", mode}, kLimit});
  machine.pass();
  if (!done) return Failure(done.error());
  return {};
}

Result<std::string> run(const Machine& machine, const Step& step, Intent& intent) {
  if (is_same(intent.before.state, intent.after)) return std::string(m::kIsSoAlready);
  if (auto done = set(machine, intent.before.path, step.content); !done)
    return Failure(done.error());
  return std::string();
}

Result<void> restore(const Machine& machine, const Step&, const Intent& intent, const Found& at) {
  return set(machine, at.path, intent.before.state.word);
}

}  // namespace

const StepActs kSetComputeMode{look, intend, run, now, restore};

}  // namespace estiva::act
