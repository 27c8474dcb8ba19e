#include "daemon/notifier.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/daemon.h"
#include "daemon/child.h"

namespace estiva::daemon {
namespace {

// Before the second and the third try.
constexpr Nanoseconds kPause = std::chrono::seconds(10);

HealthState from_of(const std::string& text) {
  if (text == "warn") return HealthState::warn;
  return text == "unhealthy" ? HealthState::unhealthy : HealthState::degraded;
}

ChildRun webhook(const format::NotifySettings& settings, const format::Notification& notification) {
  ChildRun run;
  run.command = {"curl", "--config", "-"};
  run.input = format::curl_config(settings.url, notification,
                                  format::shape_for(settings.url, settings.shape));
  return run;
}

ChildRun command(const format::NotifySettings& settings, const format::Notification& notification) {
  ChildRun run;
  run.command = settings.command;
  run.input = format::webhook_body(notification, format::NotifyShape::json).body + "\n";
  const auto plain = [](std::string text) {
    std::erase(text, '\0');
    return text;
  };
  run.environment = {
      fmt::format("ESTIVA_STATE={}", to_name(notification.state)),
      "ESTIVA_SUBJECT=" + plain(notification.subject),
      "ESTIVA_TEXT=" + plain(notification.text),
      "ESTIVA_REMEDY=" + plain(notification.remedy),
      "ESTIVA_HOST=" + plain(notification.host),
  };
  return run;
}

}  // namespace

Notifier::Notifier(net::Loop& loop, format::NotifySettings settings, std::string host)
    : loop_(loop),
      settings_(std::move(settings)),
      host_(std::move(host)),
      limit_(from_of(settings_.from), settings_.per_hour) {}

void Notifier::tell(const std::string& key, format::Notification notification) {
  if (!is_on() || !limit_.tells(key, notification.state, steady_now())) return;
  if (const std::uint64_t held = limit_.held_back(); held > 0) {
    counts_.held_back += held;
    notification.text += fmt::format(msg::kHeldBack, held);
  }
  notification.host = host_;
  notification.at = wall_now();
  if (!settings_.url.empty()) enqueue({notification, 0, true, {}});
  if (!settings_.command.empty()) enqueue({std::move(notification), 0, false, {}});
}

void Notifier::enqueue(Message message) {
  if (waiting_.size() >= kMostWaiting) {
    ++counts_.failed;
    log(LogLevel::warning, "too many notifications wait; one is dropped");
    if (message.done) message.done(fail(ErrorKind::refused, msg::kTooManyNotifications));
    return;
  }
  waiting_.push_back(std::move(message));
  send_next();
}

void Notifier::send_next() {
  if (is_sending_ || pause_ || waiting_.empty()) return;
  is_sending_ = true;
  const Message& next = waiting_.front();
  ChildRun run = next.by_webhook ? webhook(settings_, next.notification)
                                 : command(settings_, next.notification);
  child_ =
      run_child(loop_, std::move(run), [this](const Result<void>& result) { has_sent(result); });
}

void Notifier::has_sent(const Result<void>& result) {
  child_.reset();
  is_sending_ = false;
  Message& message = waiting_.front();
  const bool is_last = ++message.tries >= kTries || message.done != nullptr;
  if (result || is_last) {
    ++(result ? counts_.sent : counts_.failed);
    if (!result) {
      log(LogLevel::warning, "a notification was not delivered",
          {{"error", result.error().sentence()}, {"subject", message.notification.subject}});
    }
    const auto done = std::move(message.done);
    waiting_.pop_front();
    if (done) done(result);
    return send_next();
  }
  pause_ = loop_.every(kPause, [this] {
    // Posted, so that the timer is not destroyed from inside its own call.
    loop_.post([this] {
      pause_.reset();
      send_next();
    });
  });
}

net::Awaitable<Result<void>> Notifier::test() {
  if (!is_on()) {
    co_return fail(ErrorKind::refused, msg::kNothingToNotify, msg::kNothingToNotifyRemedy);
  }
  struct Waiting {
    explicit Waiting(net::Loop& loop) : told(loop) {}
    int left = 0;
    Result<void> result;
    net::Notice told;
  };
  const auto waiting = std::make_shared<Waiting>(loop_);
  const auto done = [waiting](const Result<void>& result) {
    if (!result && waiting->result) waiting->result = result;
    --waiting->left;
    waiting->told.notify_all();
  };
  format::Notification test;
  test.state = HealthState::warn;
  test.subject = "test";
  test.text = msg::kNotifyTest;
  test.host = host_;
  test.at = wall_now();
  waiting->left = (settings_.url.empty() ? 0 : 1) + (settings_.command.empty() ? 0 : 1);
  if (!settings_.url.empty()) enqueue({test, 0, true, done});
  if (!settings_.command.empty()) enqueue({test, 0, false, done});
  while (waiting->left > 0) (void)co_await waiting->told.wait();
  co_return waiting->result;
}

}  // namespace estiva::daemon
