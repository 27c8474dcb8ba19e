// What desk.cpp and desk_queue.cpp share.
#pragma once
#include "gateway/desk.h"

namespace estiva::gateway {

struct Desk::Waiter {
  Waiter(Desk& of, Model& wanted, int weight);
  ~Waiter();
  bool is_decided() const { return admission || refusal; }
  void refuse(Refusal why) {
    refusal = std::move(why);
    notice.notify_all();
  }

  Desk& desk;
  Model& model;
  net::Notice notice;
  std::uint64_t ticket = 0;  // 0: estivad was not asked, or has said that it is open
  int priority = 0;
  SteadyTime since;
  std::unique_ptr<Admission> admission;
  std::optional<Refusal> refusal;
  api::QueuePlace place;
};

struct Desk::Model {
  bool admits() const {
    return open && (parallel == 0 || opening->in_flight < parallel) && waiters.empty();
  }

  std::string name;
  unsigned parallel = 0, queue_limit = 1024;
  bool open = false, is_changed = false;
  std::shared_ptr<Opening> opening;  // the last; null before the first
  std::deque<Waiter*> waiters;
  Admission* inside = nullptr;          // a list
  std::uint64_t began = 0, failed = 0;  // since Hello
  SteadyTime reported;
};

}  // namespace estiva::gateway
