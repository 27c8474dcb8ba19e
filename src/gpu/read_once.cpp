#include "gpu/read_once.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/messages/gpu.h"
#include "gpu/sensor_launcher.h"
#include "gpu/wire.h"

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;

// True when readable before the deadline.
bool wait_for(int fd, SteadyTime deadline) {
  while (true) {
    const Nanoseconds left = deadline - steady_now();
    if (left <= Nanoseconds(0)) return false;
    pollfd one{fd, POLLIN, 0};
    const auto ms = std::chrono::ceil<milliseconds>(left).count();
    const int n = poll(&one, 1, static_cast<int>(std::min<std::int64_t>(ms, 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

Failure sensor_ended(const Launched& sensor, std::string_view fallback) {
  wait_for(sensor.ended.get(), steady_now() + milliseconds(50));
  const auto ending = reap(sensor.pid);
  return fail(fmt::format(fmt::runtime(msg::kGpuCrashed), ending ? ending->words : fallback),
              std::string(msg::kGpuCrashedRemedy));
}

// Ends the sensor in order where it can: nvmlShutdown needs a moment, and a hung one gets none.
void end(Launched& sensor, bool is_well) {
  sensor.socket = UniqueFd();
  if (!is_well) ::kill(sensor.pid, SIGKILL);
  if (!wait_for(sensor.ended.get(), steady_now() + milliseconds(is_well ? 50 : 20))) {
    ::kill(sensor.pid, SIGKILL);
  }
  reap(sensor.pid);
}

Result<void> collect(const Launched& sensor, Assembler& assembler, SteadyTime deadline) {
  std::byte buffer[kMaxMessage + 1];
  while (wait_for(sensor.socket.get(), deadline)) {
    const ssize_t n = recv(sensor.socket.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return sensor_ended(sensor, "it closed its socket");
    switch (assembler.take(std::span(buffer, static_cast<std::size_t>(n)))) {
      case Assembler::Outcome::done:
        return {};
      case Assembler::Outcome::malformed:
        return fail(std::string(msg::kGpuMalformed));
      default:
        break;
    }
  }
  return fail(ErrorKind::timed_out, std::string(msg::kGpuReadTimedOut),
              std::string(msg::kGpuUnresponsiveRemedy));
}

Result<void> ask(const Launched& sensor, Assembler& assembler, std::uint64_t id, Tiers tiers,
                 milliseconds limit) {
  const auto request = encode_request({Kind::read, id, tiers});
  if (send(sensor.socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return sensor_ended(sensor, "it closed its socket");
  }
  auto done = collect(sensor, assembler, steady_now() + limit);
  if (done || done.error().kind != ErrorKind::timed_out) return done;
  return fail(ErrorKind::timed_out, fmt::format(fmt::runtime(msg::kGpuReadTimedOut), limit.count()),
              done.error().remedy);
}

SensorView view_of(const Assembler& assembler, SteadyTime read_at, Tiers tiers,
                   std::uint64_t sequence) {
  SensorView view;
  view.driver = assembler.driver();
  view.gpus = assembler.gpus();
  view.read_at = read_at;
  view.tiers = tiers;
  view.sequence = sequence;
  return view;
}

}  // namespace

Result<std::vector<CallCost>> read_series(const SensorOptions& options, Tiers tiers,
                                          milliseconds interval, milliseconds limit,
                                          const std::function<bool(const SensorView&)>& on_view,
                                          const std::function<bool(Nanoseconds)>& wait) {
  auto launched = launch_sensor(options);
  if (!launched) return Failure(launched.error().in(msg::kGpuNoSensor));
  Assembler assembler;
  Result<void> done;
  SteadyTime next = steady_now();
  for (std::uint64_t id = 1; done; ++id) {
    const SteadyTime begun = steady_now();
    done = ask(*launched, assembler, id, tiers, limit);
    if (done && !on_view(view_of(assembler, begun, tiers, id))) break;
    next = std::max(next + interval, steady_now());
    if (done && !wait(std::max(next - steady_now(), Nanoseconds(0)))) break;
  }
  end(*launched, done.has_value());
  if (!done) return Failure(done.error());
  return assembler.calls();
}

Result<SensorView> read_once(const SensorOptions& options, Tiers tiers, milliseconds limit) {
  SensorView only;
  const auto read = read_series(
      options, tiers, {}, limit,
      [&only](const SensorView& view) {
        only = view;
        return false;
      },
      [](Nanoseconds) { return false; });
  if (!read) return Failure(read.error());
  return only;
}

}  // namespace estiva::gpu
