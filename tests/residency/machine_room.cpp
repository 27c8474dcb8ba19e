#include "residency/machine_room.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace estiva::residency_test {

using namespace decide;
using namespace decide::residency;

namespace {

// More steps at one instant are a circle.
constexpr std::uint64_t kMostAtOnce = 20'000;
constexpr Nanoseconds kReadTakes = milliseconds(5);
constexpr Nanoseconds kReadEvery = milliseconds(250);  // while bytes are to come back

// A state that something has to end.
bool is_passing(Residency state) {
  return state == Residency::reserving || state == Residency::loading ||
         state == Residency::draining || state == Residency::unloading;
}

}  // namespace

ModelSpec model(std::string name, Bytes vram) {
  ModelSpec spec;
  spec.name = std::move(name);
  spec.vram = vram;
  return spec;
}

MachineRoom::MachineRoom(std::vector<Bytes> gpus, std::vector<ModelSpec> specs,
                         std::map<std::string, Behaviour> behaviours, ResidencySettings settings)
    : capacity_(gpus),
      strangers_(gpus.size()),
      lingering_(gpus.size()),
      ledger_({}, "node", 1),
      machine_(settings, specs),
      host_budget_(settings.host_budget) {
  for (const ModelSpec& spec : specs) {
    Engine& engine = engines_[spec.name];
    engine.spec = spec;
    engine.behaviour = behaviours[spec.name];
  }
  read();
  for (auto& [name, engine] : engines_) {
    const Behaviour& b = engine.behaviour;
    Learned learned;
    learned.model = name;
    learned.can_sleep = b.can_sleep;
    if (b.is_measured) {
      learned.load = b.load;
      learned.unload = b.unload;
      learned.wake = b.wake;
      learned.sleep = b.sleep;
    }
    step(learned);
  }
  step(Tick{});
}

int MachineRoom::gpu_of(const DeviceId& device) const {
  return std::stoi(device.uuid.substr(4));
}

Bytes MachineRoom::declared(const Engine& engine) const {
  return engine.spec.vram.value_or(Bytes{});
}

Bytes MachineRoom::used(int gpu) const {
  Bytes sum = strangers_[gpu] + lingering_[gpu];
  for (const auto& [name, engine] : engines_)
    if (engine.pid && std::count(engine.gpus.begin(), engine.gpus.end(), gpu)) sum += engine.holds;
  return sum;
}

// What the sensor would show now, taken into the ledger.
void MachineRoom::read() {
  Readings readings;
  readings.begun_at = now_;
  readings.driver.state = DriverState::ready;
  for (std::size_t i = 0; i < capacity_.size(); ++i) {
    Gpu& gpu = readings.gpus.emplace_back();
    gpu.identity.id.uuid = fmt::format("GPU-{}", i);
    gpu.identity.index = static_cast<unsigned>(i);
    const Bytes in_use = used(static_cast<int>(i));
    gpu.sample.memory = GpuMemory{capacity_[i], in_use, capacity_[i] - in_use, {}, true};
    gpu.sample.utilization = Ratio{0};
    std::vector<GpuProcess> list;
    for (const auto& [name, engine] : engines_) {
      if (!engine.pid || !std::count(engine.gpus.begin(), engine.gpus.end(), static_cast<int>(i)))
        continue;
      list.emplace_back().pid = engine.pid;
      list.back().used = engine.holds;
    }
    gpu.sample.processes = std::move(list);
  }
  for (const auto& [id, entry] : ledger_.entries()) {
    if (!entry.lease.holder) continue;
    readings.owners.push_back({entry.lease.holder->pid, 1, id});
  }
  for (const LedgerChange& change : ledger_.observe(readings)) {
    if (change.kind == LedgerChange::Kind::overcommitted)
      step(Overcommitted{change.device, false});
    else if (change.kind == LedgerChange::Kind::overcommit_over)
      step(Overcommitted{change.device, true});
  }
}

// ---- time ----

void MachineRoom::at(SteadyTime time, std::function<void()> what) {
  planned_.push({std::max(time, now_), next_order_++, std::move(what)});
}

void MachineRoom::run_for(Nanoseconds time) {
  const SteadyTime end = now_ + time;
  while (!planned_.empty() && planned_.top().time <= end) {
    auto what = planned_.top().what;
    now_ = planned_.top().time;
    planned_.pop();
    what();
  }
  now_ = end;
}

void MachineRoom::run_until_idle(Nanoseconds most) {
  const SteadyTime end = now_ + most;
  const auto is_busy = [&] {
    return std::any_of(requests_.begin(), requests_.end(),
                       [](const auto& r) { return r.second.is_open(); });
  };
  while (now_ < end && is_busy()) run_for(milliseconds(100));
}

void MachineRoom::step(const Event& event) {
  ++steps_;
  steps_now_ = stepped_at_ == now_ ? steps_now_ + 1 : 0;
  stepped_at_ = now_;
  if (steps_now_ > kMostAtOnce) throw std::runtime_error("the machine runs in a circle");
  const auto effects = machine_.step(event, now_, ledger_);
  if (trace) trace(now_, event, effects);
  for (const Effect& effect : effects) carry_out(effect);
  const auto next = machine_.next_at();
  if (!next || (tick_planned_ && *tick_planned_ <= *next && *tick_planned_ > now_)) return;
  tick_planned_ = std::max(*next, now_);
  at(*tick_planned_, [this] {
    if (tick_planned_ && *tick_planned_ <= now_) tick_planned_.reset();
    step(Tick{});
  });
}

void MachineRoom::carry_out(const Effect& effect) {
  std::visit([&](const auto& e) { on(e); }, effect);
}

void MachineRoom::say(const Event& event) {
  if (const auto* configured = std::get_if<Configured>(&event)) {
    std::erase_if(pin_set_, [&](const auto& set) {
      return std::none_of(configured->models.begin(), configured->models.end(),
                          [&](const ModelSpec& spec) { return spec.name == set.first; });
    });
    for (const ModelSpec& spec : configured->models) {
      Engine& engine = engines_[spec.name];
      if (engine.spec.pinned != spec.pinned) pin_set_.erase(spec.name);
      engine.spec = spec;
    }
  }
  if (const auto* budget = std::get_if<HostBudget>(&event)) host_budget_ = budget->bytes;
  // A pin of a model that is not configured is nothing.
  if (const auto* pin = std::get_if<Pin>(&event); pin != nullptr && machine_.find(pin->model))
    pin_set_[pin->model] = pin->pinned;
  step(event);
}

// ---- the ledger ----

void MachineRoom::on(const Reserve& effect) {
  after(kReadTakes, [this, effect] {
    AssignRequest request;
    request.model = effect.model;
    request.shares = effect.shares;
    request.requested_at = now_;
    read();
    Decision decision = decide_assign(ledger_, request);
    if (bug_ == Bug::grants_always && decision.cause == Cause::no_room)
      decision = granted_anyway(request);
    const bool granted = changes_ledger(decision.verdict);
    if (granted) check_grant(ledger_.apply(decision).lease);
    if (granted || decision.verdict == Verdict::already_assigned)
      step(Reserved{effect.model});
    else
      step(NotReserved{effect.model, kind_of(decision.cause) == ErrorKind::no_room, "no room"});
  });
}

Decision MachineRoom::granted_anyway(const AssignRequest& request) const {
  Decision decision{Verdict::granted, Cause::none, {}, {}};
  decision.lease.model = request.model;
  for (std::size_t i = 0; i < request.shares.size(); ++i)
    decision.lease.shares.push_back(
        {ledger_.accounts()[i % capacity_.size()].id, request.shares[i].bytes});
  return decision;
}

// I1 by other means: what all models that are promised something will hold, what strangers hold,
// and what lingers.
void MachineRoom::check_grant(const Lease& lease) {
  for (const Share& share : lease.shares) {
    const int gpu = gpu_of(share.device);
    Bytes sum = strangers_[gpu] + lingering_[gpu];
    for (const auto& [id, entry] : ledger_.entries()) {
      for (const Share& other : entry.lease.shares) {
        if (gpu_of(other.device) != gpu) continue;
        const Engine& there = engine(entry.lease.model);
        const bool live = entry.lease.state != LeaseState::releasing;
        const Bytes real = there.pid ? there.holds : Bytes{};
        sum += live ? std::max(other.bytes, real) : real;
      }
    }
    if (sum > capacity_[gpu])
      violated(fmt::format("{} was granted on GPU {}: {} of {}", lease.model, gpu, to_text(sum),
                           to_text(capacity_[gpu])));
  }
}

void MachineRoom::release(const std::string& name) {
  const LeaseEntry* lease = ledger_.find_model(name);
  if (lease) {
    const std::string id = lease->lease.id;
    const bool died = lease->lease.holder && engine(name).pid != lease->lease.holder->pid;
    died ? ledger_.holder_died(id, now_) : ledger_.release(id, now_);
  }
  wait_for_release(name);
}

void MachineRoom::wait_for_release(const std::string& name) {
  after(kReadTakes, [this, name] {
    read();
    const bool gone = std::none_of(ledger_.entries().begin(), ledger_.entries().end(),
                                   [&](const auto& e) { return e.second.lease.model == name; });
    if (gone && bug_ == Bug::loses_released) return;
    if (gone) return step(Released{name, false});
    after(kReadEvery, [this, name] { wait_for_release(name); });
  });
}

void MachineRoom::shrink_lease(Engine& engine) {
  const LeaseEntry* lease = ledger_.find_model(engine.spec.name);
  if (!lease) return;
  Decision smaller{Verdict::grown, Cause::none, {}, lease->lease};
  for (Share& share : smaller.lease.shares)
    share.bytes = std::max(engine.behaviour.residue, mib(1));
  ledger_.apply(smaller);
}

// ---- strangers and faults ----

void MachineRoom::stranger(int gpu, Bytes holds) {
  strangers_[gpu] = {};
  strangers_[gpu] = std::min(holds, capacity_[gpu] - used(gpu));
  read();
  step(Tick{});
}

void MachineRoom::kill_engine(const std::string& name) {
  Engine& e = engine(name);
  if (!e.running || e.loading) return;
  for (const Ticket ticket : std::set<Ticket>(e.in_flight)) {
    requests_[ticket].is_cut = true;
    end(name, ticket);
  }
  end_process(e, true);
  step(Died{name, "signal 9"});
  release(name);
}

void MachineRoom::grow(const std::string& name, Bytes each) {
  Engine& e = engine(name);
  if (!e.running || e.asleep || e.loading) return;
  for (const int gpu : e.gpus)
    if (used(gpu) - e.holds + each > capacity_[gpu]) return;
  e.holds = each;
  read();
  step(Tick{});
}

void MachineRoom::forget_ended() {
  std::erase_if(requests_, [](const auto& r) { return !r.second.is_open(); });
}

// At the end, when nothing is asked any more: all were answered, and both sides agree.
void MachineRoom::check_end() {
  for (const auto& [ticket, request] : requests_)
    if (request.is_open()) violated(fmt::format("ticket {} was never answered", ticket));
  for (const auto& [name, engine] : engines_) {
    const auto view = machine_.find(name);
    if (!view) continue;
    if (view->open != engine.open) violated(name + " is open on one side only");
    if (view->state == Residency::resident && !engine.running)
      violated(name + " is resident and does not run");
    if (is_passing(view->state)) violated(name + " never gets out of its state");
    if (view->state == Residency::absent && engine.pid) violated(name + " is absent and runs");
  }
  for (const auto& [id, entry] : ledger_.entries())
    if (state(entry.lease.model) == Residency::absent)
      violated(entry.lease.model + " is absent and has a lease");
}

Residency MachineRoom::state(const std::string& name) const {
  const auto view = machine_.find(name);
  return view ? view->state : Residency::absent;
}

}  // namespace estiva::residency_test
