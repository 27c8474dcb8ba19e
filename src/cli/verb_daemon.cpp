// Without simulation this process becomes estivad. With it, two children: the simulator's host and
// estivad; when either ends, the other is ended too.
#include "cli/verb_daemon.h"

#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

#include "api/places.h"
#include "base/clock.h"
#include "base/messages/cli.h"
#include "cli/held_child.h"
#include "cli/numbers.h"
#include "cli/programs.h"
#include "cli/session.h"
#include "cli/signal_queue.h"
#include "cli/verb_simulate.h"
#include "format/size.h"
#include "host/files.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

constexpr auto kSimulatorStart = 10s;
constexpr auto kDaemonEnd = 15s;  // its own limits are shorter
constexpr std::string_view kPassedOn[] = {"--config",      "--listen",     "--state-dir",
                                          "--runtime-dir", "--nvml",       "--root",
                                          "--machine",     "--kernel-log", "--gateway"};

// estivad's command line: what was given to us, checked where a number stands.
Result<std::vector<std::string>> daemon_command(const Arguments& args) {
  const auto program = find_program("estivad");
  if (!program) return Failure(program.error());
  std::vector<std::string> words{*program};
  for (const std::string_view flag : kPassedOn)
    if (const auto value = args.value(flag))
      words.insert(words.end(), {std::string(flag), std::string(*value)});
  if (args.has("--interval")) {
    const auto interval = time_of(args, "--interval", 1s, 50ms);
    if (!interval) return Failure(interval.error());
    words.insert(words.end(), {"--interval", format::format_duration(*interval)});
  }
  if (!args.has("--keep-models")) words.emplace_back("--stop-models");
  if (args.has("--fresh-state")) words.emplace_back("--fresh-state");
  return words;
}

Result<int> become(const std::vector<std::string>& words) {
  std::vector<char*> raw;
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(raw[0], raw.data());
  return fail_errno(fmt::format(m::kStarting, words[0]), errno);
}

std::string runtime_dir(const Arguments& args) {
  api::PlaceFlags flags;
  if (const auto dir = args.value("--runtime-dir")) flags.runtime_dir = *dir;
  if (const auto dir = args.value("--state-dir")) flags.state_dir = *dir;
  return api::resolve_places(flags).runtime_dir;
}

Result<HeldChild> start(const std::vector<std::string>& command, const EnvironmentChanges& changes,
                        const SignalQueue& signals) {
  auto child = HeldChild::start(command, signals.mask_before());
  if (!child) return child;
  if (const int number = child->let_go(changes))
    return fail_errno(fmt::format(m::kStarting, command[0]), number);
  return child;
}

// The simulator is ready once its socket is there.
Result<void> wait_for_simulator(HeldChild& simulator, const std::string& dir,
                                const SignalQueue& signals) {
  const SteadyTime deadline = steady_now() + kSimulatorStart;
  while (::access((dir + "/control").c_str(), F_OK) != 0) {
    if (const auto status = simulator.poll_exit())
      return fail(*status == 2 ? ErrorKind::usage : ErrorKind::failed,
                  fmt::format(m::kSimEnded, *status), std::string(m::kSimRemedy));
    if (steady_now() > deadline)
      return fail(ErrorKind::timed_out, fmt::format(m::kSimLate, kSimulatorStart.count()));
    signals.take(5ms);
  }
  return {};
}

// Until the daemon ends by itself or by a signal that is passed on to it.
int watch_both(HeldChild& daemon, HeldChild& simulator, const SignalQueue& signals) {
  bool told = false;
  SteadyTime limit{INT64_MAX};
  while (true) {
    if (const auto status = daemon.poll_exit()) return *status;
    siginfo_t info{};
    const int number = signals.take(500ms, info);
    const bool ends = number == SIGTERM || number == SIGINT || number == SIGQUIT;
    if (number == SIGHUP || (ends && was_sent_to_us(info))) ::kill(daemon.pid(), number);
    if ((ends || simulator.poll_exit()) && !told) {
      told = true;
      limit = steady_now() + kDaemonEnd;
      if (!ends) ::kill(daemon.pid(), SIGTERM);  // without its GPUs it can only mislead
    }
    if (steady_now() > limit) ::kill(daemon.pid(), SIGKILL);
  }
}

std::vector<std::string> simulator_command(const Arguments& args, const std::string& program,
                                           const std::string& dir) {
  const std::string scenario(args.value("--simulate").value_or(""));
  return {program, "run", scenario.empty() ? std::string(kDefaultScenario) : scenario,
          "--dir", dir,   "--quiet"};
}

Result<int> run_simulated(const Arguments& args, std::vector<std::string> command) {
  const auto root = args.value("--root");
  if (auto ok = check_may_simulate("/"); !ok) return Failure(ok.error());
  if (root)
    if (auto ok = check_may_simulate(std::string(*root)); !ok) return Failure(ok.error());
  const auto program = find_program("estiva-sim");
  if (!program) return Failure(program.error());
  const auto library = find_beside("sim/libnvidia-ml.so.1");
  if (!library) return Failure(library.error());

  const std::string dir = runtime_dir(args) + "/sim";
  if (auto ok = host::ensure_named_dir(runtime_dir(args), 0755); !ok) return Failure(ok.error());
  if (auto ok = check_simulator_free(dir); !ok) return Failure(ok.error());
  ::unlink((dir + "/control").c_str());  // of one that was killed: it would look ready
  const SignalQueue signals({SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGCHLD});
  auto simulator = start(simulator_command(args, *program, dir), {}, signals);
  if (!simulator) return Failure(simulator.error());
  if (auto ok = wait_for_simulator(*simulator, dir, signals); !ok) return Failure(ok.error());
  command.insert(command.end(), {"--nvml", *library, "--simulated"});
  if (!args.has("--kernel-log")) command.insert(command.end(), {"--kernel-log", dir + "/kmsg.log"});
  auto daemon = start(command, {{"ESTIVA_SIM_DIR", dir}}, signals);
  if (!daemon) return Failure(daemon.error());
  const int status = watch_both(*daemon, *simulator, signals);
  if (simulator->pid() > 0) {
    ::kill(simulator->pid(), SIGTERM);
    simulator->wait_exit();
  }
  return status;
}

}  // namespace

Result<int> run_daemon(Session&, const Arguments& args) {
  auto command = daemon_command(args);
  if (!command) return Failure(command.error());
  if (!args.has("--simulate")) return become(*command);
  if (args.has("--nvml") || args.has("--machine"))
    return fail(ErrorKind::usage, std::string(m::kSimulateAlone),
                std::string(m::kSimulateAloneRemedy));
  return run_simulated(args, std::move(*command));
}

}  // namespace estiva::cli
