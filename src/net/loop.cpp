#include "net/loop.h"

#include <boost/asio.hpp>
#include <exception>
#include <poll.h>

#include "base/log.h"

namespace estiva::net {
namespace asio = boost::asio;
namespace {

// A repeating timer that ends when its handle is dropped.
struct Ticker : std::enable_shared_from_this<Ticker> {
  Ticker(asio::io_context& context, Nanoseconds time, std::function<void()> call)
      : timer(context), period(time), tick(std::move(call)) {}

  void arm() {
    timer.expires_after(period);
    timer.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
      const auto self = weak.lock();
      if (ec || !self) return;
      self->tick();
      self->arm();
    });
  }
  asio::steady_timer timer;
  Nanoseconds period;
  std::function<void()> tick;
};

// Asio recycles what it keeps for a descriptor. Where one is closed and another is opened while an
// event for the first is still queued, the second gets it. A read would find nothing; a pidfd would
// be taken for the end of a process that lives.
bool is_readable(int fd) {
  pollfd asked{fd, POLLIN, 0};
  return ::poll(&asked, 1, 0) == 1;
}

struct ReadableWatch : std::enable_shared_from_this<ReadableWatch> {
  ReadableWatch(asio::io_context& context, int fd, std::function<void()> call)
      : descriptor(context, fd), ready(std::move(call)) {}
  ~ReadableWatch() {
    if (descriptor.is_open()) descriptor.release();  // the descriptor is the caller's
  }

  void arm() {
    descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                          [weak = weak_from_this()](boost::system::error_code ec) {
                            const auto self = weak.lock();
                            if (ec || !self) return;
                            if (is_readable(self->descriptor.native_handle())) self->ready();
                            self->arm();
                          });
  }
  asio::posix::stream_descriptor descriptor;
  std::function<void()> ready;
};

struct SignalWatch : std::enable_shared_from_this<SignalWatch> {
  SignalWatch(asio::io_context& context, std::function<void(int)> call)
      : set(context), caught(std::move(call)) {}

  void arm() {
    set.async_wait([weak = weak_from_this()](boost::system::error_code ec, int number) {
      const auto self = weak.lock();
      if (ec || !self) return;
      self->caught(number);
      self->arm();
    });
  }
  asio::signal_set set;
  std::function<void(int)> caught;
};

}  // namespace

// Hint 1: one thread runs the loop, which lets Asio skip waking others.
Loop::Loop() : context_(std::make_unique<asio::io_context>(1)) {}
Loop::~Loop() = default;

void Loop::run() {
  context_->restart();
  context_->run();
}

bool Loop::run_for(Nanoseconds most) {
  context_->restart();
  return context_->run_for(most) > 0;
}

void Loop::stop() {
  context_->stop();
}

void Loop::post(std::function<void()> work) {
  asio::post(*context_, std::move(work));
}

void Loop::spawn(Awaitable<void> work) {
  asio::co_spawn(*context_, std::move(work), [](const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      log(LogLevel::error, "a task of the loop failed", {{"reason", e.what()}});
    }
  });
}

Awaitable<void> Loop::sleep(Nanoseconds time) {
  asio::steady_timer timer(*context_, time);
  co_await timer.async_wait(asio::use_awaitable);
}

std::shared_ptr<void> Loop::every(Nanoseconds period, std::function<void()> tick) {
  auto ticker = std::make_shared<Ticker>(*context_, period, std::move(tick));
  ticker->arm();
  return ticker;
}

std::shared_ptr<void> Loop::on_readable(int fd, std::function<void()> ready) {
  auto watch = std::make_shared<ReadableWatch>(*context_, fd, std::move(ready));
  watch->arm();
  return watch;
}

std::shared_ptr<void> Loop::on_signals(std::initializer_list<int> signals,
                                       std::function<void(int)> caught) {
  auto watch = std::make_shared<SignalWatch>(*context_, std::move(caught));
  for (const int number : signals) watch->set.add(number);
  watch->arm();
  return watch;
}

}  // namespace estiva::net
