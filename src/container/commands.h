// What is done to one container, on the loop: find it, look at it, start it, stop it, wait for its
// end, read its log. Programs that act once and end use container/talk.h.
//
// Errors of all of them: not_found where nobody listens there or there is no such container,
// denied, timed_out, and failed with the engine's own words. Loop thread only; nothing blocks. Has
// to outlive what it was asked to do.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "container/endpoint.h"
#include "container/standing.h"
#include "net/loop.h"

namespace estiva::container {

class Commands {
 public:
  // The engine is looked for anew at each command, by a few small local files.
  Commands(net::Loop& loop, EngineSearch search);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // `which` is a name, a full id or "PROJECT/SERVICE" by Compose's labels; never the beginning of a
  // name or an id. Errors: refused where several containers are meant, with their names.
  net::Awaitable<Result<Standing>> find(std::string which);
  net::Awaitable<Result<Standing>> look(std::string id);
  // Success also where it runs already.
  net::Awaitable<Result<void>> start(std::string id);
  // Its stop signal, and after `limit` SIGKILL. Returns once it has ended; success also where it
  // does not run. No restart policy brings it back before somebody starts it.
  net::Awaitable<Result<void>> stop(std::string id, std::chrono::seconds limit);
  net::Awaitable<Result<void>> unpause(std::string id);
  // Returns once it does not run any more (a paused one runs). However long that takes.
  net::Awaitable<Result<void>> wait(std::string id);
  // The newest lines of both streams since `since` (seconds of the Unix epoch), oldest first.
  net::Awaitable<Result<std::vector<std::string>>> log(std::string id, std::size_t lines,
                                                       std::int64_t since);
  // The address of the engine's usual bridge, which its containers reach. Errors: not_found, where
  // it has none.
  net::Awaitable<Result<std::string>> bridge_address();
  // Ends all wait()s with an error.
  void cancel_waits();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::container
