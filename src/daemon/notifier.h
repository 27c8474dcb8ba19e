// Tells the outside what changed: by a webhook (through curl, which has the TLS that we do not) or
// a command. One message at a time; what fails is tried twice more. Loop thread only.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "decide/notify_limit.h"
#include "format/notification.h"
#include "format/settings.h"
#include "net/loop.h"

namespace estiva::daemon {

class Notifier {
 public:
  struct Counts {
    std::uint64_t sent = 0, failed = 0, held_back = 0;
  };
  Notifier(net::Loop& loop, format::NotifySettings settings, std::string host);

  bool is_on() const { return !settings_.url.empty() || !settings_.command.empty(); }
  // `key` is what the limit counts by: a device and its condition.
  void tell(const std::string& key, format::Notification notification);
  // Sends one now, whatever the limit says. Errors: refused (nothing is set), or what went wrong.
  net::Awaitable<Result<void>> test();
  const Counts& counts() const { return counts_; }

  static constexpr std::size_t kMostWaiting = 64;
  static constexpr int kTries = 3;

 private:
  struct Message {
    format::Notification notification;
    int tries = 0;
    bool by_webhook = false;
    std::function<void(const Result<void>&)> done;  // of a test
  };
  void enqueue(Message message);
  void send_next();
  void has_sent(const Result<void>& result);

  net::Loop& loop_;
  format::NotifySettings settings_;
  std::string host_;
  decide::NotifyLimit limit_;
  std::deque<Message> waiting_;  // the first is under way where child_ is set
  std::shared_ptr<void> child_, pause_;
  bool is_sending_ = false;
  Counts counts_;
};

}  // namespace estiva::daemon
