// The policy's hands: timers, the socket, the process. Every decision is in sensor_policy.cpp.
#include "gpu/sensor_client.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <fmt/format.h>
#include <list>
#include <signal.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/messages/gpu.h"
#include "gpu/sensor_launcher.h"
#include "gpu/sensor_policy.h"
#include "gpu/wire.h"

namespace estiva::gpu {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t kMostReaders = 4096;
// Messages taken from the socket in one go, so that a talkative sensor can't hold the loop.
constexpr int kMostMessagesAtOnce = 64;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

class Sensor::Impl : public std::enable_shared_from_this<Sensor::Impl> {
 public:
  Impl(asio::any_io_executor executor, SensorOptions options, Launcher launcher)
      : options_(std::move(options)),
        launcher_(std::move(launcher)),
        executor_(executor),
        policy_(limits(options_)),
        schedule_(options_.interval),
        tick_timer_(executor),
        wake_timer_(executor),
        stop_timer_(executor),
        socket_(executor),
        ended_(executor) {
    auto first = std::make_shared<SensorView>();
    first->driver.source = options_.source;
    view_ = std::move(first);
  }

  void start(std::function<void(SensorViewPtr)> on_update) {
    on_update_ = std::move(on_update);
    apply(policy_.start(steady_now()));
    arm_tick();
  }

  void on_xids(std::function<void(const std::vector<XidReport>&)> told) {
    on_xids_ = std::move(told);
  }

  SensorViewPtr current() const { return view_; }
  int pid() const { return pid_; }

  asio::awaitable<Result<SensorViewPtr>> read(Tiers tiers, milliseconds limit) {
    const auto self = shared_from_this();
    if (readers_.size() >= kMostReaders) {
      co_return fail(ErrorKind::refused,
                     fmt::format(fmt::runtime(msg::kGpuTooManyReaders), kMostReaders));
    }
    const SensorPolicy::Ticket ticket = policy_.request(steady_now(), tiers);
    if (!ticket.id) co_return refused();
    const auto reader = readers_.emplace(readers_.end(), *ticket.id, executor_);
    apply(ticket.effects);
    reader->timer.expires_after(limit);
    if (!reader->is_told) co_await reader->timer.async_wait(kTuple);
    const Outcome outcome{reader->is_told, std::move(reader->view)};
    readers_.erase(reader);
    if (outcome.view) co_return outcome.view;
    if (outcome.is_told) co_return refused();
    co_return fail(ErrorKind::timed_out,
                   fmt::format(fmt::runtime(msg::kGpuReadTimedOut), limit.count()),
                   std::string(msg::kGpuUnresponsiveRemedy));
  }

  void release() { apply(policy_.release(steady_now())); }
  void reacquire() { apply(policy_.reacquire(steady_now())); }

  asio::awaitable<void> stop() {
    const auto self = shared_from_this();
    on_update_ = nullptr;
    on_xids_ = nullptr;
    tick_timer_.cancel();
    apply(policy_.stop(steady_now()));
    const PolicyLimits limit = limits(options_);
    stop_timer_.expires_after(limit.quit_limit + limit.reap_limit);
    if (policy_.phase() != SensorPolicy::Phase::stopped) co_await stop_timer_.async_wait(kTuple);
    abandon();
  }

  // No more handlers; the process, if any, is killed and left to init.
  void abandon() {
    on_update_ = nullptr;
    on_xids_ = nullptr;
    ++generation_;
    tick_timer_.cancel();
    wake_timer_.cancel();
    stop_timer_.cancel();
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      reap(pid_);
    }
    pid_ = 0;
    close_socket();
    error_code ignored;
    ended_.close(ignored);
    tell_readers(~std::uint64_t{0}, nullptr);
  }

 private:
  struct Reader {
    std::uint64_t id;
    bool is_told = false;
    SensorViewPtr view;
    asio::steady_timer timer;
    Reader(std::uint64_t i, const asio::any_io_executor& executor) : id(i), timer(executor) {}
  };
  struct Outcome {
    bool is_told;
    SensorViewPtr view;
  };

  static PolicyLimits limits(const SensorOptions& options) {
    PolicyLimits limits = PolicyLimits::of_interval(options.interval);
    limits.start_limit = options.start_limit;
    limits.reap_limit = options.reap_limit;
    return limits;
  }

  Failure refused() const {
    const DriverStatus& driver = view_->driver;
    return fail(ErrorKind::refused,
                driver.reason.empty() ? std::string(msg::kGpuInitialising) : driver.reason,
                driver.remedy);
  }

  void apply(const Effects& effects) {
    if (effects.publish || effects.answered) publish();
    if (effects.answered) tell_readers(*effects.answered, view_);
    if (effects.drop_readers) tell_readers(~std::uint64_t{0}, nullptr);
    if (effects.quit) close_socket();  // the sensor shuts the driver down and leaves
    if (effects.kill) kill_sensor();
    if (effects.read) send({Kind::read, effects.read->id, effects.read->tiers});
    if (effects.spawn) spawn();
    if (policy_.phase() == SensorPolicy::Phase::stopped) stop_timer_.cancel();
    arm_wake();
  }

  void publish() {
    auto view = std::make_shared<SensorView>();
    view->driver = policy_.status();
    if (view->driver.source.empty() || !has_answer_) view->driver.source = options_.source;
    view->gpus = assembler_.gpus();
    view->read_at = policy_.answered_read_at();
    view->tiers = policy_.answered_tiers();
    view->sequence = view_->sequence + 1;
    if (view->driver.state != view_->driver.state) log_change(view->driver);
    view_ = std::move(view);
    if (on_update_) on_update_(view_);
  }

  void log_change(const DriverStatus& driver) const {
    const LogLevel level = can_place(driver.state) ? LogLevel::info : LogLevel::warning;
    log(level, "gpu driver state",
        {{"state", to_name(driver.state)},
         {"before", to_name(view_->driver.state)},
         {"reason", driver.reason},
         {"restarts", driver.sensor_restarts}});
  }

  void tell_readers(std::uint64_t up_to, const SensorViewPtr& view) {
    for (Reader& reader : readers_) {
      if (reader.id > up_to || reader.is_told) continue;
      reader.is_told = true;
      reader.view = view;
      reader.timer.cancel();
    }
  }

  void spawn() {
    auto launched = launcher_(options_);
    if (!launched) {
      log(LogLevel::error, "sensor not started", {{"error", launched.error().sentence()}});
      return apply(policy_.spawn_failed(steady_now(), launched.error()));
    }
    ++generation_;
    pid_ = launched->pid;
    assembler_.restart();
    schedule_.forget();
    socket_.assign(launched->socket.release());
    ended_.assign(launched->ended.release());
    wait_for_message();
    wait_for_end();
    apply(policy_.spawned(steady_now(), pid_));
  }

  void send(const Request& request) {
    const SteadyTime now = steady_now();
    schedule_.asked(request.tiers, now);
    const auto bytes = encode_request(request);
    // A sensor that does not read its requests has its deadline running anyway.
    if (::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) <
            0 &&
        errno == EPIPE) {
      apply(policy_.hung_up(now));
    }
  }

  void kill_sensor() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    close_socket();
  }

  void close_socket() {
    error_code ignored;
    socket_.close(ignored);
  }

  void wait_for_message() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = weak_from_this(), generation = generation_](error_code failed) {
                         const auto impl = self.lock();
                         if (!impl || failed || generation != impl->generation_) return;
                         impl->take_messages();
                       });
  }

  void take_messages() {
    for (int i = 0; i < kMostMessagesAtOnce && socket_.is_open(); ++i) {
      const ssize_t n = recv(socket_.native_handle(), buffer_, sizeof buffer_, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) return apply(policy_.hung_up(steady_now()));
      take(std::span(buffer_, static_cast<std::size_t>(n)));
    }
    if (socket_.is_open()) wait_for_message();
  }

  void take(std::span<const std::byte> message) {
    const SteadyTime now = steady_now();
    switch (assembler_.take(message)) {
      case Assembler::Outcome::hello:
      case Assembler::Outcome::more:
        break;
      case Assembler::Outcome::xids:
        if (on_xids_) on_xids_(assembler_.xids());
        break;
      case Assembler::Outcome::state:
        apply(policy_.driver_said(now, assembler_.driver()));
        break;
      case Assembler::Outcome::done:
        has_answer_ = true;
        schedule_.learned(assembler_.costs());
        apply(policy_.answered(now, assembler_.done_id()));
        break;
      case Assembler::Outcome::malformed:
        apply(policy_.malformed(now));
        break;
    }
  }

  void wait_for_end() {
    ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = weak_from_this(), generation = generation_](error_code failed) {
                        const auto impl = self.lock();
                        if (!impl || failed || generation != impl->generation_) return;
                        impl->sensor_ended();
                      });
  }

  void sensor_ended() {
    // What it said before it ended counts: the last answer may be waiting in the socket.
    if (socket_.is_open()) drain();
    const auto ending = reap(pid_);
    if (!ending) return wait_for_end();
    pid_ = 0;
    close_socket();
    error_code ignored;
    ended_.close(ignored);
    apply(policy_.ended(steady_now(), *ending));
  }

  void drain() {
    for (int i = 0; i < kMostMessagesAtOnce && socket_.is_open(); ++i) {
      const ssize_t n = recv(socket_.native_handle(), buffer_, sizeof buffer_, MSG_DONTWAIT);
      if (n <= 0) return;
      take(std::span(buffer_, static_cast<std::size_t>(n)));
    }
  }

  void arm_tick() {
    tick_timer_.expires_after(std::max(options_.interval, milliseconds(50)));
    tick_timer_.async_wait([self = weak_from_this()](error_code failed) {
      const auto impl = self.lock();
      if (!impl || failed || !impl->on_update_) return;
      impl->arm_tick();
      impl->tick();
    });
  }

  // A read that is still in flight is the deadline's business, not a reason to queue another.
  void tick() {
    if (policy_.is_reading()) return;
    const SteadyTime now = steady_now();
    apply(policy_.request(now, schedule_.due(now)).effects);
  }

  void arm_wake() {
    const auto when = policy_.wake_at();
    wake_timer_.cancel();
    if (!when) return;
    wake_timer_.expires_after(std::max(*when - steady_now(), Nanoseconds(0)));
    wake_timer_.async_wait([self = weak_from_this()](error_code failed) {
      const auto impl = self.lock();
      if (!impl || failed) return;
      impl->apply(impl->policy_.tick(steady_now()));
    });
  }

  SensorOptions options_;
  Launcher launcher_;
  asio::any_io_executor executor_;
  SensorPolicy policy_;
  TierSchedule schedule_;
  Assembler assembler_;
  SensorViewPtr view_;
  std::function<void(SensorViewPtr)> on_update_;
  std::function<void(const std::vector<XidReport>&)> on_xids_;
  asio::steady_timer tick_timer_, wake_timer_, stop_timer_;
  asio::posix::stream_descriptor socket_, ended_;
  std::uint64_t generation_ = 0;
  int pid_ = 0;
  bool has_answer_ = false;
  std::list<Reader> readers_;
  std::byte buffer_[kMaxMessage + 1];
};

Sensor::Sensor(asio::any_io_executor executor, SensorOptions options)
    : Sensor(std::move(executor), std::move(options), launch_sensor) {}
Sensor::Sensor(asio::any_io_executor executor, SensorOptions options, const Launcher& launcher)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options), launcher)) {}
Sensor::~Sensor() {
  impl_->abandon();
}
void Sensor::start(std::function<void(SensorViewPtr)> on_update) {
  impl_->start(std::move(on_update));
}
void Sensor::on_xids(std::function<void(const std::vector<XidReport>&)> told) {
  impl_->on_xids(std::move(told));
}
SensorViewPtr Sensor::current() const {
  return impl_->current();
}
asio::awaitable<Result<SensorViewPtr>> Sensor::read(Tiers tiers, milliseconds limit) {
  return impl_->read(tiers, limit);
}
void Sensor::release() {
  impl_->release();
}
void Sensor::reacquire() {
  impl_->reacquire();
}
asio::awaitable<void> Sensor::stop() {
  return impl_->stop();
}
int Sensor::pid() const {
  return impl_->pid();
}

}  // namespace estiva::gpu
