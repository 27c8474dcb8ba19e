#include "property/residency_schedule.h"

#include <cstdlib>
#include <fmt/format.h>

#include "residency/machine_room.h"
#include "residency/trace.h"

namespace estiva::residency_test {

using namespace decide::residency;

namespace {

ModelSpec some_model(Rng& rng, int i, int gpus, bool is_calm) {
  ModelSpec spec = model(fmt::format("m{}", i), mib(500 + 500 * rng.below(9)));
  spec.quantum = seconds(rng.below(4) * 3);
  spec.drain = seconds(1 + rng.below(10));
  spec.load_limit = seconds(60);
  spec.wait_limit = minutes(1 + rng.below(20));
  spec.queue_limit = rng.chance(20) ? 3 : 1024;
  spec.priority = is_calm ? 0 : static_cast<int>(rng.below(5)) - 2;
  spec.preload = rng.chance(10);
  spec.pinned = rng.chance(5);
  if (rng.chance(15)) spec.policy = ResidencyPolicy::always_unload;
  if (rng.chance(15)) spec.policy = ResidencyPolicy::keep;
  if (rng.chance(20)) spec.group = rng.chance(50) ? "a" : "b";
  if (rng.chance(20)) spec.ttl = seconds(5 + rng.below(60));
  if (gpus > 1 && rng.chance(20)) spec.gpus = 2;
  if (rng.chance(10)) spec.gpu = std::to_string(rng.below(static_cast<unsigned>(gpus)));
  if (spec.gpu != "auto") spec.gpus = 1;
  if (rng.chance(5)) spec.engine = ModelEngine::remote;
  return spec;
}

Behaviour some_behaviour(Rng& rng) {
  Behaviour behaviour;
  behaviour.load = rng.between(milliseconds(200), seconds(8));
  behaviour.unload = rng.between(milliseconds(50), seconds(2));
  behaviour.wake = rng.between(milliseconds(50), seconds(1));
  behaviour.sleep = rng.between(milliseconds(50), seconds(1));
  behaviour.can_sleep = rng.chance(40);
  behaviour.residue = mib(rng.below(300));
  behaviour.is_measured = rng.chance(60);
  behaviour.sleep_fails = rng.chance(5);
  return behaviour;
}

class Schedule {
 public:
  Schedule(std::uint64_t seed, Bug bug)
      : rng_(seed),
        gpus_(1 + static_cast<int>(rng_.below(3))),
        count_(2 + rng_.below(7)),
        is_calm_(rng_.chance(30)),
        has_faults_(!is_calm_ && rng_.chance(60)),
        room_(make_room()) {
    room_.plant(bug);
    if (std::getenv("ESTIVA_TRACE")) room_.trace = print_step;
  }

  Outcome run() {
    const std::uint64_t events = 20 + rng_.below(60);
    for (std::uint64_t i = 0; i < events; ++i) {
      something();
      room_.run_for(rng_.chance(30)
                        ? Nanoseconds(0)
                        : rng_.between(milliseconds(1), seconds(rng_.chance(10) ? 40 : 4)));
    }
    calm_down();
    room_.run_until_idle(hours(2));
    room_.run_for(minutes(2));
    room_.check_end();
    return outcome();
  }

 private:
  MachineRoom make_room() {
    std::vector<Bytes> sizes;
    for (int g = 0; g < gpus_; ++g) sizes.push_back(gib(4 + 2 * rng_.below(3)));
    std::map<std::string, Behaviour> behaviours;
    for (std::uint64_t i = 0; i < count_; ++i) {
      specs_.push_back(some_model(rng_, static_cast<int>(i), gpus_, is_calm_));
      Behaviour& behaviour = behaviours[specs_.back().name] = some_behaviour(rng_);
      if (!is_calm_) continue;
      behaviour.is_measured = true;
      behaviour.sleep_fails = false;
    }
    decide::ResidencySettings settings;
    settings.host_budget = gib(rng_.below(12));
    settings.default_ttl = rng_.chance(20) ? seconds(30) : seconds(0);
    return {sizes, specs_, behaviours, settings};
  }

  const std::string& any_model() { return specs_[rng_.below(specs_.size())].name; }

  void something() {
    const std::uint64_t what = rng_.below(100);
    if (what < 60) return ask();
    if (what < 72) return hang_up();
    if (what < 75) return void(room_.want_load(any_model()));
    if (what < 85 && !is_calm_) return person();
    if (has_faults_) return fault();
    ask();
  }

  void ask() {
    const std::uint64_t burst = rng_.chance(10) ? 1 + rng_.below(20) : 1;
    const std::string& name = any_model();
    for (std::uint64_t i = 0; i < burst; ++i)
      room_.ask(name, rng_.between(milliseconds(10), seconds(rng_.chance(5) ? 60 : 3)),
                is_calm_ ? 0 : static_cast<int>(rng_.below(7)) - 3);
  }

  void hang_up() {
    if (room_.tickets() == 0) return;
    room_.hang_up(1 + rng_.below(room_.tickets()));
  }

  void person() {
    const std::string& name = any_model();
    switch (rng_.below(9)) {
      case 0:
        return room_.say(Unload{name});
      case 1:
        return room_.say(Pin{name, rng_.chance(50)});
      case 2:
        return room_.say(SetPolicy{name, static_cast<ResidencyPolicy>(rng_.below(3))});
      case 3:
        return room_.say(
            Pause{rng_.chance(30) ? "" : "GPU-0",
                  rng_.chance(70) ? std::optional(room_.now() + seconds(20)) : std::nullopt});
      case 4:
        return resume();
      case 5:
        return room_.say(HostBudget{gib(rng_.below(12))});
      case 6:
        return configure();
      default:
        return ask();
    }
  }

  void resume() {
    room_.say(Resume{""});
    room_.say(Resume{"GPU-0"});
  }

  // Treatment changes, sometimes what is loaded too; sometimes a model goes or comes back.
  void configure() {
    std::vector<ModelSpec> next;
    for (ModelSpec& spec : specs_) {
      if (rng_.chance(20)) spec.quantum = seconds(rng_.below(10));
      if (rng_.chance(10)) spec.vram = mib(500 + 500 * rng_.below(9));
      if (rng_.chance(10)) spec.pinned = !spec.pinned;
      if (!rng_.chance(8)) next.push_back(spec);
    }
    room_.say(Configured{next});
  }

  void fault() {
    const std::string& name = any_model();
    Behaviour behaviour = room_.behaviour(name);
    switch (rng_.below(5)) {
      case 0:
        return room_.kill_engine(name);
      case 1:
        return room_.stranger(static_cast<int>(rng_.below(static_cast<unsigned>(gpus_))),
                              mib(rng_.below(3000)));
      case 2:
        return room_.grow(name, mib(500 + rng_.below(5000)));
      case 3:
        behaviour.fails = 1;
        return room_.behave(name, behaviour);
      default:
        behaviour.out_of_memory = 1 + static_cast<unsigned>(rng_.below(2));
        return room_.behave(name, behaviour);
    }
  }

  void calm_down() {
    for (int g = 0; g < gpus_; ++g) room_.stranger(g, {});
    resume();
    room_.say(Configured{specs_});
  }

  Outcome outcome() const {
    Outcome out;
    out.violations = room_.violations();
    if (!has_faults_ && room_.out_of_memory() > 0)
      out.violations.emplace_back("a model ran out of memory and nobody lied");
    out.steps = room_.steps();
    out.timed_out = room_.timed_out();
    out.evictions = room_.evictions();
    for (const auto& [ticket, request] : room_.requests()) count(request, out);
    if (is_calm_) out.calm_requests = out.requests;
    if (is_calm_) out.calm_timed_out = room_.timed_out();
    for (const ModelSpec& spec : specs_) {
      out.sleeps += room_.sleeps(spec.name);
      out.loads += room_.loads(spec.name);
    }
    return out;
  }

  static void count(const Request& request, Outcome& out) {
    ++out.requests;
    out.served += request.ended.has_value();
    out.refused += request.refusal.has_value();
    out.failed += request.refusal && request.refusal->kind == ErrorKind::failed;
    out.cut += request.is_cut;
    out.hung_up += request.gone && !request.refusal && !request.is_cut;
    const SteadyTime end = request.ended.value_or(request.gone.value_or(SteadyTime{}));
    out.fingerprint = out.fingerprint * 31 + static_cast<std::uint64_t>(end.ns);
  }

  Rng rng_;
  int gpus_;
  std::uint64_t count_;
  bool is_calm_;  // only clients, and engines that keep to their times
  bool has_faults_;
  std::vector<ModelSpec> specs_;
  MachineRoom room_;
};

}  // namespace

Outcome run_schedule(std::uint64_t seed, Bug bug) {
  return Schedule(seed, bug).run();
}

}  // namespace estiva::residency_test
