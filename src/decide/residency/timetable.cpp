// List scheduling of all that wait on the GPUs that they may use.
#include "decide/residency/timetable.h"

#include <algorithm>

#include "decide/placement/selector.h"

namespace estiva::decide::residency {

Timetable::Timetable(const Ledger& ledger, const Models& models, const std::vector<Lag>& lags,
                     Pace pace, SteadyTime now)
    : ledger_(ledger), pace_(pace), now_(now) {
  const Freed credits = credits_of(ledger);
  const Freed leaving = leaving_of(ledger, models, lags);
  for (std::uint32_t i = 0; i < ledger.accounts().size(); ++i) {
    Gpu gpu{i, now, room_on(ledger, i, credits), room_on(ledger, i, leaving)};
    if (gpu.room_then > gpu.room_now) gpu.free_at = now + kReleaseLag;
    gpus_.push_back(gpu);
  }
  for (const auto& [name, entry] : models) occupy(entry);
}

// What is in, or coming in, or leaving.
void Timetable::occupy(const Entry& entry) {
  if (entry.state == Residency::absent || entry.state == Residency::failed || !uses_gpus(entry))
    return;
  const SteadyTime gone_at = now_ + way_out(entry, pace_, now_);
  if (!entry.spec.group.empty() && !is_asleep(entry)) {
    SteadyTime& group = groups_[entry.spec.group];
    group = std::max(group, gone_at);
  }
  const bool unseen = entry.state == Residency::reserving && !ledger_.find_model(entry.spec.name);
  for (const Holding& held : holdings_of(entry, ledger_)) {
    Gpu& gpu = gpus_[held.account];
    if (unseen) gpu.room_now -= held.bytes;
    if (is_pinned(entry) && !is_leaving(entry)) {
      if (unseen) gpu.room_then -= held.bytes;
      continue;
    }
    gpu.free_at = std::max(gpu.free_at, gone_at);
    if (!leaves_for_sure(entry) && !unseen) gpu.room_then += held.bytes;
  }
}

std::vector<Timetable::Gpu*> Timetable::allowed(const Entry& entry, Bytes need) {
  const LeaseEntry* lease = is_asleep(entry) ? ledger_.find_model(entry.spec.name) : nullptr;
  std::vector<std::uint32_t> named;
  if (lease)
    for (const Use& use : lease->uses) named.push_back(use.account);
  else if (entry.claim.empty() && !is_auto(entry.spec.gpu))
    named = find_gpus(ledger_.accounts(), entry.spec.gpu);
  // What was planned for it holds as long as nothing better comes.
  for (const Holding& claimed : as_holdings(ledger_, entry.claim)) named.push_back(claimed.account);
  const bool any = !lease && entry.claim.empty() && is_auto(entry.spec.gpu);
  std::vector<Gpu*> usable;
  for (Gpu& gpu : gpus_) {
    const bool meant = any || std::find(named.begin(), named.end(), gpu.account) != named.end();
    if (meant && takes_more(ledger_.accounts()[gpu.account]) &&
        std::max(gpu.room_now, gpu.room_then) >= need)
      usable.push_back(&gpu);
  }
  return usable;
}

SteadyTime Timetable::group_free_at(const Entry& entry) const {
  const auto group = groups_.find(entry.spec.group);
  return entry.spec.group.empty() || group == groups_.end() ? now_ : group->second;
}

std::optional<SteadyTime> Timetable::book(const Entry& entry) {
  const Nanoseconds load = load_time(entry, pace_);
  if (!uses_gpus(entry)) return now_ + load;
  const auto need = need_of(entry);
  if (!need) return std::nullopt;
  auto gpus = allowed(entry, *need);
  const std::size_t count = std::max(1U, entry.spec.gpus);
  if (gpus.size() < count) return std::nullopt;
  // Where there is room now that one comes first; else the one that is free first.
  const auto start_on = [&](const Gpu& gpu) { return gpu.room_now >= *need ? now_ : gpu.free_at; };
  std::stable_sort(gpus.begin(), gpus.end(),
                   [&](const Gpu* a, const Gpu* b) { return start_on(*a) < start_on(*b); });
  SteadyTime start = std::max(now_, group_free_at(entry));
  if (is_leaving(entry)) start = std::max(start, now_ + way_out(entry, pace_, now_));
  for (std::size_t i = 0; i < count; ++i) start = std::max(start, start_on(*gpus[i]));
  const SteadyTime loaded = start + load;
  const SteadyTime gone =
      loaded + quantum_of(entry) + drain_time(entry, pace_) + unload_time(entry, pace_);
  for (std::size_t i = 0; i < count; ++i) {
    gpus[i]->free_at = std::max(gpus[i]->free_at, gone);
    gpus[i]->room_now -= *need;
  }
  if (!entry.spec.group.empty()) groups_[entry.spec.group] = gone;
  return loaded;
}

}  // namespace estiva::decide::residency
