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
constexpr std::size_t kMostTold = 10'000;

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
    const std::size_t in_flight = bug_ == Bug::closed_too_early ? 0 : engine.in_flight.size();
    step(Closed{name, static_cast<std::uint32_t>(in_flight)});
    // Those that were to be admitted when it closed ask anew.
    for (const Ticket ticket : std::exchange(engine.waiting, {})) {
      const Request& request = requests_[ticket];
      if (!request.is_open()) continue;
      engine.waiting.push_back(ticket);
      arrive(ticket);
    }
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
  if (request.bound != SteadyTime{} && now_ > request.bound + 2 * kMessage)
    violated(fmt::format("ticket {} was served {} ms after its bound", request.ticket,
                         (now_ - request.bound).count() / 1'000'000));
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
  request.priority = priority;
  const auto found = engines_.find(name);
  if (found != engines_.end() && found->second.open && found->second.waiting.empty()) {
    begin(found->second, request);
    return ticket;
  }
  if (found != engines_.end()) found->second.waiting.push_back(ticket);
  if (found != engines_.end() && found->second.open) return ticket;
  arrive(ticket);
  return ticket;
}

Ticket MachineRoom::want_load(const std::string& name) {
  const Ticket ticket = next_ticket_++;
  Request& request = requests_[ticket];
  request.ticket = ticket;
  request.model = name;
  request.arrived = now_;
  request.wants_load = true;
  arrive(ticket);
  return ticket;
}

// Its bound is asked for once, and has to hold.
void MachineRoom::arrive(Ticket ticket) {
  const Request& request = requests_.at(ticket);
  step(Arrived{ticket, request.model, request.priority, request.wants_load});
  const auto found = requests_.find(ticket);
  if (found == requests_.end() || !found->second.is_open()) return;
  const auto view = machine_.explain(ticket, now_, ledger_);
  if (view) found->second.bound = view->bound;
  if (view && view->why.empty()) violated("nobody can say what a ticket waits for");
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
  if (bug_ != Bug::forgets_left) step(Left{ticket});
}

void MachineRoom::on(const Refuse& effect) {
  const auto found = requests_.find(effect.ticket);
  if (found == requests_.end() || !found->second.is_open())
    return violated(fmt::format("ticket {} is answered twice: {}", effect.ticket, effect.why));
  Request& request = found->second;
  ++refused_;
  request.refusal = effect;
  request.gone = now_;
  if (effect.kind == ErrorKind::timed_out) {
    ++timed_out_;
    if (now_ < request.bound) violated("a ticket timed out before its bound");
    if (now_ > request.bound + kMessage) violated("a ticket timed out long after its bound");
  }
  if (effect.why.empty()) violated("a refusal says nothing");
  if (const auto e = engines_.find(request.model); e != engines_.end())
    std::erase(e->second.waiting, effect.ticket);
  if (!keep_requests) requests_.erase(effect.ticket);
}

void MachineRoom::on(const Done& effect) {
  Request& request = requests_.at(effect.ticket);
  if (!request.is_open()) violated(fmt::format("ticket {} is answered twice", effect.ticket));
  request.is_done = true;
  request.ended = now_;
}

bool MachineRoom::is_pinned(const std::string& name) const {
  const auto set = pin_set_.find(name);
  return set != pin_set_.end() ? set->second : engine(name).spec.pinned;
}

bool MachineRoom::is_waited_for(std::string_view name) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const auto& request) {
    return request.second.model == name && request.second.is_open() && !request.second.began;
  });
}

void MachineRoom::on(const AskOthers& effect) {
  if (others && others(effect)) return;
  step(NobodyYields{effect.model});
}

void MachineRoom::on(const Told& effect) {
  constexpr std::string_view kFor = "leaves for ";
  if (effect.what.starts_with(kFor)) {
    ++evictions_;
    if (is_pinned(effect.model)) violated(effect.model + " is pinned and has to leave for another");
    const std::string beneficiary =
        effect.what.substr(kFor.size(), effect.what.find(':') - kFor.size());
    if (!is_waited_for(beneficiary))
      violated(fmt::format("{} {}, and nobody waits for that", effect.model, effect.what));
  }
  if (told_.size() < kMostTold) told_.push_back(effect.model + ": " + effect.what);
}

bool MachineRoom::was_told(std::string_view part) const {
  return std::any_of(told_.begin(), told_.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace estiva::residency_test
