// The gateway and its clients: it admits to open models by itself, and tells what it does a little
// later.
#include <algorithm>
#include <fmt/format.h>

#include "residency/machine_room.h"

namespace estiva::residency_test {

using namespace decide;
using namespace decide::residency;

namespace {

// From an effect to its first consequence, and from a change in the gateway to its report.
constexpr Nanoseconds kMessage = milliseconds(1);

}  // namespace

void MachineRoom::on(const Open& effect) {
  Engine& e = engine(effect.model);
  if (!e.running || e.asleep) violated(effect.model + " is opened and does not run");
  if (e.open) violated(effect.model + " is opened twice");
  e.open = true;
  e.cut_at.reset();
  ++e.generation;
  after(kMessage, [this, name = effect.model, generation = e.generation] {
    Engine& engine = this->engine(name);
    if (!engine.open || engine.generation != generation) return;
    for (const Ticket ticket : std::exchange(engine.waiting, {})) {
      Request& request = requests_[ticket];
      if (request.is_open() && !request.wants_load) begin(engine, request);
    }
  });
}

void MachineRoom::on(const Close& effect) {
  Engine& e = engine(effect.model);
  if (!e.open) violated(effect.model + " is closed twice");
  e.open = false;
  const std::uint64_t generation = ++e.generation;
  after(kMessage, [this, name = effect.model, generation] {
    Engine& engine = this->engine(name);
    if (engine.generation != generation) return;
    step(Closed{name, static_cast<std::uint32_t>(engine.in_flight.size())});
    // Those that were to be admitted when it closed ask anew.
    for (const Ticket ticket : std::exchange(engine.waiting, {})) {
      const Request& request = requests_[ticket];
      if (!request.is_open()) continue;
      engine.waiting.push_back(ticket);
      step(Arrived{ticket, name, 0, request.wants_load});
    }
    note_bounds();
  });
}

void MachineRoom::on(const Cut& effect) {
  Engine& e = engine(effect.model);
  e.cut_at = now_;
  after(kMessage, [this, name = effect.model] {
    for (const Ticket ticket : std::set<Ticket>(engine(name).in_flight)) {
      requests_[ticket].is_cut = true;
      end(name, ticket);
    }
  });
}

void MachineRoom::begin(Engine& e, Request& request) {
  request.began = now_;
  longest_wait_ = std::max(longest_wait_, now_ - request.arrived);
  e.in_flight.insert(request.ticket);
  ++e.began;
  report_use(e);
  after(request.takes,
        [this, name = request.model, ticket = request.ticket] { end(name, ticket); });
}

void MachineRoom::end(const std::string& name, Ticket ticket) {
  Engine& e = engine(name);
  if (e.in_flight.erase(ticket) == 0) return;
  Request& request = requests_[ticket];
  (request.is_cut ? request.gone : request.ended) = now_;
  if (!keep_requests) requests_.erase(ticket);
  report_use(e);
}

void MachineRoom::report_use(Engine& e) {
  after(kMessage, [this, &e] {
    step(Busy{e.spec.name, static_cast<std::uint32_t>(e.in_flight.size()), e.began});
  });
}

Ticket MachineRoom::ask(const std::string& name, Nanoseconds takes, int priority) {
  const Ticket ticket = next_ticket_++;
  Request& request = requests_[ticket];
  request.ticket = ticket;
  request.model = name;
  request.arrived = now_;
  request.takes = takes;
  const auto found = engines_.find(name);
  if (found != engines_.end() && found->second.open && found->second.waiting.empty()) {
    begin(found->second, request);
    return ticket;
  }
  if (found != engines_.end()) found->second.waiting.push_back(ticket);
  if (found != engines_.end() && found->second.open) return ticket;
  step(Arrived{ticket, name, priority, false});
  note_bounds();
  return ticket;
}

Ticket MachineRoom::want_load(const std::string& name) {
  const Ticket ticket = next_ticket_++;
  Request& request = requests_[ticket];
  request.ticket = ticket;
  request.model = name;
  request.arrived = now_;
  request.wants_load = true;
  step(Arrived{ticket, name, 0, true});
  note_bounds();
  return ticket;
}

// Each ticket's bound is asked for once, and may not change.
void MachineRoom::note_bounds() {
  const Ticket ticket = next_ticket_ - 1;
  const auto found = requests_.find(ticket);
  if (found == requests_.end() || !found->second.is_open() || found->second.began) return;
  if (const auto view = machine_.explain(ticket, now_, ledger_)) found->second.bound = view->bound;
}

void MachineRoom::hang_up(Ticket ticket) {
  const auto found = requests_.find(ticket);
  if (found == requests_.end() || !found->second.is_open()) return;
  Request& request = found->second;
  Engine& e = engine(request.model);
  if (request.began) {
    request.is_cut = true;
    return end(request.model, ticket);
  }
  request.gone = now_;
  std::erase(e.waiting, ticket);
  step(Left{ticket});
}

void MachineRoom::on(const Refuse& effect) {
  const auto found = requests_.find(effect.ticket);
  if (found == requests_.end() || !found->second.is_open())
    return violated(fmt::format("ticket {} is answered twice: {}", effect.ticket, effect.why));
  Request& request = found->second;
  request.refusal = effect;
  request.gone = now_;
  if (effect.why.empty()) violated("a refusal says nothing");
  if (const auto e = engines_.find(request.model); e != engines_.end())
    std::erase(e->second.waiting, effect.ticket);
}

void MachineRoom::on(const Done& effect) {
  Request& request = requests_.at(effect.ticket);
  if (!request.is_open()) violated(fmt::format("ticket {} is answered twice", effect.ticket));
  request.is_done = true;
  request.ended = now_;
}

void MachineRoom::on(const Told& effect) {
  if (told_.size() < kMostTold) told_.push_back(effect.model + ": " + effect.what);
}

bool MachineRoom::was_told(std::string_view part) const {
  return std::any_of(told_.begin(), told_.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace estiva::residency_test
