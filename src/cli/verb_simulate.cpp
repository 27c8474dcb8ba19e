#include "cli/verb_simulate.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/places.h"
#include "base/messages/cli.h"
#include "cli/programs.h"
#include "cli/session.h"
#include "gpu/presence.h"
#include "host/files.h"

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

namespace {

bool simulator_answers(const std::string& dir) {
  const std::string path = dir + "/control";
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return false;  // the simulator itself says so
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;  // starting a process is going to fail as well, in its own words
  const int done = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool answers = done == 0 || errno == EAGAIN;  // EAGAIN: its queue is full
  ::close(fd);
  return answers;
}

}  // namespace

Result<void> check_simulator_free(const std::string& dir) {
  // One whose daemon was killed ends within a tick of its own: a restart waits for it, up to 1 s.
  for (int tries = 0; simulator_answers(dir); ++tries) {
    if (tries == 50)
      return fail(ErrorKind::refused, fmt::format(m::kSimRuns, dir),
                  std::string(m::kSimRunsRemedy));
    ::usleep(20'000);
  }
  return {};
}

namespace {

Result<int> become(const std::vector<std::string>& words) {
  std::vector<char*> raw;
  raw.reserve(words.size() + 1);
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(raw[0], raw.data());
  return fail_errno(fmt::format(m::kStarting, words[0]), errno);
}

Result<void> tell_how_to_use(Session& session, const std::string& dir) {
  const auto library = find_beside("sim/libnvidia-ml.so.1");
  if (!library) return Failure(library.error());
  const std::string folder = library->substr(0, library->rfind('/'));
  return session.out.write(fmt::format(m::kSimulateUse, dir, folder));
}

}  // namespace

Result<int> run_simulate(Session& session, const Arguments& args) {
  const auto program = find_program("estiva-sim");
  if (!program) return Failure(program.error());
  if (args.has("--list")) return become({*program, "list"});
  if (auto ok = check_may_simulate("/"); !ok) return Failure(ok.error());
  // Not the folder of `daemon --simulate`: two simulators must not meet.
  const std::string runtime = api::resolve_places().runtime_dir;
  const std::string dir(args.value("--dir").value_or(runtime + "/simulate"));
  if (auto ok = host::ensure_named_dir(dir, 0755); !ok) return Failure(ok.error());
  if (auto ok = check_simulator_free(dir); !ok) return Failure(ok.error());
  if (auto ok = tell_how_to_use(session, dir); !ok) return Failure(ok.error());
  const std::string scenario(args.words.empty() ? std::string(kDefaultScenario) : args.words[0]);
  return become({*program, "run", scenario, "--dir", dir});
}

}  // namespace estiva::cli
