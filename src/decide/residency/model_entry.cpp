// What one model needs, how long its steps take, and what its leaving costs.
#include "decide/residency/model_entry.h"

#include <algorithm>

namespace estiva::decide::residency {
namespace {

// A model that is asked for once in so long is as likely as not to be asked for within it.
constexpr double kHorizonSeconds = 60;
// `keep` models are evicted after all others, whatever those cost.
constexpr double kKeepStep = 1e6;

double seconds(Nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// No load or unload counts as longer: sums of them stay far from the end of the clock.
Nanoseconds bounded(Nanoseconds time) {
  return std::clamp(time, Nanoseconds::zero(), Nanoseconds(std::chrono::hours(24)));
}

Nanoseconds guessed_load(const Entry& entry) {
  const double bytes = static_cast<double>(need_of(entry).value_or(Bytes{}).value);
  return kGuessedStart + Nanoseconds(static_cast<std::int64_t>(bytes / kGuessedRate * 1e9));
}

Nanoseconds paced(std::optional<Nanoseconds> measured, Nanoseconds guess, Nanoseconds limit,
                  Pace pace) {
  const Nanoseconds most = bounded(limit);
  if (measured) {
    const Nanoseconds median = bounded(*measured);
    return pace == Pace::expected ? median : 2 * median + kJitter;
  }
  if (pace == Pace::worst) return most + kJitter;
  return std::min(pace == Pace::expected ? guess : 2 * guess, most);
}

bool goes_to_sleep(const Entry& entry) {
  return entry.spec.may_sleep && entry.learned.can_sleep && !entry.no_sleep;
}

}  // namespace

ResidencyPolicy policy_of(const Entry& entry) {
  return entry.policy_set.value_or(entry.spec.policy);
}

bool is_pinned(const Entry& entry) {
  return entry.pin_set.value_or(entry.spec.pinned);
}

bool uses_gpus(const Entry& entry) {
  return entry.spec.engine != ModelEngine::remote;
}

std::optional<Bytes> need_of(const Entry& entry) {
  const Bytes known = std::max(
      {entry.spec.vram.value_or(Bytes{}), entry.learned.need.value_or(Bytes{}), entry.raised});
  if (known == Bytes{}) return std::nullopt;
  return known;
}

Bytes sleep_size(const Entry& entry) {
  if (entry.spec.host_memory) return *entry.spec.host_memory;
  const std::uint64_t each = need_of(entry).value_or(Bytes{}).value;
  return {each * std::max(1U, entry.spec.gpus)};
}

bool is_asleep(const Entry& entry) {
  return entry.state == Residency::sleeping || entry.state == Residency::checkpointed;
}

bool is_coming(const Entry& entry) {
  return entry.state == Residency::reserving || entry.state == Residency::loading;
}

bool is_leaving(const Entry& entry) {
  return entry.state == Residency::draining || entry.state == Residency::unloading;
}

bool leaves_for_sure(const Entry& entry) {
  return entry.state == Residency::unloading ||
         (entry.state == Residency::draining && entry.leaves_for != LeavesFor::room);
}

bool is_idle(const Entry& entry) {
  return entry.state == Residency::resident && entry.in_flight == 0 && !entry.expects_requests;
}

bool is_wanted(const Entry& entry) {
  return !entry.queue.empty() || entry.preload_wanted;
}

bool must_load(const Entry& entry) {
  return is_wanted(entry) && !entry.removed;
}

Nanoseconds load_time(const Entry& entry, Pace pace) {
  const bool wakes = is_asleep(entry) || (is_coming(entry) && entry.waking);
  return paced(wakes ? entry.learned.wake : entry.learned.load, guessed_load(entry),
               entry.spec.load_limit, pace);
}

Nanoseconds unload_time(const Entry& entry, Pace pace) {
  const bool sleeps = goes_to_sleep(entry);
  const auto measured = sleeps && entry.learned.sleep ? entry.learned.sleep : entry.learned.unload;
  const Nanoseconds time = paced(measured, kJitter, entry.spec.stop_limit + kReleaseLag, pace);
  if (pace == Pace::expected) return time;
  return time + (measured ? kSeenFree : Nanoseconds::zero()) +
         (sleeps ? kWaitForRam : Nanoseconds::zero());
}

Nanoseconds swap_time(const Entry& entry) {
  const bool sleeps = goes_to_sleep(entry) && entry.learned.wake;
  const Nanoseconds in = paced(sleeps ? entry.learned.wake : entry.learned.load,
                               guessed_load(entry), entry.spec.load_limit, Pace::expected);
  return in + unload_time(entry, Pace::expected);
}

Nanoseconds quantum_of(const Entry& entry) {
  return std::max(entry.spec.quantum, kLeastQuantum);
}

SteadyTime quantum_end(const Entry& entry) {
  return entry.opened_at + quantum_of(entry);
}

SteadyTime may_leave_at(const Entry& entry, const ResidencySettings& settings, SteadyTime now) {
  if (entry.state != Residency::resident) return now;
  const SteadyTime latest = std::max(now, quantum_end(entry));
  if (!is_idle(entry)) return latest;
  if (!entry.gap || !entry.last_used) return now;
  const double swap = seconds(swap_time(entry));
  if (*entry.gap >= swap) return now;
  const double spared = std::min({2 * *entry.gap, swap, seconds(settings.longest_anticipation)});
  const SteadyTime until = *entry.last_used + Nanoseconds(static_cast<std::int64_t>(spared * 1e9));
  return std::clamp(until, now, latest);
}

Nanoseconds drain_time(const Entry& entry, Pace pace) {
  const bool in_time = pace == Pace::expected || pace == Pace::likely;
  return in_time ? Nanoseconds::zero() : entry.spec.drain + kCutGrace;
}

Nanoseconds way_out(const Entry& entry, Pace pace, SteadyTime now) {
  const Nanoseconds unload = unload_time(entry, pace);
  const Nanoseconds drain = drain_time(entry, pace);
  switch (entry.state) {
    case Residency::reserving:
    case Residency::loading: {
      const Nanoseconds load = load_time(entry, pace);
      const Nanoseconds gone =
          entry.state == Residency::loading ? now - entry.since : Nanoseconds::zero();
      return std::max(load - gone, Nanoseconds::zero()) + quantum_of(entry) + drain + unload;
    }
    case Residency::resident: {
      // An idle one may become busy at any time until it is closed.
      const Nanoseconds quantum = pace == Pace::expected && is_idle(entry)
                                      ? Nanoseconds::zero()
                                      : std::max(quantum_end(entry) - now, Nanoseconds::zero());
      return quantum + drain + unload;
    }
    case Residency::draining:
      return std::min(std::max(entry.cut_at - now, Nanoseconds::zero()) + kCutGrace, drain) +
             unload;
    case Residency::unloading:
      return std::max(unload - (now - entry.since), Nanoseconds::zero());
    default:
      return unload;
  }
}

double reuse(const Entry& entry, SteadyTime now) {
  if (entry.in_flight > 0 || entry.expects_requests) return 1;
  // Once asked for and never again: as if it were half a horizon since.
  double period = entry.period.value_or(kHorizonSeconds);
  if (entry.last_used) period = std::max(period, seconds(now - *entry.last_used));
  return kHorizonSeconds / (kHorizonSeconds + period);
}

double eviction_cost(const Entry& entry, const ResidencySettings& settings, SteadyTime now) {
  double cost = seconds(swap_time(entry)) * reuse(entry, now);
  if (entry.state == Residency::resident)
    cost += seconds(may_leave_at(entry, settings, now) - now);
  else if (is_coming(entry))
    cost += seconds(way_out(entry, Pace::expected, now));
  if (policy_of(entry) == ResidencyPolicy::keep) cost += kKeepStep;
  return cost + 1e-3;  // of two sets that cost the same, the smaller one
}

}  // namespace estiva::decide::residency
