// One step: the event, what is due by the clock, then a plan where one is called for.
#include "decide/residency/machine.h"

#include <algorithm>
#include <utility>

namespace estiva::decide {

using namespace residency;

ResidencyMachine::Impl::Impl(ResidencySettings s, std::vector<ModelSpec> specs)
    : settings(std::move(s)) {
  for (ModelSpec& spec : specs) {
    Entry& entry = models[spec.name];
    entry.preload_wanted = spec.preload;
    entry.spec = std::move(spec);
  }
}

ResidencyMachine::Impl::Effects ResidencyMachine::Impl::step(const Event& event, SteadyTime at,
                                                             const Ledger& as_is) {
  now = at;
  ledger = &as_is;
  effects.clear();
  // Use of a model is reported all the time, and mostly nobody waits.
  needs_plan = !std::holds_alternative<Busy>(event);
  std::visit([&](const auto& e) { on(e); }, event);
  if (due_at && *due_at <= now) on_time();
  if (needs_plan || (plan_at && *plan_at <= now)) plan();
  due_at = next_deadline();
  ledger = nullptr;
  return std::move(effects);
}

ResidencyMachine::Impl::Entry* ResidencyMachine::Impl::find(std::string_view model) {
  const auto found = models.find(model);
  return found == models.end() ? nullptr : &found->second;
}

void ResidencyMachine::Impl::become(Entry& entry, Residency state) {
  entry.state = state;
  entry.since = now;
  needs_plan = true;
}

void ResidencyMachine::Impl::tell(const Entry& entry, std::string what) {
  effects.push_back(Told{entry.spec.name, std::move(what)});
}

void ResidencyMachine::Impl::plan_not_before(SteadyTime at) {
  if (!plan_at || at < *plan_at) plan_at = at;
}

ResidencyMachine::ResidencyMachine(ResidencySettings settings, std::vector<ModelSpec> models)
    : impl_(std::make_unique<Impl>(std::move(settings), std::move(models))) {}
ResidencyMachine::~ResidencyMachine() = default;
ResidencyMachine::ResidencyMachine(ResidencyMachine&&) noexcept = default;
ResidencyMachine& ResidencyMachine::operator=(ResidencyMachine&&) noexcept = default;

std::vector<Effect> ResidencyMachine::step(const Event& event, SteadyTime now,
                                           const Ledger& ledger) {
  return impl_->step(event, now, ledger);
}

Bytes ResidencyMachine::sleeping_bytes() const {
  return impl_->ram_used();
}

std::optional<SteadyTime> ResidencyMachine::next_at() const {
  return impl_->due_at;
}

}  // namespace estiva::decide
