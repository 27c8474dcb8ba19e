#include "cli/dockerd_check.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/messages/cli_plan_run.h"
#include "base/unique_fd.h"
#include "decide/readiness/engine_look.h"
#include "format/text.h"
#include "host/program.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

constexpr std::chrono::seconds kLimit{10};
constexpr std::size_t kMostSaid = 400;  // bytes of its sentence

bool is_daemon_json(const Step& step) {
  return step.kind == StepKind::write_file && step.target.ends_with("/docker/daemon.json");
}

// The text as a file that no other program can change, and that is gone with us.
Result<UniqueFd> unnamed_file(const std::string& text) {
  UniqueFd file(::memfd_create("daemon.json", MFD_CLOEXEC));
  if (!file) return fail_errno(m::kDockerdFile, errno);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(file.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(m::kDockerdFile, errno);
    at += static_cast<std::size_t>(n);
  }
  return file;
}

// What dockerd wrote last, with the name that the user knows.
std::string said_by(const host::ProgramAnswer& answer, const std::string& shown_as,
                    const std::string& path) {
  std::string said =
      host::last_line(answer.errors.empty() ? answer.output : answer.errors, kMostSaid);
  for (auto at = said.find(shown_as); at != said.npos; at = said.find(shown_as, at + path.size()))
    said.replace(at, shown_as.size(), path);
  while (said.ends_with('.')) said.pop_back();
  return said;
}

Result<void> check_step(const ReadinessFacts& facts, const Step& step) {
  const auto file = unnamed_file(step.content);
  if (!file) return Failure(file.error());
  const std::string shown_as = fmt::format("/proc/{}/fd/{}", ::getpid(), file->get());
  host::ProgramLimits limits;
  limits.time = kLimit;
  limits.cuts_output = limits.keeps_errors = true;
  std::vector<std::string> words = {"dockerd", "--validate"};
  const auto flags = decide::dockerd_arguments(facts);
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), {"--config-file", shown_as});  // the last one counts
  const auto answer = host::ask_program(words, limits);
  const bool has_no_opinion =
      !answer || answer->signal != 0 || answer->errors.find("unknown flag") != std::string::npos;
  if (has_no_opinion || answer->exit_code == 0) return {};
  const std::string path = format::escape_for_terminal(step.target);
  return fail(ErrorKind::refused,
              fmt::format(m::kDockerdRefuses, path, said_by(*answer, shown_as, path)),
              std::string(m::kDockerdRefusesRemedy));
}

}  // namespace

Result<void> check_with_dockerd(const PlanMachine& where, const ReadinessFacts& facts,
                                const Plan& plan) {
  if (!where.is_real()) return {};
  for (const Step& step : plan.steps) {
    if (!is_daemon_json(step)) continue;
    if (auto ok = check_step(facts, step); !ok) return ok;
  }
  return {};
}

}  // namespace estiva::cli
