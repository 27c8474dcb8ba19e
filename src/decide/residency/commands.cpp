// A person's words, what was learned, and what was found.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_residency.h"
#include "decide/residency/machine.h"

namespace estiva::decide {

using namespace residency;

namespace {

// `from` with all that only says how a model is treated taken from `treatment`.
ModelSpec treated_as(ModelSpec from, const ModelSpec& treatment) {
  from.aliases = treatment.aliases;
  from.host_memory = treatment.host_memory;
  from.policy = treatment.policy;
  from.pinned = treatment.pinned;
  from.preload = treatment.preload;
  from.priority = treatment.priority;
  from.group = treatment.group;
  from.may_sleep = treatment.may_sleep;
  from.may_checkpoint = treatment.may_checkpoint;
  from.ttl = treatment.ttl;
  from.quantum = treatment.quantum;
  from.drain = treatment.drain;
  from.load_limit = treatment.load_limit;
  from.stop_limit = treatment.stop_limit;
  from.wait_limit = treatment.wait_limit;
  from.parallel = treatment.parallel;
  from.queue_limit = treatment.queue_limit;
  return from;
}

}  // namespace

void ResidencyMachine::Impl::on(const Adopted& event) {
  Entry* entry = find(event.model);
  if (!entry || (entry->state != Residency::absent && entry->state != Residency::failed)) return;
  entry->preload_wanted = false;
  if (event.asleep) return become(*entry, Residency::sleeping);
  entry->opened_at = now;
  entry->in_flight = event.in_flight;
  if (event.in_flight > 0) entry->last_used = now;
  open(*entry);
}

void ResidencyMachine::Impl::on(const Overcommitted& event) {
  if (event.over)
    overcommitted.erase(event.device);
  else
    overcommitted.insert(event.device);
}

void ResidencyMachine::Impl::on(const Learned& event) {
  if (Entry* entry = find(event.model)) entry->learned = event;
}

void ResidencyMachine::Impl::on(const Unload& event) {
  Entry* entry = find(event.model);
  if (!entry) return;
  entry->preload_wanted = false;
  if (entry->state == Residency::resident || entry->state == Residency::draining ||
      is_asleep(*entry))
    return begin_leave(*entry, LeavesFor::person);
  // Also what is still to come: whoever waits for it is told.
  refuse_all(*entry,
             {0, ErrorKind::refused, fmt::format(msg::kUnloadedByHand, entry->spec.name), {}, {}});
}

void ResidencyMachine::Impl::on(const Pin& event) {
  if (Entry* entry = find(event.model)) entry->pin_set = event.pinned;
}

void ResidencyMachine::Impl::on(const SetPolicy& event) {
  Entry* entry = find(event.model);
  if (!entry) return;
  entry->policy_set = event.policy;
  if (event.policy == ResidencyPolicy::always_unload && is_idle(*entry) && entry->has_served)
    begin_leave(*entry, LeavesFor::policy);
}

void ResidencyMachine::Impl::on(const Pause& event) {
  paused[event.device] = event.until;
}

void ResidencyMachine::Impl::on(const Resume& event) {
  const auto found = paused.find(event.device);
  if (found != paused.end()) paused.erase(found);
  for (auto& [name, entry] : models)
    if (entry.state == Residency::draining && entry.leaves_for == LeavesFor::pause)
      entry.leaves_for = LeavesFor::room;  // as one that nobody needs to leave any more
}

bool ResidencyMachine::Impl::is_paused(std::string_view device) const {
  return !paused.empty() && (paused.contains(std::string_view()) || paused.contains(device));
}

// What only concerns its treatment is in force at once, the rest from its next load on.
void ResidencyMachine::Impl::change_spec(Entry& entry, ModelSpec spec) {
  if (spec.policy != entry.spec.policy) entry.policy_set.reset();
  if (spec.pinned != entry.spec.pinned) entry.pin_set.reset();
  entry.spec = treated_as(std::move(entry.spec), spec);
  entry.next_spec.reset();
  if (entry.spec == spec) return;
  entry.learned = {};
  entry.raised = {};
  entry.failures = 0;
  entry.next_spec = std::move(spec);
  if (entry.state == Residency::failed) entry.retry_at = now;
  if (entry.state == Residency::absent || entry.state == Residency::failed) {
    entry.spec = *std::exchange(entry.next_spec, std::nullopt);
  } else if (is_asleep(entry)) {
    tell(entry, std::string(msg::kLeavesChanged));
    leave(entry, Leaving::stop);
  }
}

void ResidencyMachine::Impl::remove_model(Entry& entry) {
  entry.removed = true;
  entry.pin_set.reset();  // if it comes back its own words count
  entry.policy_set.reset();
  entry.preload_wanted = false;
  refuse_all(entry,
             {0, ErrorKind::not_found, fmt::format(msg::kModelRemoved, entry.spec.name), {}, {}});
  if (entry.state == Residency::resident || entry.state == Residency::draining || is_asleep(entry))
    begin_leave(entry, LeavesFor::removed);
}

void ResidencyMachine::Impl::on(const Configured& event) {
  std::set<std::string_view> names;
  for (const ModelSpec& spec : event.models) names.insert(spec.name);
  std::vector<Entry*> gone;
  for (auto& [name, entry] : models)
    if (!names.contains(name)) gone.push_back(&entry);
  for (Entry* entry : gone) {
    remove_model(*entry);
    if (entry->state == Residency::absent || entry->state == Residency::failed)
      become_absent(*entry);
  }
  for (const ModelSpec& spec : event.models) {
    Entry* entry = find(spec.name);
    if (entry) {
      entry->removed = false;
      change_spec(*entry, spec);
    } else {
      Entry& added = models[spec.name];
      added.preload_wanted = spec.preload;
      added.spec = spec;
    }
  }
}

}  // namespace estiva::decide
