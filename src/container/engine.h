// The container engine of this machine, listened to: its containers are known as it tells of them,
// and again after it was restarted, replaced or unreachable. Only ever asks; changes nothing there.
//
// Loop thread only. The address is looked for anew at each connection, by a few small local files.
#pragma once
#include <functional>
#include <memory>

#include "container/endpoint.h"
#include "model/container.h"
#include "net/loop.h"

namespace estiva::container {

struct EngineLimits {
  Nanoseconds first_wait = std::chrono::milliseconds(500);  // until the next try, doubled each time
  Nanoseconds longest_wait = std::chrono::seconds(30);
  // After an event: what comes with it (a project of twenty containers) is asked about once.
  Nanoseconds settle = std::chrono::milliseconds(100);
  // Asked again though nothing was heard: an engine that hangs is noticed by this.
  Nanoseconds check = std::chrono::seconds(60);
  std::chrono::milliseconds response_time{10'000};
};

class Engine {
 public:
  // `changed` is called after the status or a container changed.
  Engine(net::Loop& loop, EngineSearch search, std::function<void()> changed,
         EngineLimits limits = {});
  ~Engine();  // hears nothing more
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Begins to look for the engine. Call once.
  void start();
  const EngineStatus& status() const;
  // What was told last; stays while the engine can't be reached. Never null.
  Containers containers() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace estiva::container
