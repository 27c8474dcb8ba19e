// Models that ask for their bytes themselves (engine = "lease"): what their programs do, told to
// the residency machine, and what it decides for them.
#include "api/backend.h"
#include "daemon/keeper.h"
#include "daemon/residents.h"

namespace estiva::daemon {

namespace r = decide::residency;

namespace {

using namespace std::chrono_literals;

// A program that waits asks again at least each second.
constexpr Nanoseconds kStillWants = 3s;

}  // namespace

bool Residents::manages(const std::string& model) const {
  const One* one = find(model);
  return one != nullptr && one->spec.engine == ModelEngine::lease;
}

// Its program found no room: others leave for it as for any model.
bool Residents::want(const decide::AssignRequest& request) {
  if (!manages(request.model)) return false;
  One* one = find(request.model);
  one->wanted_at = steady_now();
  if (one->want) return true;
  if (!one->spec.vram && !request.shares.empty()) {
    one->facts.estimate = request.shares.front().bytes;
    tell_learned(request.model, *one);
  }
  r::Arrived arrived;
  arrived.ticket = next_ticket_++;
  arrived.model = request.model;
  arrived.wants_load = true;
  one->want = arrived.ticket;
  parts_.loop.spawn(watch_want(request.model, arrived.ticket));
  feed(std::move(arrived));
  return true;
}

// Until its program has its bytes, or has given up.
net::Awaitable<void> Residents::watch_want(std::string model, decide::Ticket ticket) {
  while (true) {
    co_await parts_.loop.sleep(1s);
    One* one = find(model);
    if (one == nullptr || one->want != ticket) co_return;
    if (steady_now() - one->wanted_at < kStillWants) continue;
    one->want.reset();
    co_return feed(r::Left{ticket});
  }
}

void Residents::end_want(decide::Ticket ticket) {
  for (auto& [name, one] : models_) {
    if (one.want == ticket) one.want.reset();
  }
}

void Residents::lease_moved(const std::string& model, LeaseMove move) {
  if (!manages(model)) return;
  One* one = find(model);
  const auto view = machine_.find(model);
  if (!view) return;
  const bool is_in = one->running.has_value();
  if (move == LeaseMove::in && !is_in && view->state == decide::Residency::absent) {
    const decide::LeaseEntry* entry = parts_.keeper.ledger().find_model(model);
    if (entry == nullptr) return;
    one->running.emplace();
    one->running->holder = entry->lease.holder;
    one->lease = entry->lease.id;
    return feed(r::Adopted{model, false, 0});
  }
  if (!is_in) return;
  if (move == LeaseMove::busy) return feed(r::Busy{model, 1, ++one->served});
  if (move == LeaseMove::idle) return feed(r::Busy{model, 0, one->served});
  if (move == LeaseMove::out) feed(r::Unload{model});
}

// Its lease is its program's: what was given back is free as the ledger sees it, and the lease
// stays, as small as it is. One that was made for a program that never came ends.
net::Awaitable<void> Residents::let_go(std::string model) {
  One* one = find(model);
  const std::string lease = std::exchange(one->lease, {});
  const decide::LeaseEntry* entry = parts_.keeper.ledger().find(lease);
  if (entry != nullptr && !entry->lease.holder) {
    (void)co_await parts_.keeper.release(model, lease);
  } else if (entry != nullptr) {
    const std::vector<Bytes> none(entry->lease.shares.size(), Bytes{});
    (void)co_await parts_.keeper.shrink(lease, none);
  }
  feed(r::Released{model, false});
}

}  // namespace estiva::daemon
