#include "cli/verb_simulate.h"

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

#include "base/messages/cli.h"
#include "cli/programs.h"
#include "cli/session.h"
#include "gpu/presence.h"

namespace estiva::cli {

namespace m = msg::cli;

Result<void> check_may_simulate(const std::string& root) {
  const gpu::Presence presence = gpu::look_for_gpus(root);
  if (!presence.gpus.empty())
    return fail(ErrorKind::refused, fmt::format(m::kSimRefusedPci, presence.gpus[0].bus_id),
                std::string(m::kSimRefusedRemedy));
  if (presence.module_loaded)
    return fail(ErrorKind::refused, fmt::format(m::kSimRefusedDriver, presence.module_version),
                std::string(m::kSimRefusedRemedy));
  return {};
}

Result<int> run_simulate(Session&, const Arguments& args) {
  const bool list = args.has("--list");
  if (!list)
    if (auto ok = check_may_simulate("/"); !ok) return Failure(ok.error());
  const auto program = find_program("estiva-sim");
  if (!program) return Failure(program.error());
  std::vector<const char*> words{program->c_str()};
  if (list) words.push_back("--list");
  for (const std::string& scenario : args.words) words.push_back(scenario.c_str());
  words.push_back(nullptr);
  ::execv(program->c_str(), const_cast<char**>(words.data()));
  return fail_errno(fmt::format("Starting {}", *program), errno);
}

}  // namespace estiva::cli
