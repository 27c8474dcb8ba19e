// set_mode: the permission bits of a file, a folder or a device node; links are followed.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

std::string octal(mode_t mode) {
  return fmt::format("{:04o}", mode & 07777);
}

Result<Found> now(const Machine& machine, const Step&, const std::string& path) {
  const auto spot = open_spot(machine.root, path);
  if (!spot && spot.error().kind != ErrorKind::not_found) return Failure(spot.error());
  struct stat info {};
  if (!spot || ::fstatat(spot->folder.get(), spot->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    Found absent;
    absent.path = path;
    return absent;
  }
  return word_found(path, octal(info.st_mode));
}

Result<Found> look(const Machine& machine, const Step& step) {
  const std::string shown_path = format::escape_for_terminal(step.target);
  if (!step.mode) return fail(ErrorKind::refused, fmt::format(m::kNoMode, shown_path));
  auto path = clean_path(step.target);
  if (path) path = follow_links(machine.root, *path);
  if (!path) return Failure(path.error());
  auto found = now(machine, step, plain_path(machine.root, *path));
  if (found && found->state.is == State::Is::absent) {
    return fail(ErrorKind::refused, fmt::format(m::kNothingThere, shown_path));
  }
  if (!found) return found;
  Found itself;  // a folder may be changed, so only its protection matters
  itself.path = found->path;
  if (auto fine = check_replaceable(machine.root, itself); !fine) return Failure(fine.error());
  return found;
}

Result<void> intend(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = octal(*step.mode);
  return {};
}

Result<void> set(const Machine& machine, const std::string& path, const std::string& word) {
  const auto doing = fmt::format(m::kSettingMode, format::escape_for_terminal(path));
  const auto spot = open_spot(machine.root, path);
  if (!spot) return Failure(spot.error().in(doing));
  const auto mode = static_cast<mode_t>(std::stoul(word, nullptr, 8));
  // Not through a link that took the file's place: what is open is what is changed.
  const UniqueFd fd(
      ::openat(spot->folder.get(), spot->name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const auto own = fmt::format("/proc/self/fd/{}", fd.get());
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno(doing, errno);
  if (S_ISLNK(info.st_mode)) {
    return fail(ErrorKind::refused,
                fmt::format(m::kChangedMeanwhile, format::escape_for_terminal(path)),
                std::string(m::kChangedMeanwhileHow));
  }
  if (::chmod(own.c_str(), mode) != 0) {
    return fail_errno(doing, errno, std::string(m::kWritingHow));
  }
  machine.pass();
  return {};
}

Result<std::string> run(const Machine& machine, const Step&, Intent& intent) {
  if (is_same(intent.before.state, intent.after)) return std::string(m::kIsSoAlready);
  if (auto done = set(machine, intent.before.path, intent.after.word); !done) {
    return Failure(done.error());
  }
  return std::string();
}

Result<void> restore(const Machine& machine, const Step&, const Intent& intent, const Found& at) {
  if (at.state.is == State::Is::absent) return {};  // gone: there is no mode to set
  return set(machine, at.path, intent.before.state.word);
}

}  // namespace

const StepActs kSetMode{look, intend, run, now, restore};

}  // namespace estiva::act
