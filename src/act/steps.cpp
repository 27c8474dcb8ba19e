#include "act/steps.h"

#include <fmt/format.h>

#include "base/messages/act.h"

namespace estiva::act {

const StepActs& acts_of(StepKind kind) {
  switch (kind) {
    case StepKind::write_file:
      return kWriteFile;
    case StepKind::remove_file:
      return kRemoveFile;
    case StepKind::run_generator:
      return kRunGenerator;
    case StepKind::enable_unit:
    case StepKind::disable_unit:
      return kEnableUnit;
    case StepKind::start_unit:
    case StepKind::stop_unit:
    case StepKind::restart_unit:
    case StepKind::reload_unit:
      return kRunUnit;
    case StepKind::reload_units:
      return kReloadUnits;
    case StepKind::load_module:
      return kLoadModule;
    case StepKind::unload_module:
      return kUnloadModule;
    case StepKind::set_sysctl:
      return kSetSysctl;
    case StepKind::make_node:
      return kMakeNode;
    case StepKind::set_mode:
      return kSetMode;
    case StepKind::set_compute_mode:
      return kSetComputeMode;
    case StepKind::set_boolean:
      return kSetBoolean;
  }
  return kWriteFile;
}

Result<Found> look_at_target(const Machine& machine, const Step& step, bool follow) {
  auto path = clean_path(step.target);
  if (path && follow) path = follow_links(machine.root, *path);
  if (!path) return Failure(path.error());
  auto found = look_at(machine.root, plain_path(machine.root, *path));
  if (!found) return found;
  if (auto fine = check_replaceable(machine.root, *found); !fine) return Failure(fine.error());
  return found;
}

Result<Found> look_at_place(const Machine& machine, const Step&, const std::string& path) {
  return look_at(machine.root, path);
}

Result<void> restore_place(const Machine& machine, const Step&, const Intent& intent,
                           const Found& now) {
  if (intent.before.state.is == State::Is::absent && now.state.is == State::Is::absent) return {};
  const auto missing = missing_folders(machine.root, intent.before.path);
  if (!missing) return Failure(missing.error());
  for (const std::string& folder : *missing) {
    if (auto made = make_folder(machine.root, folder); !made) return made;
  }
  const std::string temp = intent.temp.empty() ? ".estiva-undo.tmp" : intent.temp;
  return become(machine, now, {intent.before.state, intent.before.content, temp});
}

Result<void> make_so(const Machine& machine, const Intent& intent) {
  for (const std::string& folder : intent.made) {
    if (auto made = make_folder(machine.root, folder); !made) return made;
    machine.pass();
  }
  return become(machine, intent.before, {intent.after, intent.content, intent.temp});
}

Found word_found(std::string path, std::string word) {
  Found found;
  found.path = std::move(path);
  found.state.is = State::Is::word;
  found.state.word = std::move(word);
  return found;
}

}  // namespace estiva::act
