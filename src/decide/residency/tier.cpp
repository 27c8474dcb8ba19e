// The second tier: models that sleep take RAM, and their RAM has a budget.
#include <algorithm>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace {

// A sleeper that is being stopped keeps its RAM until it is gone.
bool takes_ram(const Entry& entry) {
  if (is_asleep(entry)) return true;
  if (entry.state == Residency::unloading) return entry.how != Leaving::stop || entry.was_asleep;
  return is_coming(entry) && entry.waking;
}

bool may_leave_ram(const Entry& entry) {
  return is_asleep(entry) && !is_wanted(entry);
}

// Seconds that its sleep saves, by the chance that it is asked for again.
double worth_of_sleep(const Entry& entry, SteadyTime now) {
  Entry cold = entry;
  cold.no_sleep = true;
  const Nanoseconds saved = std::max(swap_time(cold) - swap_time(entry), Nanoseconds(1));
  return std::chrono::duration<double>(saved).count() * reuse(entry, now);
}

}  // namespace

Bytes ResidencyMachine::Impl::ram_used() const {
  Bytes sum;
  for (const auto& [name, entry] : models)
    if (takes_ram(entry)) sum += sleep_size(entry);
  return sum;
}

// How a drained model leaves; nothing where it waits for RAM to sleep in.
std::optional<Leaving> ResidencyMachine::Impl::how_to_leave(Entry& entry) {
  const bool for_good = entry.removed || entry.next_spec || entry.leaves_for == LeavesFor::person ||
                        entry.leaves_for == LeavesFor::pause || entry.leaves_for == LeavesFor::ttl;
  if (for_good || entry.no_sleep || entry.is_cut || !uses_gpus(entry)) return Leaving::stop;
  Leaving how = Leaving::stop;
  if (entry.spec.may_checkpoint && entry.learned.can_checkpoint) how = Leaving::checkpoint;
  if (entry.spec.may_sleep && entry.learned.can_sleep) how = Leaving::sleep;
  if (how == Leaving::stop) return how;
  const Bytes size = sleep_size(entry);
  if (ram_used() + size <= settings.host_budget) return how;
  if (entry.ram_wait_until != SteadyTime{})
    return entry.ram_wait_until <= now ? std::optional(Leaving::stop) : std::nullopt;
  if (!make_ram_for(entry, size)) return Leaving::stop;
  entry.ram_wait_until = now + kWaitForRam;
  return std::nullopt;
}

std::vector<ResidencyMachine::Impl::Entry*> ResidencyMachine::Impl::sleepers_by_worth() {
  std::vector<Entry*> sleepers;
  for (auto& [name, entry] : models)
    if (may_leave_ram(entry)) sleepers.push_back(&entry);
  std::stable_sort(sleepers.begin(), sleepers.end(), [&](const Entry* a, const Entry* b) {
    return worth_of_sleep(*a, now) < worth_of_sleep(*b, now);
  });
  return sleepers;
}

// Stops sleepers that are together worth less than this one's sleep. False: there are none such.
bool ResidencyMachine::Impl::make_ram_for(const Entry& entry, Bytes size) {
  if (size > settings.host_budget) return false;
  const double worth = worth_of_sleep(entry, now);
  Bytes used = ram_used();
  double lost = 0;
  std::vector<Entry*> stopped;
  for (Entry* sleeper : sleepers_by_worth()) {
    if (used + size <= settings.host_budget) break;
    lost += worth_of_sleep(*sleeper, now);
    used -= sleep_size(*sleeper);
    stopped.push_back(sleeper);
  }
  if (used + size > settings.host_budget || lost >= worth) return false;
  for (Entry* sleeper : stopped) stop_sleeper(*sleeper, msg::kLeavesRam);
  return true;
}

void ResidencyMachine::Impl::stop_sleeper(Entry& entry, std::string_view why) {
  tell(entry, std::string(why));
  leave(entry, Leaving::stop);
}

// A drained model that waited for RAM has it now, or has waited long enough.
void ResidencyMachine::Impl::end_ram_waits() {
  for (auto& [name, entry] : models)
    if (entry.state == Residency::draining && entry.ram_wait_until != SteadyTime{}) drained(entry);
}

// Less RAM than before: the sleeps that are worth least end first.
void ResidencyMachine::Impl::on(const HostBudget& event) {
  settings.host_budget = event.bytes;
  Bytes used = ram_used();
  for (const auto& [name, entry] : models)  // what is on its way out gives way by itself
    if (entry.state == Residency::unloading && entry.was_asleep) used -= sleep_size(entry);
  for (Entry* sleeper : sleepers_by_worth()) {
    if (used <= settings.host_budget) return;
    used -= sleep_size(*sleeper);
    stop_sleeper(*sleeper, msg::kLeavesRam);
  }
}

}  // namespace estiva::decide
