#include "act/command.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/messages/act.h"
#include "format/text.h"
#include "host/program.h"

extern char** environ;

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr std::size_t kKept = 64 << 10;  // of what it writes; the rest is not needed by any step
constexpr std::size_t kShown = 300;      // of its last line, in a sentence

// The folders of administrators' programs are not in every PATH that runs us.
constexpr std::string_view kMoreFolders = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";

std::string find_program(const std::string& name) {
  if (name.find('/') != name.npos) return name;
  const char* path = std::getenv("PATH");
  std::string folders = fmt::format("{}:{}", path == nullptr ? "" : path, kMoreFolders);
  for (std::string_view rest = folders; !rest.empty();) {
    const auto end = rest.find(':');
    const auto folder = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    // A relative folder in PATH is nothing that root should run programs from.
    if (!folder.starts_with('/')) continue;
    std::string file = fmt::format("{}/{}", folder, name);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

// Its words with a plain language and no pager, whatever the caller's environment says.
std::vector<std::string> environment() {
  std::vector<std::string> out{"LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (text.starts_with("LC_ALL=") || text.starts_with("SYSTEMD_")) continue;
    out.emplace_back(text);
  }
  return out;
}

}  // namespace

Result<CommandEnd> RealCommands::run(const Command& command) {
  const std::string program = find_program(command.words.front());
  if (program.empty()) {
    return fail(ErrorKind::not_found, fmt::format(m::kNoProgram, command.words.front()),
                std::string(m::kNoProgramHow));
  }
  std::vector<std::string> words = command.words;
  words.front() = program;
  auto end = host::ask_program(words, {command.limit, kKept, true, true, true, environment()});
  if (end) {
    const int code = end->signal != 0 ? 128 + end->signal : end->exit_code;
    return CommandEnd{code, std::move(end->output), std::move(end->errors)};
  }
  if (end.error().kind != ErrorKind::timed_out) return Failure(end.error());
  const auto seconds = std::chrono::duration<double>(command.limit).count();
  return fail(ErrorKind::timed_out, fmt::format(m::kProgramSlow, shown(command), seconds));
}

std::string shown(const Command& command) {
  return format::escape_for_terminal(fmt::format("{}", fmt::join(command.words, " ")));
}

Result<std::string> run_checked(CommandRunner& runner, const Command& command) {
  auto end = runner.run(command);
  if (!end) return Failure(end.error());
  if (end->exit_code == 0) return std::move(end->output);
  std::string words = host::last_line(end->errors, kShown);
  if (words.empty()) words = host::last_line(end->output, kShown);
  if (words.empty()) words = m::kSaidNothing;
  const bool signalled = end->exit_code > 128;
  return fail(fmt::format(fmt::runtime(signalled ? m::kProgramSignal : m::kProgramFailed),
                          shown(command), signalled ? end->exit_code - 128 : end->exit_code, words),
              std::string(m::kProgramFailedHow));
}

}  // namespace estiva::act
