#include "decide/residency/tally.h"

namespace estiva::decide {

using namespace residency;

std::string_view to_name(SwapPhase phase) {
  switch (phase) {
    case SwapPhase::drain:
      return "drain";
    case SwapPhase::unload:
      return "unload";
    case SwapPhase::release:
      return "release";
    case SwapPhase::load:
      return "load";
  }
  return {};
}

void ResidencyTally::take(const Event& event, SteadyTime now) {
  std::visit([&](const auto& told) { on(told, now); }, event);
}

void ResidencyTally::take(const Effect& effect, SteadyTime now) {
  std::visit([&](const auto& wanted) { on(wanted, now); }, effect);
}

void ResidencyTally::begin(Counting& counting, SwapPhase phase, SteadyTime now) {
  counting.phase = phase;
  counting.since = now;
}

// Nothing where that phase is not the one under way: it was broken off.
void ResidencyTally::end(Counting& counting, SwapPhase phase, SteadyTime now) {
  if (counting.phase != phase) return;
  PhaseSum& sum = counting.tally.phases[static_cast<std::size_t>(phase)];
  ++sum.count;
  sum.time += now - counting.since;
  counting.phase.reset();
}

void ResidencyTally::on(const Load& effect, SteadyTime now) {
  Counting& counting = models_[effect.model];
  counting.wakes = effect.wake;
  counting.may_exceed = true;
  begin(counting, SwapPhase::load, now);
}

void ResidencyTally::on(const Loaded& event, SteadyTime now) {
  Counting& counting = models_[event.model];
  if (counting.phase != SwapPhase::load) return;
  ++(counting.wakes ? counting.tally.wakes : counting.tally.starts);
  end(counting, SwapPhase::load, now);
}

void ResidencyTally::on(const LoadFailed& event, SteadyTime) {
  Counting& counting = models_[event.model];
  counting.phase.reset();
  if (event.is_cancelled) return;
  if (!event.out_of_memory) {
    ++counting.tally.failures;
    return;
  }
  ++counting.tally.out_of_memory;
  if (counting.may_exceed) ++counting.tally.mispredictions;
  counting.may_exceed = false;
}

void ResidencyTally::on(const Close& effect, SteadyTime now) {
  begin(models_[effect.model], SwapPhase::drain, now);
}

// It stays after all: that was no swap.
void ResidencyTally::on(const Open& effect, SteadyTime) {
  models_[effect.model].phase.reset();
}

void ResidencyTally::on(const Leave& effect, SteadyTime now) {
  Counting& counting = models_[effect.model];
  end(counting, SwapPhase::drain, now);
  counting.may_exceed = false;
  begin(counting, SwapPhase::unload, now);
}

void ResidencyTally::engine_left(const std::string& model, SteadyTime now) {
  Counting& counting = models_[model];
  if (counting.phase != SwapPhase::unload) return;
  end(counting, SwapPhase::unload, now);
  begin(counting, SwapPhase::release, now);
}

void ResidencyTally::on(const Released& event, SteadyTime now) {
  Counting& counting = models_[event.model];
  if (counting.phase != SwapPhase::release) return;  // of a load that failed, or a death
  ++(event.asleep ? counting.tally.sleeps : counting.tally.stops);
  end(counting, SwapPhase::release, now);
}

void ResidencyTally::on(const Died& event, SteadyTime) {
  Counting& counting = models_[event.model];
  ++counting.tally.deaths;
  counting.phase.reset();
  counting.may_exceed = false;
}

void ResidencyTally::measured(const std::string& model, Bytes wanted, Bytes found) {
  const auto known = models_.find(model);
  if (known == models_.end() || !known->second.may_exceed || found <= wanted) return;
  known->second.may_exceed = false;
  ++known->second.tally.mispredictions;
}

ModelTally ResidencyTally::of(const std::string& model) const {
  const auto known = models_.find(model);
  return known == models_.end() ? ModelTally{} : known->second.tally;
}

}  // namespace estiva::decide
