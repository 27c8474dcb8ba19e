#include "daemon/lease_engine.h"

#include <fmt/format.h>

#include "base/messages/daemon.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

// Between two looks whether its program has its bytes.
constexpr Nanoseconds kLook = 20ms;
// A program tries again within a second while it waits; one that does not is gone.
constexpr Nanoseconds kLongestLoad = 5s;

class LeaseEngine final : public engines::Engine {
 public:
  LeaseEngine(const ModelSpec& spec, const engines::EngineParts& parts, const LeaseDoor& door)
      : spec_(spec), loop_(parts.loop), door_(door) {}

  net::Awaitable<Result<engines::EngineFacts>> probe() override {
    engines::EngineFacts facts;
    co_return facts;
  }
  net::Awaitable<Result<engines::Running>> load(engines::LoadTerms,
                                                std::function<void(const Holder&)>) override {
    const auto stopped = std::make_shared<bool>(false);
    stopped_ = stopped;
    return wait_for_program(loop_, door_, spec_.name, stopped);
  }
  net::Awaitable<Result<void>> sleep() override {
    co_return fail(ErrorKind::refused, fmt::format(msg::kLeaseNoSleep, spec_.name));
  }
  net::Awaitable<Result<engines::Running>> wake(engines::LoadTerms) override {
    co_return fail(ErrorKind::refused, fmt::format(msg::kLeaseNoSleep, spec_.name));
  }
  net::Awaitable<Result<void>> stop() override {
    if (stopped_) *stopped_ = true;
    return ask_until_given(door_, spec_.name);
  }
  net::Awaitable<Result<engines::Running>> adopt(std::string_view) override {
    co_return fail(ErrorKind::not_found, fmt::format(msg::kLeaseNoProgram, spec_.name));
  }
  std::string record() const override { return {}; }
  std::vector<pid_t> roots() const override { return {}; }
  std::vector<std::string> log_tail() const override { return {}; }

 private:
  static net::Awaitable<Result<engines::Running>> wait_for_program(net::Loop& loop, LeaseDoor door,
                                                                   std::string model,
                                                                   std::shared_ptr<bool> stopped) {
    const SteadyTime deadline = steady_now() + kLongestLoad;
    while (steady_now() < deadline && !*stopped) {
      if (auto program = door.program_of(model)) {
        engines::Running running;
        running.holder = std::move(program);
        co_return running;
      }
      co_await loop.sleep(kLook);
    }
    co_return fail(ErrorKind::refused, fmt::format(msg::kLeaseNoProgram, model));
  }
  // One that computes is asked as it is done; its bytes are never taken from under it.
  static net::Awaitable<Result<void>> ask_until_given(LeaseDoor door, std::string model) {
    bool is_given = false;
    while (!is_given) {
      std::string asked = model;
      is_given = co_await door.ask(std::move(asked));
    }
    co_return Result<void>();
  }

  const ModelSpec spec_;
  net::Loop& loop_;
  const LeaseDoor door_;
  std::shared_ptr<bool> stopped_;
};

}  // namespace

std::unique_ptr<engines::Engine> make_lease_engine(const ModelSpec& spec,
                                                   const engines::EngineParts& parts,
                                                   const LeaseDoor& door) {
  return std::make_unique<LeaseEngine>(spec, parts, door);
}

}  // namespace estiva::daemon
