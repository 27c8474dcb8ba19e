// Stands for estivad in tests: loads one engine, and is killed (SIGKILL, by itself) at the stage
// that it is told. What it kept is in DIR/record.
//
//   engine_holder DIR MODEL STAGE -- COMMAND...
//
// STAGE: held (it exists, nothing is kept), kept (nobody knows yet), started (the lease is bound,
// it may not go yet), loading (it runs: DIR/ran is there), ready, stopping.
#include <cstdio>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/engine.h"
#include "host/machine.h"

using namespace estiva;
using namespace estiva::engines;
using namespace std::chrono_literals;

namespace {

void die() {
  ::kill(::getpid(), SIGKILL);
}

struct Daemon {
  net::Loop loop;
  host::Root root = host::Root::open().value();
  std::string dir, stage;
  ModelSpec spec;
  std::unique_ptr<Engine> engine;
  std::shared_ptr<void> look;

  void keep(const std::string& record, const std::function<void()>& then) {
    if (stage == "held") die();
    (void)host::write_file_atomic(dir + "/record", record);
    if (stage == "kept") die();
    then();
  }
  EngineParts parts() {
    return {loop,
            root,
            host::read_boot_id(root).value(),
            dir,
            "",
            false,
            nullptr,
            [this](const std::string&, std::string record, std::function<void()> then) {
              keep(record, then);
            }};
  }
  bool has_run() const {
    struct stat info {};
    return ::stat((dir + "/ran").c_str(), &info) == 0;
  }
};

net::Awaitable<void> live(Daemon& self) {
  std::function<void(const Holder&)> started = [&self](const Holder&) {
    if (self.stage == "started") die();
  };
  LoadTerms terms;
  const auto running = co_await self.engine->load(std::move(terms), std::move(started));
  if (!running) std::fprintf(stderr, "%s\n", running.error().sentence().c_str());
  if (self.stage == "ready") die();
  (void)co_await self.engine->stop();
}

}  // namespace

int main(int count, char** words) {
  ::signal(SIGPIPE, SIG_IGN);
  if (count < 6) return 2;
  Daemon self;
  self.dir = words[1];
  self.spec.name = words[2];
  self.stage = words[3];
  self.spec.command.assign(words + 5, words + count);
  self.spec.ready = "http://127.0.0.1:${PORT}/health";
  self.engine = make_engine(self.spec, self.parts());
  self.look = self.loop.every(2ms, [&self] {
    if (self.stage == "loading" && self.has_run()) die();
    // It has TERM by then, and ignores it.
    struct stat info {};
    if (self.stage == "stopping" && ::stat((self.dir + "/term").c_str(), &info) == 0) die();
  });
  self.loop.spawn(live(self));
  self.loop.run_for(60s);
  return 1;
}
