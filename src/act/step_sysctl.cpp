// set_sysctl: a setting below /proc/sys. It lasts until the next boot; a file in /etc/sysctl.d is a
// step of its own.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

// As sysctl(8): the first separator decides whether '.' or '/' separates.
std::optional<std::string> path_of(std::string_view name) {
  std::string path(name);
  const auto first = name.find_first_of("./");
  if (first != name.npos && name[first] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  const bool fine = !path.empty() && path.front() != '/' && path.back() != '/' &&
                    path.find("//") == path.npos && path.find('\0') == path.npos &&
                    ("/" + path + "/").find("/../") == path.npos;
  if (!fine) return std::nullopt;
  return "/proc/sys/" + path;
}

// Values of several numbers come with tabs and go in with blanks.
std::string with_blanks(std::string_view value) {
  std::string out(format::trim(value));
  std::replace(out.begin(), out.end(), '\t', ' ');
  return out;
}

Result<Found> now(const Machine& machine, const Step&, const std::string& path) {
  const auto text = host::read_file(machine.root, path, 65536);
  if (!text) return Failure(text.error());
  return word_found(path, with_blanks(*text));
}

Result<Found> look(const Machine& machine, const Step& step) {
  const std::string name = format::escape_for_terminal(step.target);
  const auto path = path_of(step.target);
  if (!path) return fail(ErrorKind::refused, fmt::format(m::kBadSysctl, name));
  auto found = now(machine, step, *path);
  if (!found && found.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::refused, fmt::format(m::kNoSysctl, name));
  }
  return found;
}

Result<void> intend(const Machine&, const Step& step, Intent& intent) {
  intent.temp.clear();
  intent.after.is = State::Is::word;
  intent.after.word = with_blanks(step.content);
  return {};
}

Result<void> set(const Machine& machine, const std::string& path, const std::string& value) {
  const auto doing = fmt::format(m::kSettingSysctl, format::escape_for_terminal(path));
  const int opened = machine.root.open_at(path.c_str(), O_WRONLY | O_TRUNC);
  if (opened < 0) return fail_errno(doing, -opened);
  const UniqueFd fd(opened);
  const std::string line = value + "\n";
  // One write: the kernel takes a setting whole.
  if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return fail_errno(doing, errno);
  }
  machine.pass();
  return {};
}

Result<std::string> run(const Machine& machine, const Step& step, Intent& intent) {
  if (is_same(intent.before.state, intent.after)) return std::string(m::kIsSoAlready);
  if (auto done = set(machine, intent.before.path, intent.after.word); !done) {
    return Failure(done.error());
  }
  // The kernel may have its own idea of the value.
  const auto found = now(machine, step, intent.before.path);
  if (found) intent.after = found->state;
  return std::string();
}

Result<void> restore(const Machine& machine, const Step&, const Intent& intent, const Found& at) {
  return set(machine, at.path, intent.before.state.word);
}

}  // namespace

const StepActs kSetSysctl{look, intend, run, now, restore};

}  // namespace estiva::act
