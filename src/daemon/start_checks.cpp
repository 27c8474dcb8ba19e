#include "daemon/start_checks.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/messages/api.h"
#include "gpu/presence.h"

namespace estiva::daemon {

// Each lease's holder is a descriptor, each client of the control socket two: the soft limit of
// 1,024 that shells and old units give would be reached by one careless client.
void allow_descriptors() {
  constexpr rlim_t kDescriptors = 16384;  // as packaging/systemd/estiva.service has it
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kDescriptors) return;
  limit.rlim_cur = std::min(limit.rlim_max, kDescriptors);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log(LogLevel::warning, "the limit of open files stays as it is", {{"limit", limit.rlim_cur}});
  }
}

// Simulation never stands in for a real GPU.
Result<void> check_simulation(const DaemonOptions& options) {
  if (!options.simulated) return {};
  const gpu::Presence presence = gpu::look_for_gpus(options.root);
  if (presence.gpus.empty()) return {};
  return fail(ErrorKind::refused,
              fmt::format(msg::kSimulationRefused, presence.gpus.front().bus_id),
              msg::kSimulationRefusedRemedy);
}

}  // namespace estiva::daemon
