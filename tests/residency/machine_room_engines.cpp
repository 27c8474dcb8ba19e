// Engines: processes that load, sleep, end, and leave memory behind for a while.
#include <algorithm>
#include <fmt/format.h>

#include "residency/machine_room.h"

namespace estiva::residency_test {

using namespace decide;
using namespace decide::residency;

namespace {

constexpr Nanoseconds kLingers = milliseconds(700);  // of a dead process's memory

}  // namespace

void MachineRoom::on(const Load& effect) {
  Engine& e = engine(effect.model);
  if (e.loading || (e.running && !e.asleep)) violated(effect.model + " is loaded twice");
  const bool is_local = e.spec.engine != ModelEngine::remote;
  const LeaseEntry* lease = ledger_.find_model(effect.model);
  if (!lease && is_local) return violated(effect.model + " is loaded without a lease");
  for (const auto& [name, other] : engines_)
    if (&other != &e && is_local && other.spec.engine != ModelEngine::remote &&
        !e.spec.group.empty() && other.spec.group == e.spec.group &&
        (other.loading || (other.pid && !other.asleep)))
      violated(fmt::format("{} is loaded beside {} of its group", effect.model, name));
  e.loading = true;
  e.cancelled = false;
  const std::uint64_t run = ++e.run;
  e.gpus.clear();
  if (lease)
    for (const Share& share : lease->lease.shares) e.gpus.push_back(gpu_of(share.device));
  if (lease) e.leased = lease->lease.shares.front().bytes;
  const std::string name = effect.model;
  const bool wake = effect.wake;
  if (!wake && lease) {
    e.pid = next_pid_++;
    e.holds = {};
    Decision bound{Verdict::bound, Cause::none, {}, lease->lease};
    bound.lease.holder = Holder{e.pid, 1, "boot"};
    ledger_.apply(bound);
  }
  after(wake ? e.behaviour.wake : e.behaviour.load, [this, name, wake, run] {
    if (engine(name).run == run && engine(name).loading) finish_load(name, wake);
  });
}

void MachineRoom::finish_load(const std::string& name, bool wake) {
  Engine& e = engine(name);
  e.loading = false;
  const Bytes takes = e.behaviour.takes > Bytes{} ? e.behaviour.takes : e.leased;
  bool ran_out = e.behaviour.out_of_memory > 0;
  if (ran_out) --e.behaviour.out_of_memory;
  for (const int gpu : e.gpus)
    if (used(gpu) - e.holds + takes > capacity_[gpu]) {
      ran_out = true;
      ++out_of_memory_;
    }
  const bool fails = !ran_out && e.behaviour.fails > 0;
  if (fails) --e.behaviour.fails;
  if (ran_out || fails) {
    if (!wake) end_process(e, false);
    return step(LoadFailed{name, ran_out, false, ran_out ? "CUDA out of memory" : "exit code 1"});
  }
  e.holds = takes;
  e.running = true;
  e.asleep = false;
  ++e.loads;
  step(Loaded{name});
}

void MachineRoom::on(const Cancel& effect) {
  Engine& e = engine(effect.model);
  ++e.cancels;
  const std::uint64_t run = e.run;
  after(milliseconds(50), [this, name = effect.model, run] {
    Engine& engine = this->engine(name);
    if (engine.run != run || !engine.loading) return;  // too late
    engine.loading = false;
    if (!engine.asleep) end_process(engine, false);
    step(LoadFailed{name, false, true, "cancelled"});
  });
}

// When one begins to fall asleep: a budget that falls later is obeyed as soon as that is possible.
void MachineRoom::check_ram() {
  Bytes sum;
  for (const auto& [name, engine] : engines_)
    if (engine.asleep || engine.falls_asleep)
      sum += Bytes{engine.leased.value * engine.gpus.size()};
  if (sum > host_budget_)
    violated(fmt::format("sleepers take {} of {} of RAM", to_text(sum), to_text(host_budget_)));
}

// Its pid leaves the list at once; the bytes may fall later.
void MachineRoom::end_process(Engine& e, bool lingers) {
  if (lingers && e.holds > Bytes{}) {
    for (const int gpu : e.gpus) lingering_[gpu] += e.holds;
    after(kLingers, [this, gpus = e.gpus, holds = e.holds] {
      for (const int gpu : gpus) lingering_[gpu] -= holds;
      read();
      step(Tick{});
    });
  }
  ++e.run;
  e.pid = 0;
  e.holds = {};
  e.running = e.asleep = e.falls_asleep = e.loading = false;
}

void MachineRoom::on(const Leave& effect) {
  Engine& e = engine(effect.model);
  if (e.open) violated(effect.model + " leaves while it is open");
  const bool was_cut = e.cut_at && now_ - *e.cut_at >= milliseconds(900);
  if (!e.in_flight.empty() && !was_cut) violated(effect.model + " leaves under its requests");
  const std::string name = effect.model;
  const std::uint64_t run = e.run;
  if (effect.how == Leaving::stop) {
    ++e.stops;
    after(e.behaviour.unload, [this, name, run] {
      Engine& engine = this->engine(name);
      if (engine.run != run) return;
      for (const Ticket ticket : std::set<Ticket>(engine.in_flight)) {
        requests_[ticket].is_cut = true;
        end(name, ticket);
      }
      end_process(engine, true);
      release(name);
    });
    return;
  }
  e.falls_asleep = true;
  check_ram();
  after(e.behaviour.sleep, [this, name, run] {
    Engine& engine = this->engine(name);
    if (engine.run != run) return;
    if (engine.behaviour.sleep_fails) engine.falls_asleep = false;
    if (engine.behaviour.sleep_fails) return step(SleepFailed{name, "it said 500"});
    ++engine.sleeps;
    engine.asleep = true;
    engine.falls_asleep = false;
    engine.holds = engine.behaviour.residue;
    shrink_lease(engine);
    read();
    step(Released{name, true});
  });
}

void MachineRoom::on(const Forgo& effect) {
  release(effect.model);
}

}  // namespace estiva::residency_test
