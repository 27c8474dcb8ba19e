#include "gpu/sensor_launcher.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "base/messages/gpu.h"
#include "gpu/sensor_protocol.h"
#include "host/beside.h"
#include "host/spawn.h"

// glibc 2.36 declares its functions without C linkage for C++.
extern "C" {
#include <sys/pidfd.h>
}

namespace estiva::gpu {
namespace {

std::vector<std::string> arguments(const std::string& program, const SensorOptions& options) {
  std::vector<std::string> words = {program, "--source", options.source, "--root", options.root};
  if (!options.nvml_file.empty()) words.insert(words.end(), {"--nvml", options.nvml_file});
  if (!options.machine.empty()) words.insert(words.end(), {"--machine", options.machine});
  if (options.measures) words.insert(words.end(), {"--costs", "on"});
  if (options.listens) words.insert(words.end(), {"--xids", "on"});
  return words;
}

}  // namespace

std::string sensor_program(const SensorOptions& options) {
  if (!options.program.empty()) return options.program;
  return host::program_beside("estiva-sensor");
}

Result<Launched> launch_sensor(const SensorOptions& options) {
  const std::string program = sensor_program(options);
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return fail_errno("make the sensor's socket", errno);
  }
  Launched launched;
  launched.socket = UniqueFd(pair[0]);
  // dup2 onto itself would keep close-on-exec: the child's end must not be descriptor 3 already.
  UniqueFd theirs(fcntl(pair[1], F_DUPFD_CLOEXEC, kSensorFd + 1));
  ::close(pair[1]);
  if (theirs.get() < 0) return fail_errno("make the sensor's socket", errno);
  fcntl(launched.socket.get(), F_SETFL, O_NONBLOCK);
  // A group of its own: Ctrl-C reaches estivad only, which then ends the sensor in order.
  const host::Spawn what{arguments(program, options), {}, {{theirs.get(), kSensorFd}}};
  const int error = host::spawn(what, launched.pid);
  if (error != 0) {
    return fail_errno("start " + program, error, std::string(msg::kGpuNoSensorRemedy));
  }
  launched.ended = UniqueFd(pidfd_open(launched.pid, 0));
  if (launched.ended.get() < 0) {
    const int why = errno;
    ::kill(launched.pid, SIGKILL);
    waitpid(launched.pid, nullptr, 0);  // it has run for a moment, and no driver call yet
    return fail_errno("watch the sensor", why);
  }
  return launched;
}

std::optional<Ending> reap(int pid) {
  int status = 0;
  const pid_t got = waitpid(pid, &status, WNOHANG);
  if (got == 0) return std::nullopt;
  if (got < 0) return Ending{"it was reaped by somebody else", false};
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return Ending{fmt::format("signal {} ({})", number, strsignal(number)), number == SIGKILL};
  }
  return Ending{fmt::format("exit code {}", WEXITSTATUS(status)), WEXITSTATUS(status) == 0};
}

}  // namespace estiva::gpu
