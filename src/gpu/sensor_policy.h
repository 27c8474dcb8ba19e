// When to start, ask, give up on, kill and replace the sensor. Pure: events and time go in, effects
// come out; no clock, process or socket. The driver of it is sensor_client.cpp.
//
// At most one sensor at a time, for ever: a new one is started only when the last was reaped, so a
// process stuck in the kernel is never joined by a second one. Between two starts lie at least
// `first_backoff`, doubled each time up to `most_backoff`, and reset after a minute of health.
#pragma once
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "gpu/tiers.h"
#include "model/gpu.h"

namespace estiva::gpu {

struct PolicyLimits {
  Nanoseconds late_after = std::chrono::seconds(1);    // a read this old: state unresponsive
  Nanoseconds kill_after = std::chrono::seconds(3);    // a read this old: SIGKILL
  Nanoseconds start_limit = std::chrono::seconds(15);  // the same, until the driver is initialised
  Nanoseconds reap_limit = std::chrono::seconds(2);    // from SIGKILL to STUCK
  Nanoseconds quit_limit = std::chrono::seconds(1);    // from a request to leave to SIGKILL
  Nanoseconds first_backoff = std::chrono::milliseconds(250);
  Nanoseconds most_backoff = std::chrono::seconds(30);
  Nanoseconds healthy_after = std::chrono::seconds(60);
  // From a sampling interval: a hung call is reported within two intervals of the last answer.
  static PolicyLimits of_interval(Nanoseconds interval);
};

struct Effects {
  struct Read {
    std::uint64_t id = 0;
    Tiers tiers;
  };
  bool spawn = false;
  bool quit = false;     // ask the sensor to leave
  bool kill = false;     // SIGKILL
  bool publish = false;  // the state or the values changed
  std::optional<Read> read;
  std::optional<std::uint64_t> answered;  // readers of this id get the new view
  bool drop_readers = false;              // every waiting reader is told the state
};

// How a sensor ended, in words: "signal 11 (Segmentation fault)", "exit code 3".
struct Ending {
  std::string words;
  bool was_asked = false;
};

class SensorPolicy {
 public:
  enum class Phase { down, running, leaving, dying, stuck, stopped };

  explicit SensorPolicy(PolicyLimits limits) : limits_(limits) {}

  Effects start(SteadyTime now);
  // Wants a reading that is sent from now on; `id` is the read that will carry it. Nothing where
  // no read can be sent for now: the status says why.
  struct Ticket {
    std::optional<std::uint64_t> id;
    Effects effects;
  };
  Ticket request(SteadyTime now, Tiers tiers);
  Effects spawned(SteadyTime now, int pid);
  Effects spawn_failed(SteadyTime now, const Error& error);
  Effects driver_said(SteadyTime now, const DriverStatus& driver);
  Effects answered(SteadyTime now, std::uint64_t id);
  Effects malformed(SteadyTime now);
  Effects hung_up(SteadyTime now);
  Effects ended(SteadyTime now, const Ending& ending);  // reaped
  Effects tick(SteadyTime now);                         // at or after wake_at()
  Effects release(SteadyTime now);
  Effects reacquire(SteadyTime now);
  Effects stop(SteadyTime now);

  // When tick() has something to do, if nothing else happens before.
  std::optional<SteadyTime> wake_at() const;
  // What to tell users: what the driver said, unless the sensor's own trouble goes before it.
  DriverStatus status() const;
  Phase phase() const { return phase_; }
  bool is_reading() const { return reading_.has_value(); }
  // When the last answered read was sent.
  SteadyTime answered_read_at() const { return answered_read_at_; }
  Tiers answered_tiers() const { return answered_tiers_; }

 private:
  enum class Cause { none, hang, malformed, crash, replace, release, stop };
  struct Reading {
    std::uint64_t id = 0;
    Tiers tiers;
    SteadyTime sent_at;       // freshness
    SteadyTime counted_from;  // deadlines
    bool is_late = false;
  };
  struct Trouble {
    DriverState state;
    std::string reason, remedy;
  };

  bool may_read() const { return phase_ == Phase::running && !reading_; }
  void send_pending(SteadyTime now, Effects& effects);
  void kill(SteadyTime now, Cause cause, Effects& effects);
  void leave(SteadyTime now, Cause cause, Effects& effects);
  void go_down(SteadyTime now);
  void trouble(DriverState state, std::string reason, std::string_view remedy, Effects& effects);
  Nanoseconds read_limit() const { return is_ready_ ? limits_.kill_after : limits_.start_limit; }

  PolicyLimits limits_;
  Phase phase_ = Phase::down;
  Cause cause_ = Cause::none;
  int pid_ = 0;
  bool is_ready_ = false;  // the driver is initialised in this sensor
  bool is_released_ = false;
  bool is_started_ = false;
  unsigned failures_ = 0;
  SteadyTime spawned_at_, phase_until_;
  std::optional<Reading> reading_;
  std::uint64_t next_id_ = 1;
  Tiers pending_;
  std::optional<Trouble> trouble_;
  DriverStatus driver_;
  std::uint64_t restarts_ = 0, missed_ = 0;
  SteadyTime answered_read_at_;
  Tiers answered_tiers_;
};

}  // namespace estiva::gpu
