// What has to leave for a model that waits: whom, when, and whether that is still so.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"
#include "decide/residency/victims.h"

namespace estiva::decide {

using namespace residency;

namespace {

constexpr double kLeavesAnyway = 1e-6;

bool is_in_gpu_memory(const Entry& entry) {
  return is_coming(entry) || is_leaving(entry) || entry.state == Residency::resident;
}

}  // namespace

bool ResidencyMachine::Impl::is_group_mate(const Entry& entry, const Entry& other) const {
  return &entry != &other && uses_gpus(other) && !entry.spec.group.empty() &&
         entry.spec.group == other.spec.group && (is_in_gpu_memory(other) || !other.claim.empty());
}

// It has to go whatever it costs, or the entry can't come in.
bool ResidencyMachine::Impl::has_to_go(const Entry& entry, const Entry& other) const {
  if (is_group_mate(entry, other)) return true;
  if (&entry == &other || is_pinned(other)) return false;
  return std::any_of(entry.alone_on.begin(), entry.alone_on.end(), [&](const std::string& device) {
    return bytes_on(other, *ledger, device) > Bytes{};
  });
}

bool ResidencyMachine::Impl::is_held_up(const Entry& entry) const {
  if (!uses_gpus(entry) || (entry.spec.group.empty() && entry.alone_on.empty())) return false;
  return std::any_of(models.begin(), models.end(),
                     [&](const auto& other) { return has_to_go(entry, other.second); });
}

const ResidencyMachine::Impl::Entry* ResidencyMachine::Impl::pinned_mate(const Entry& entry) const {
  for (const auto& [name, other] : models)
    if (is_group_mate(entry, other) && is_pinned(other) && !is_leaving(other)) return &other;
  return nullptr;
}

bool ResidencyMachine::Impl::may_be_evicted(const Entry& entry, const Entry& other) const {
  if (&other == &entry || is_pinned(other) || !uses_gpus(other)) return false;
  if (other.state == Residency::draining) return other.leaves_for == LeavesFor::room;
  return other.state == Residency::resident || is_asleep(other) || is_coming(other) ||
         !other.claim.empty();
}

double ResidencyMachine::Impl::cost_of(const Entry& entry, const Round& round) const {
  if (entry.state == Residency::draining || round.spent.contains(&entry)) return kLeavesAnyway;
  double cost = eviction_cost(entry, settings, now);
  if (entry.state == Residency::absent || is_asleep(entry)) {
    if (entry.claim.empty()) return cost;
    // It is itself on its way in, and leaves after its time.
    const Nanoseconds time = load_time(entry, Pace::expected) + quantum_of(entry);
    cost += std::chrono::duration<double>(time).count();
  }
  return cost;
}

// The models that have to leave for it: those that must go in any case, and of the others the set
// that costs least. Null where no set is enough.
std::optional<ResidencyMachine::Impl::Eviction> ResidencyMachine::Impl::choose_eviction(
    Entry& entry, const Round& round, const AssignRequest& request) {
  if (auto in_time = choose_eviction(entry, round, request, entry.first_bound)) return in_time;
  return choose_eviction(entry, round, request, std::nullopt);
}

// When its bytes are free at the latest.
SteadyTime ResidencyMachine::Impl::out_by(const Entry& other) const {
  const bool waits = !is_coming(other) && !other.claim.empty() && !other.queue.empty();
  if (!waits) return now + way_out(other, Pace::worst, now);
  return other.first_bound + quantum_of(other) + drain_time(other, Pace::worst) +
         unload_time(other, Pace::worst);
}

// Of those that are out in time for `bound`; without one: of all.
std::optional<ResidencyMachine::Impl::Eviction> ResidencyMachine::Impl::choose_eviction(
    Entry& entry, const Round& round, const AssignRequest& request,
    std::optional<SteadyTime> bound) {
  const Nanoseconds load = load_time(entry, Pace::worst);
  Eviction eviction;
  std::vector<Entry*> others;
  std::vector<Candidate> candidates;
  Freed freed = round.leaving;
  for (auto& [name, other] : models) {
    const bool must = has_to_go(entry, other);
    if (must && is_pinned(other) && !is_leaving(other)) return std::nullopt;
    if (!may_be_evicted(entry, other)) continue;  // perhaps it is leaving already
    if (!must && bound && out_by(other) + load > *bound) continue;
    Holdings held = all_holdings(other, *ledger);
    if (must) {
      eviction.set.push_back(&other);
      add(freed, held);
    } else {
      others.push_back(&other);
      candidates.push_back({cost_of(other, round), std::move(held)});
    }
  }
  Victims victims = choose_victims(round.what_if.ledger(), request, freed, candidates);
  if (!victims.fits) return std::nullopt;
  for (const std::size_t i : victims.set) eviction.set.push_back(others[i]);
  eviction.accounts = std::move(victims.accounts);
  return eviction;
}

// From when on they may be closed; nothing where one of them is not even in.
std::optional<SteadyTime> ResidencyMachine::Impl::may_leave_together(
    const std::vector<Entry*>& set) const {
  SteadyTime at = now;
  for (const Entry* entry : set) {
    if (entry->state != Residency::resident && !is_asleep(*entry) && !is_leaving(*entry))
      return std::nullopt;
    if (is_asleep(*entry) && !entry->claim.empty()) return std::nullopt;
    at = std::max(at, may_leave_at(*entry, settings, now));
  }
  return at;
}

// At the latest.
SteadyTime ResidencyMachine::Impl::latest_leave(const std::vector<Entry*>& set) const {
  SteadyTime latest = now;
  for (const Entry* entry : set) {
    if (entry->state == Residency::resident) latest = std::max(latest, quantum_end(*entry));
    if (is_coming(*entry) || (!entry->claim.empty() && !is_leaving(*entry)))
      latest = std::max(latest, now + way_out(*entry, Pace::worst, now));
  }
  return latest;
}

// A better set is taken only if it does not make the model wait longer than the old one would.
void ResidencyMachine::Impl::keep_earlier_victims(Entry& entry, const Round& round,
                                                  const AssignRequest& request, Eviction& next) {
  if (entry.victims.empty() || latest_leave(next.set) <= entry.victims_by) return;
  Freed freed = round.leaving;
  for (Entry* victim : entry.victims) {
    if (victim->state == Residency::unloading) continue;
    if (!may_be_evicted(entry, *victim)) return;
    add(freed, all_holdings(*victim, *ledger));
  }
  Chosen chosen = choose_gpus(round.what_if.ledger(), request, freed);
  if (chosen.cause != Cause::none) return;
  for (Entry* other : next.set)
    if (has_to_go(entry, *other)) return;
  next.set.clear();
  for (Entry* victim : entry.victims)
    if (victim->state != Residency::unloading) next.set.push_back(victim);
  next.accounts = std::move(chosen.accounts);
}

void ResidencyMachine::Impl::evict_for(Entry& entry, Round& round, const AssignRequest& request) {
  auto eviction = choose_eviction(entry, round, request);
  if (!eviction) return cannot_fit(entry, request);
  keep_earlier_victims(entry, round, request, *eviction);
  entry.claim = claim_of(request, eviction->accounts, *ledger);
  round.what_if.promise(entry.spec.name, entry.claim);
  round.has_claims = true;
  round.spent.insert(eviction->set.begin(), eviction->set.end());
  // Those that are unloading for it stay its victims: it has begun.
  std::vector<Entry*> victims = std::move(eviction->set);
  for (Entry* victim : entry.victims)
    if (victim->state == Residency::unloading) victims.push_back(victim);
  const bool is_new = victims != entry.victims;
  entry.victims = std::move(victims);
  if (is_new) entry.victims_by = latest_leave(entry.victims);
  if (is_leaving(entry)) return;
  const auto at = may_leave_together(entry.victims);
  if (!at) return;
  if (*at > now) return plan_not_before(*at);
  evict_now(entry);
}

void ResidencyMachine::Impl::evict_now(Entry& entry) {
  for (Entry* victim : entry.victims) {
    if (is_leaving(*victim)) continue;
    const std::string_view why = is_group_mate(entry, *victim) ? msg::kSameGroup
                                 : !entry.alone_on.empty()     ? msg::kRetryAlone
                                                               : msg::kCheapestToLose;
    tell(*victim, fmt::format(msg::kLeavesForModel, entry.spec.name, why));
    begin_leave(*victim, LeavesFor::room);
  }
  if (entry.committed == 0 && !entry.victims.empty()) entry.committed = ++commitments;
}

// Evictions that were begun for nobody any more.
void ResidencyMachine::Impl::reopen_needless() {
  std::set<const Entry*> needed;
  for (const auto& [name, entry] : models)
    if (is_wanted(entry) && !is_coming(entry))
      needed.insert(entry.victims.begin(), entry.victims.end());
  for (auto& [name, entry] : models) {
    if (entry.state != Residency::draining || needed.contains(&entry) || entry.is_cut) continue;
    const bool asked_again =
        (entry.leaves_for == LeavesFor::ttl || entry.leaves_for == LeavesFor::policy) &&
        !entry.queue.empty();
    if (entry.leaves_for == LeavesFor::room || asked_again) reopen(entry);
  }
}

}  // namespace estiva::decide
