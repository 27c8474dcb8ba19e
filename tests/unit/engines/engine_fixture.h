// Engines of real child processes on a loop of the test's own.
#pragma once
#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/clock.h"
#include "engines/engine.h"
#include "engines/process_tree.h"
#include "host/machine.h"
#include "host/process.h"
#include "unit/host/temp_dir.h"

namespace estiva::engines {

using namespace std::chrono_literals;

// Longest a test waits for something that must happen; it only detects hangs.
inline constexpr std::chrono::seconds kHang{30};

// A server of the standard library. Its words are further code, run before it serves.
inline std::string server_code(const std::string& first = "") {
  return "import http.server, os, sys, time, signal, subprocess\n" + first +
         "\nclass H(http.server.BaseHTTPRequestHandler):\n"
         "    def do_GET(self):\n"
         "        self.send_response(200); self.end_headers()\n"
         "        self.wfile.write(str(os.getpid()).encode())\n"
         "    def log_message(self, *a): pass\n"
         "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()\n";
}

struct EngineTest : testing::Test {
  EngineTest() {
    ::signal(SIGPIPE, SIG_IGN);
    spec.name = "tiny";
    spec.stop_limit = 5s;
    spec.load_limit = 20s;
  }
  ~EngineTest() override {
    if (engine) run(engine->stop());
  }

  void serve(const std::string& first = "") {
    spec.command = {"python3", "-B", "-c", server_code(first), "${PORT}"};
    spec.ready = "http://127.0.0.1:${PORT}/health";
  }

  EngineParts parts() {
    return {loop,
            root,
            boot_id,
            dir.path(),
            "",
            false,
            [this](const std::string&, std::string why) { ended.push_back(std::move(why)); },
            [this](const std::string&, std::string record, std::function<void()> then) {
              kept.push_back(std::move(record));
              if (then) then();
            }};
  }
  void make() { engine = make_engine(spec, parts()); }

  // Runs the loop until the work is done.
  template <class T>
  T run(net::Awaitable<T> work) {
    std::optional<T> out;
    loop.spawn([](net::Awaitable<T> what, std::optional<T>& into) -> net::Awaitable<void> {
      into.emplace(co_await std::move(what));
    }(std::move(work), out));
    EXPECT_TRUE(until([&] { return out.has_value(); })) << "it hangs";
    return std::move(*out);
  }
  bool until(const std::function<bool()>& condition) {
    for (const SteadyTime last = steady_now() + kHang; steady_now() < last;) {
      if (condition()) return true;
      loop.run_for(5ms);
    }
    return condition();
  }
  // A load() that goes on while the test runs the loop: its end is in `outcome`.
  void begin_load() {
    loop.spawn([](EngineTest& test) -> net::Awaitable<void> {
      LoadTerms terms{{"GPU-a"}, gib(1), "l-000000000007"};
      // Named: GCC 12 destroys a converted temporary of a co_await expression twice.
      std::function<void(const Holder&)> told = [&test](const Holder& who) {
        test.holders.push_back(who);
      };
      test.outcome.emplace(co_await test.engine->load(std::move(terms), std::move(told)));
    }(*this));
  }
  Result<Running> load() {
    return run(engine->load({{"GPU-a"}, gib(1), "l-000000000007"},
                            [this](const Holder& who) { holders.push_back(who); }));
  }

  // The processes that carry a mark of any engine of this test.
  bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0 && !is_zombie(pid); }
  bool is_zombie(pid_t pid) {
    const auto holder = host::identify(root, pid, boot_id);
    return !holder && holder.error().kind == ErrorKind::not_found;
  }
  std::string written(const std::string& name) {
    return host::read_local_file(dir.path() + "/" + name).value_or("");
  }
  pid_t pid_in(const std::string& name) {
    pid_t pid = 0;
    EXPECT_TRUE(until([&] {
      pid = std::atoi(written(name).c_str());
      return pid > 0;
    })) << name;
    return pid;
  }

  test::TempDir dir;
  host::Root root = host::Root::open().value();
  std::string boot_id = host::read_boot_id(root).value();
  net::Loop loop;
  ModelSpec spec;
  std::vector<std::string> kept, ended;
  std::vector<Holder> holders;
  std::optional<Result<Running>> outcome;
  std::unique_ptr<Engine> engine;
};

}  // namespace estiva::engines
