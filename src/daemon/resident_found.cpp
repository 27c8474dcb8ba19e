// What served a model before anybody asked us for it: a container that a person or Compose started.
// It is taken over as it is, charged with what it holds, and goes on serving. Until then its bytes
// are foreign.
#include <algorithm>

#include "api/backend.h"
#include "base/log.h"
#include "daemon/keeper.h"
#include "daemon/residents.h"

namespace estiva::daemon {

namespace r = decide::residency;

namespace {

using namespace std::chrono_literals;

// Between two looks at one that is still starting.
constexpr Nanoseconds kLookAgain = 2s;
// A lease has to ask for something. What its processes hold is charged from the next reading on,
// whatever it asks for; so it is made for next to nothing, and enlarged once that is known.
constexpr Bytes kNextToNothing{1};

decide::AssignRequest request_for(const std::string& model, const std::vector<std::string>& devices,
                                  Bytes each) {
  decide::AssignRequest request;
  request.model = model;
  for (const std::string& device : devices) request.shares.push_back({device, each});
  request.requested_at = steady_now();
  request.wall = wall_now();
  return request;
}

}  // namespace

bool Residents::may_be_taken_over(const std::string& model) const {
  const One* one = find(model);
  if (one == nullptr || one->running || one->is_noted || one->is_going) return false;
  if (!one->lease.empty() || !one->leaves.empty()) return false;
  const auto view = machine_.find(model);
  return view && view->state == decide::Residency::absent;
}

// Nothing is decided meanwhile: the caller counts in `adopting_`.
net::Awaitable<void> Residents::take_over(std::string model) {
  if (!may_be_taken_over(model)) co_return;
  const auto record = co_await find(model)->engine->find_running();
  if (!may_be_taken_over(model)) co_return;
  if (!record) {
    if (record.error().kind == ErrorKind::timed_out) parts_.loop.spawn(take_over_later(model));
    co_return;
  }
  auto running = co_await find(model)->engine->adopt(*record);
  One* one = find(model);
  if (one == nullptr) co_return;
  if (!running) {
    log(LogLevel::warning, "a model that runs already could not be taken over",
        {{"model", model}, {"why", running.error().sentence()}});
    co_return;
  }
  one->running = std::move(*running);
  if (!co_await charge_found(model)) co_return;
  log(LogLevel::notice, "a model that ran already is taken over", {{"model", model}});
  // Before anything else is decided.
  events_.push_front(r::Adopted{model, false, 0});
}

// It runs and does not work yet, as after the start of the machine.
net::Awaitable<void> Residents::take_over_later(std::string model) {
  co_await parts_.loop.sleep(kLookAgain);
  if (!may_be_taken_over(model)) co_return;
  ++adopting_;
  co_await take_over(model);
  looked_at_one();
}

// A lease where its processes are. False: there is none to be had, and it stays a stranger.
net::Awaitable<bool> Residents::charge_found(std::string model) {
  One* one = find(model);
  std::vector<std::string> devices = parts_.keeper.devices_of(one->engine->roots());
  if (devices.empty()) devices.assign(one->spec.gpus, one->spec.gpu);  // it has nothing there yet
  decide::AssignRequest small = request_for(model, devices, kNextToNothing);
  small.holder = one->running->holder;
  api::AssignTerms terms;
  const auto granted = co_await parts_.keeper.assign(std::move(small), terms);
  one = find(model);
  if (!granted || granted->refusal) {
    log(LogLevel::warning, "a model that runs already can't be charged and stays a stranger",
        {{"model", model},
         {"why", granted ? granted->refusal->reason : granted.error().sentence()}});
    if (one != nullptr) one->running.reset();
    co_return false;
  }
  one->lease = granted->lease.id;
  keep_record(model, one->engine->record(), {});
  // Without a process to tell it by, what it holds is foreign, and would be counted twice.
  const Bytes known = std::max(one->spec.vram.value_or(Bytes{}), one->learned.peak);
  const Bytes need = one->running->holder ? known : Bytes{};
  if (need > kNextToNothing) {
    devices.clear();
    for (const Share& share : granted->lease.shares) devices.push_back(share.device.key());
    decide::AssignRequest whole = request_for(model, devices, need);
    const auto grown = co_await parts_.keeper.assign(std::move(whole), terms);
    if (!grown || grown->refusal) {
      log(LogLevel::warning, "a model that runs already has less room than it declares",
          {{"model", model}});
    }
  }
  parts_.keeper.look_again();
  co_return true;
}

}  // namespace estiva::daemon
