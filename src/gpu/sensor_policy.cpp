#include "gpu/sensor_policy.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/gpu.h"

namespace estiva::gpu {
namespace {

// States in which a fresh process may see what this one can't: a new library file, a new loader
// cache, a folder of LD_LIBRARY_PATH that was not there at start.
bool is_worth_a_new_process(DriverState state) {
  return state == DriverState::mismatch || state == DriverState::failed ||
         state == DriverState::no_library;
}

std::int64_t to_ms(Nanoseconds d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace

PolicyLimits PolicyLimits::of_interval(Nanoseconds interval) {
  PolicyLimits limits;
  // At worst a call hangs right after a good answer: one interval until the next read is sent, and
  // three quarters of one until it is late, is within two.
  limits.late_after = std::max<Nanoseconds>(interval * 3 / 4, std::chrono::milliseconds(50));
  limits.kill_after = std::max<Nanoseconds>(3 * interval, std::chrono::milliseconds(500));
  return limits;
}

void SensorPolicy::trouble(DriverState state, std::string reason, std::string_view remedy,
                           Effects& effects) {
  trouble_ = Trouble{state, std::move(reason), std::string(remedy)};
  effects.publish = true;
}

void SensorPolicy::go_down(SteadyTime now) {
  const Nanoseconds doubled = limits_.first_backoff * (1L << std::min(failures_, 16U));
  phase_ = Phase::down;
  phase_until_ = now + std::min(doubled, limits_.most_backoff);
  ++failures_;
  cause_ = Cause::none;
  pid_ = 0;
  is_ready_ = false;
}

void SensorPolicy::kill(SteadyTime now, Cause cause, Effects& effects) {
  if (cause_ == Cause::none) cause_ = cause;
  phase_ = Phase::dying;
  phase_until_ = now + limits_.reap_limit;
  reading_.reset();
  effects.kill = true;
  effects.drop_readers = true;
}

void SensorPolicy::leave(SteadyTime now, Cause cause, Effects& effects) {
  cause_ = cause;
  phase_ = Phase::leaving;
  phase_until_ = now + limits_.quit_limit;
  reading_.reset();
  effects.quit = true;
  effects.drop_readers = true;
}

void SensorPolicy::send_pending(SteadyTime now, Effects& effects) {
  if (!may_read() || pending_.empty()) return;
  reading_ = Reading{next_id_++, pending_, now, now, false};
  pending_ = {};
  effects.read = Effects::Read{reading_->id, reading_->tiers};
}

Effects SensorPolicy::start(SteadyTime now) {
  Effects effects;
  is_started_ = true;
  phase_until_ = now;
  trouble(DriverState::initialising, std::string(msg::kGpuInitialising), {}, effects);
  effects.spawn = true;
  return effects;
}

SensorPolicy::Ticket SensorPolicy::request(SteadyTime now, Tiers tiers) {
  Ticket ticket;
  const bool is_late = reading_ && reading_->is_late;
  // At the very first start the readers wait for it; after trouble they are told of the trouble.
  const bool is_first_start =
      is_started_ && trouble_ && trouble_->state == DriverState::initialising;
  if (phase_ != Phase::running && !(phase_ == Phase::down && is_first_start)) return ticket;
  if (is_late) return ticket;
  pending_ = pending_ | tiers;
  ticket.id = next_id_;
  send_pending(now, ticket.effects);
  return ticket;
}

Effects SensorPolicy::spawned(SteadyTime now, int pid) {
  Effects effects;
  phase_ = Phase::running;
  cause_ = Cause::none;
  pid_ = pid;
  is_ready_ = false;
  spawned_at_ = now;
  pending_ = Tiers::all();
  send_pending(now, effects);
  return effects;
}

Effects SensorPolicy::spawn_failed(SteadyTime now, const Error& error) {
  Effects effects;
  trouble(DriverState::failed, fmt::format("{}: {}", msg::kGpuNoSensor, error.what),
          error.remedy.empty() ? std::string(msg::kGpuNoSensorRemedy) : error.remedy, effects);
  effects.drop_readers = true;
  go_down(now);
  return effects;
}

Effects SensorPolicy::driver_said(SteadyTime now, const DriverStatus& driver) {
  Effects effects;
  driver_ = driver;
  const bool was_ready = is_ready_;
  is_ready_ = can_place(driver.state);
  if (reading_ && is_ready_ && !was_ready) reading_->counted_from = now;
  return effects;
}

Effects SensorPolicy::answered(SteadyTime now, std::uint64_t id) {
  if (!reading_ || reading_->id != id) return malformed(now);
  Effects effects;
  answered_read_at_ = reading_->sent_at;
  answered_tiers_ = reading_->tiers;
  reading_.reset();
  trouble_.reset();
  effects.answered = id;
  effects.publish = true;
  if (is_ready_ && now - spawned_at_ >= limits_.healthy_after) failures_ = 0;
  if (is_worth_a_new_process(driver_.state)) {
    leave(now, Cause::replace, effects);
    effects.drop_readers = !pending_.empty();
    return effects;
  }
  send_pending(now, effects);
  return effects;
}

Effects SensorPolicy::malformed(SteadyTime now) {
  Effects effects;
  if (phase_ != Phase::running) return effects;
  trouble(DriverState::crashed, std::string(msg::kGpuMalformed), msg::kGpuCrashedRemedy, effects);
  kill(now, Cause::malformed, effects);
  return effects;
}

// The socket is closed: the sensor is ending, or closed it by itself. Either way it must go.
Effects SensorPolicy::hung_up(SteadyTime now) {
  Effects effects;
  if (phase_ == Phase::running) kill(now, Cause::crash, effects);
  return effects;
}

Effects SensorPolicy::ended(SteadyTime now, const Ending& ending) {
  Effects effects;
  const Cause cause = cause_;
  const bool was_reading = reading_.has_value();
  reading_.reset();
  effects.drop_readers = was_reading || !pending_.empty();
  pending_ = {};
  if (cause == Cause::stop || phase_ == Phase::stopped) {
    phase_ = Phase::stopped;
    return effects;
  }
  go_down(now);
  if (cause == Cause::none || cause == Cause::crash) {
    trouble(DriverState::crashed, fmt::format(fmt::runtime(msg::kGpuCrashed), ending.words),
            msg::kGpuCrashedRemedy, effects);
  } else if (cause == Cause::hang && trouble_ && trouble_->state == DriverState::stuck) {
    trouble(DriverState::unresponsive,
            fmt::format(fmt::runtime(msg::kGpuUnresponsive), to_ms(limits_.kill_after)),
            msg::kGpuUnresponsiveRemedy, effects);
  }
  if (!is_released_) return effects;
  trouble(DriverState::released, std::string(msg::kGpuReleased), msg::kGpuReleasedRemedy, effects);
  return effects;
}

Effects SensorPolicy::tick(SteadyTime now) {
  Effects effects;
  switch (phase_) {
    case Phase::down:
      if (is_started_ && !is_released_ && now >= phase_until_) {
        if (!trouble_ || trouble_->state != DriverState::initialising) ++restarts_;
        effects.spawn = true;
      }
      break;
    case Phase::leaving:
      if (now >= phase_until_) kill(now, cause_, effects);
      break;
    case Phase::dying:
      if (now < phase_until_) break;
      phase_ = Phase::stuck;
      trouble(DriverState::stuck, fmt::format(fmt::runtime(msg::kGpuStuck), pid_),
              msg::kGpuStuckRemedy, effects);
      break;
    case Phase::running: {
      if (!reading_) break;
      const Nanoseconds age = now - reading_->counted_from;
      const bool is_over = age >= read_limit();
      if (!reading_->is_late && (is_over || (is_ready_ && age >= limits_.late_after))) {
        reading_->is_late = true;
        ++missed_;
        effects.drop_readers = true;
        trouble(DriverState::unresponsive,
                fmt::format(fmt::runtime(msg::kGpuUnresponsive), to_ms(age)),
                msg::kGpuUnresponsiveRemedy, effects);
      }
      if (is_over) kill(now, Cause::hang, effects);
      break;
    }
    case Phase::stuck:
    case Phase::stopped:
      break;
  }
  return effects;
}

Effects SensorPolicy::release(SteadyTime now) {
  Effects effects;
  if (is_released_ || phase_ == Phase::stopped) return effects;
  is_released_ = true;
  if (phase_ == Phase::running) {
    leave(now, Cause::release, effects);
  } else if (phase_ == Phase::down) {
    trouble(DriverState::released, std::string(msg::kGpuReleased), msg::kGpuReleasedRemedy,
            effects);
    effects.drop_readers = true;
  }
  return effects;
}

Effects SensorPolicy::reacquire(SteadyTime now) {
  Effects effects;
  if (!is_released_ || phase_ == Phase::stopped) return effects;
  is_released_ = false;
  failures_ = 0;
  trouble(DriverState::initialising, std::string(msg::kGpuInitialising), {}, effects);
  if (phase_ == Phase::down) phase_until_ = now;
  return effects;
}

Effects SensorPolicy::stop(SteadyTime now) {
  Effects effects;
  effects.drop_readers = true;
  if (phase_ == Phase::down || phase_ == Phase::stopped) {
    phase_ = Phase::stopped;
  } else if (phase_ == Phase::running) {
    leave(now, Cause::stop, effects);
  } else {
    cause_ = Cause::stop;
  }
  return effects;
}

std::optional<SteadyTime> SensorPolicy::wake_at() const {
  switch (phase_) {
    case Phase::down:
      if (!is_started_ || is_released_) return std::nullopt;
      return phase_until_;
    case Phase::leaving:
    case Phase::dying:
      return phase_until_;
    case Phase::running: {
      if (!reading_) return std::nullopt;
      const bool watch_late = is_ready_ && !reading_->is_late;
      return reading_->counted_from + (watch_late ? limits_.late_after : read_limit());
    }
    case Phase::stuck:
    case Phase::stopped:
      return std::nullopt;
  }
  return std::nullopt;
}

DriverStatus SensorPolicy::status() const {
  DriverStatus status = driver_;
  if (trouble_) {
    status.state = trouble_->state;
    status.reason = trouble_->reason;
    status.remedy = trouble_->remedy;
  }
  status.sensor_restarts = restarts_;
  status.missed_deadlines = missed_;
  return status;
}

}  // namespace estiva::gpu
