#include "daemon/residents.h"

#include <fmt/format.h>
#include <utility>

#include "base/log.h"
#include "base/messages/api_models.h"
#include "daemon/keeper.h"
#include "decide/residency/host_ram.h"
#include "format/text.h"
#include "store/store.h"

namespace estiva::daemon {

namespace r = decide::residency;

namespace {

decide::ResidencySettings settings_of(const format::ResidencySettings& settings) {
  decide::ResidencySettings out;
  out.default_ttl = settings.ttl;
  out.host_budget = settings.host_memory.value_or(Bytes{});
  return out;
}

// What ran before is looked for first; until then it is not loaded a second time.
std::vector<ModelSpec> to_begin_with(const Residents::Parts& parts) {
  std::vector<ModelSpec> specs = parts.models;
  for (ModelSpec& spec : specs) {
    if (parts.store.opened().notes.contains(engine_note(spec.name))) spec.preload = false;
  }
  return specs;
}

int status_of(ErrorKind kind) {
  // What HTTP's clients expect of a server that has no room now: try later.
  return kind == ErrorKind::no_room ? 503 : http_status(kind);
}

}  // namespace

Residents::Residents(Parts parts)
    : parts_(std::move(parts)),
      machine_(settings_of(parts_.settings), to_begin_with(parts_)),
      // Rises across restarts of the daemon within one boot, so that an old opening is never taken
      // for a new one.
      generation_(static_cast<std::uint64_t>(steady_now().ns)),
      moved_(parts_.loop),
      inbox_(std::make_shared<Inbox>(&parts_.loop)) {
  for (const ModelSpec& spec : parts_.models) add(spec);
}

Residents::~Residents() {
  inbox_->close();
}

void Residents::add(const ModelSpec& spec) {
  One& one = models_[spec.name];
  one.spec = spec;
  one.engine = parts_.make_engine(spec, engine_parts());
}

engines::EngineParts Residents::engine_parts() {
  return engines::EngineParts{
      parts_.loop,
      parts_.root,
      parts_.boot_id,
      parts_.state_dir,
      parts_.docker_host,
      parts_.simulated,
      [this](const std::string& model, const std::string& why) { engine_ended(model, why); },
      [this](const std::string& model, std::string record, std::function<void()> then) {
        keep_record(model, std::move(record), std::move(then));
      },
      parts_.launcher};
}

void Residents::start(const std::map<std::string, std::string>& notes) {
  for (auto& [name, one] : models_) {
    if (const auto note = notes.find(learned_note(name)); note != notes.end()) {
      one.learned = read_learned(note->second);
    }
  }
  ++adopting_;  // of this function: nothing is decided before all were looked for
  recall_words(notes);
  for (const auto& [name, text] : notes) {
    const auto model = model_of_engine_note(name);
    const auto note = read_engine_note(text);
    if (!model || !note) continue;
    ++adopting_;
    if (One* one = find(*model)) one->is_noted = true;
    parts_.loop.spawn(find(*model) != nullptr ? adopt(*model, *note)
                                              : stop_stranger(*model, *note));
  }
  for (const auto& [name, one] : models_) {
    ++adopting_;
    parts_.loop.spawn(probe(name));
  }
  --adopting_;
  feed(r::Tick{});
}

// What people said to an earlier daemon, where the configuration has not changed its mind since.
void Residents::recall_words(const std::map<std::string, std::string>& notes) {
  for (auto& [name, one] : models_) {
    const auto note = notes.find(said_note(name));
    if (note == notes.end()) continue;
    const SaidOfModel said = read_said(note->second, one.spec);
    one.policy_said = said.policy;
    one.pin_said = said.pinned;
    if (said.policy) feed(r::SetPolicy{name, *said.policy});
    if (said.pinned) feed(r::Pin{name, *said.pinned});
  }
}

void Residents::keep_words(const One& one) {
  const ModelSpec& spec = one.next ? *one.next : one.spec;
  const SaidOfModel said{one.policy_said, one.pin_said, spec.policy, spec.pinned};
  parts_.store.submit(store::Write::note(said_note(spec.name), to_text(said)),
                      [](const Result<store::Durable>&) {});
}

// ---- events, one after the other ----------------------------------------------------------------

void Residents::feed(r::Event event) {
  events_.push_back(std::move(event));
  if (!working_) work();
}

void Residents::work() {
  if (adopting_ > 0) return;
  working_ = true;
  while (!events_.empty()) {
    const r::Event event = std::move(events_.front());
    events_.pop_front();
    const SteadyTime now = steady_now();
    tally_.take(event, now);
    for (const r::Effect& effect : machine_.step(event, now, parts_.keeper.ledger())) {
      tally_.take(effect, now);
      std::visit([this](const auto& wanted) { run(wanted); }, effect);
    }
  }
  working_ = false;
  close_what_is_gone();
  arm();
  if (has_news_) renew_all();
  moved_.notify_all();
}

// What a gateway admits to since before us, and was not found alive.
void Residents::close_what_is_gone() {
  for (const auto& [name, open] : std::exchange(told_open_, {})) {
    gateway_->send(api::CloseModel{name, open.generation, std::string(msg::kModelLeft)});
  }
}

void Residents::looked_at_one() {
  --adopting_;
  if (!working_) work();
}

void Residents::arm() {
  const auto at = machine_.next_at();
  if (at && at == armed_for_) return;
  timer_.reset();
  armed_for_ = at;
  if (!at) return;
  const Nanoseconds delay = std::max(*at - steady_now(), Nanoseconds(std::chrono::milliseconds(1)));
  timer_ = parts_.loop.every(delay, [this, alive = std::weak_ptr<bool>(alive_)] {
    // Posted, so that the timer is not destroyed from inside its own call.
    parts_.loop.post([this, alive] {
      if (alive.expired()) return;
      armed_for_.reset();
      feed(r::Tick{});
    });
  });
}

// ---- the gateway --------------------------------------------------------------------------------

void Residents::gateway_came(const api::Hello& hello) {
  told_open_.clear();
  from_gateway_.clear();
  to_gateway_.clear();
  send_routes();
  for (const api::Hello::Model& open : hello.open) {
    One* one = find(open.model);
    if (one != nullptr && one->is_open) {
      one->generation = open.generation;  // its streams go on
      feed(r::Busy{open.model, open.in_flight, 0});
    } else if (one != nullptr && adopting_ > 0) {
      told_open_[open.model] = open;  // it may be found alive
    } else {
      gateway_->send(api::CloseModel{open.model, open.generation, std::string(msg::kModelLeft)});
    }
  }
  for (auto& [name, one] : models_) {
    one.served = 0;
    const bool knows = std::any_of(hello.open.begin(), hello.open.end(),
                                   [&](const auto& open) { return open.model == name; });
    if (one.is_open && !knows) send_open(name, one);
  }
}

// Its connections to the models ended with it, and so did the clients that waited.
void Residents::gateway_went() {
  for (const auto& [ticket, theirs] : std::exchange(to_gateway_, {})) feed(r::Left{ticket});
  from_gateway_.clear();
  for (const auto& [name, one] : models_) feed(r::Busy{name, 0, one.served});
}

decide::Ticket Residents::ticket_of_gateway(const api::WantModel& want) {
  const decide::Ticket ticket = next_ticket_++;
  from_gateway_[want.ticket] = ticket;
  to_gateway_[ticket] = {want.ticket, want.model};
  return ticket;
}

// Its model is open: the gateway serves them, and they wait no more.
void Residents::forget_tickets_of(const std::string& model) {
  std::erase_if(to_gateway_, [&](const auto& item) {
    if (item.second.model != model) return false;
    from_gateway_.erase(item.second.theirs);
    return true;
  });
}

void Residents::take(const api::FromGateway& message) {
  if (const auto* hello = std::get_if<api::Hello>(&message)) return gateway_came(*hello);
  if (const auto* want = std::get_if<api::WantModel>(&message)) {
    r::Arrived arrived;
    arrived.ticket = ticket_of_gateway(*want);
    arrived.model = want->model;
    arrived.priority = want->priority;
    return feed(std::move(arrived));
  }
  if (const auto* left = std::get_if<api::LeaveQueue>(&message)) {
    const auto known = from_gateway_.find(left->ticket);
    if (known == from_gateway_.end()) return;
    const decide::Ticket ticket = known->second;
    from_gateway_.erase(known);
    to_gateway_.erase(ticket);
    return feed(r::Left{ticket});
  }
  if (const auto* use = std::get_if<api::UseOfModel>(&message)) {
    One* one = find(use->model);
    if (one == nullptr || use->generation != one->generation) return;
    one->served = use->began;
    return feed(r::Busy{use->model, use->in_flight, use->began});
  }
  if (const auto* closed = std::get_if<api::ClosedModel>(&message)) {
    One* one = find(closed->model);
    if (one == nullptr || closed->generation != one->generation) return;
    return feed(r::Closed{closed->model, closed->in_flight});
  }
}

void Residents::send_routes() {
  if (gateway_ == nullptr) return;
  api::Routes routes;
  for (const auto& [name, one] : models_) {
    if (manages(name)) continue;  // nobody sends it requests
    api::Route route;
    route.model = name;
    route.aliases = one.spec.aliases;
    route.engine = to_name(one.spec.engine);
    route.upstream_model = one.spec.model;
    route.parallel = one.spec.parallel;
    route.queue_limit = one.spec.queue_limit;
    route.drain_ns = static_cast<std::uint64_t>(one.spec.drain.count());
    routes.routes.push_back(std::move(route));
  }
  if (parts_.add_access) parts_.add_access(routes);
  gateway_->send(routes);
}

void Residents::send_open(const std::string& model, const One& one) {
  if (gateway_ == nullptr || !one.running || manages(model)) return;
  gateway_->send(api::OpenModel{model, one.generation, net::to_text(one.running->endpoint),
                                one.running->path_prefix, one.running->bearer});
}

// ---- what the ledger shows ----------------------------------------------------------------------

void Residents::look_at_ledger() {
  const decide::Ledger& ledger = parts_.keeper.ledger();
  for (auto& [name, one] : models_) {
    if (!one.leaves.empty() && ledger.find(one.leaves) == nullptr) {
      one.leaves.clear();
      feed(r::Released{name, false});
    }
    if (one.running) measure(name, one);
  }
  std::set<std::string> now;
  for (std::string& device : ledger.overcommitted()) now.insert(std::move(device));
  for (const std::string& device : now) {
    if (!overcommitted_.contains(device)) feed(r::Overcommitted{device, false});
  }
  for (const std::string& device : overcommitted_) {
    if (!now.contains(device)) feed(r::Overcommitted{device, true});
  }
  overcommitted_ = std::move(now);
  // What was given back counts once a later reading shows it free.
  const bool is_new = ledger.read_at() != read_at_;
  read_at_ = ledger.read_at();
  if (is_new && !(to_gateway_.empty() && waits_.empty())) feed(r::Tick{});
}

// Only what changes something is told: a tenth more or less of the RAM, or another source of power.
void Residents::take_host(const Reading<HostMemory>& memory, bool on_battery) {
  if (on_battery != on_battery_) {
    on_battery_ = on_battery;
    feed(r::DefaultTtl{on_battery ? parts_.settings.battery_ttl : parts_.settings.ttl});
  }
  if (parts_.settings.host_memory || !memory) return;
  const Bytes budget = decide::sleepers_budget(*memory, machine_.sleeping_bytes());
  const bool is_much_more = budget > host_budget_ + Bytes{host_budget_.value / 10};
  const bool is_much_less = budget + Bytes{host_budget_.value / 10} < host_budget_;
  if (!is_much_more && !is_much_less) return;
  host_budget_ = budget;
  feed(r::HostBudget{budget});
}

// A larger peak than any before is charged by the ledger at once; the next load asks for it.
void Residents::measure(const std::string& model, One& one) {
  const decide::LeaseEntry* entry = parts_.keeper.ledger().find(one.lease);
  if (entry == nullptr) return;
  Bytes most;
  for (const decide::Use& use : entry->uses) {
    most = std::max(most, use.measured);
    tally_.measured(model, use.declared, use.measured);
  }
  if (most <= one.learned.peak) return;
  one.learned.peak = most;
  tell_learned(model, one);
}

void Residents::tell_learned(const std::string& model, One& one) {
  r::Learned learned;
  learned.model = model;
  if (one.learned.peak > Bytes{}) {
    learned.need = one.learned.peak;
  } else if (!one.spec.vram) {
    // Nobody knows: the first time it has a GPU to itself, and what it takes is remembered.
    learned.need = one.facts.estimate ? *one.facts.estimate : whole_gpu();
  }
  learned.load = median_of(one.learned.load);
  learned.unload = median_of(one.learned.unload);
  learned.wake = median_of(one.learned.wake);
  learned.sleep = median_of(one.learned.sleep);
  learned.can_sleep = one.facts.can_sleep;
  learned.can_checkpoint = one.facts.can_checkpoint;
  feed(std::move(learned));
}

Bytes Residents::whole_gpu() const {
  Bytes most;
  for (const decide::GpuAccount& account : parts_.keeper.ledger().accounts()) {
    const Bytes taken = account.foreign_held + parts_.keeper.ledger().policy().margin;
    if (account.capacity > taken) most = std::max(most, account.capacity - taken);
  }
  return most;
}

void Residents::remember(const std::string& model, const One& one) {
  parts_.store.submit(store::Write::note(learned_note(model), to_text(one.learned)),
                      [](const Result<store::Durable>&) {});
}

void Residents::keep_record(const std::string& model, std::string record,
                            std::function<void()> then) {
  One* one = find(model);
  if (one == nullptr) return;
  one->record = std::move(record);
  EngineNote note{std::string(to_name(one->spec.engine)), one->spec.container, one->lease,
                  one->record};
  const std::string text = one->record.empty() ? std::string() : to_text(note);
  parts_.store.submit(store::Write::note(engine_note(model), text),
                      [model, then = std::move(then)](const Result<store::Durable>& saved) {
                        if (!saved) {
                          // It is not let go: a restart would not find it again.
                          log(LogLevel::error, "an engine's record could not be written down",
                              {{"model", model}, {"error", saved.error().what}});
                          return;
                        }
                        if (then) then();
                      });
}

void Residents::engine_ended(const std::string& model, const std::string& why) {
  One* one = find(model);
  if (one == nullptr) return;
  log(LogLevel::warning, "a model's engine ended by itself", {{"model", model}, {"why", why}});
  one->running.reset();
  one->is_open = false;
  keep_record(model, {}, {});
  feed(r::Died{model, why});
  parts_.loop.spawn(give_back(model));
}

Residents::One* Residents::find(const std::string& model) {
  const auto found = models_.find(model);
  return found == models_.end() ? nullptr : &found->second;
}

const Residents::One* Residents::find(const std::string& model) const {
  const auto found = models_.find(model);
  return found == models_.end() ? nullptr : &found->second;
}

void Residents::run(const r::Refuse& effect) {
  const std::string& remedy = effect.remedy;
  if (const auto known = to_gateway_.find(effect.ticket); known != to_gateway_.end()) {
    api::RefuseTicket refuse{known->second.theirs, status_of(effect.kind), effect.why, remedy, {}};
    if (effect.retry_after) {
      refuse.retry_after_seconds = std::chrono::duration<double>(*effect.retry_after).count();
    }
    from_gateway_.erase(known->second.theirs);
    to_gateway_.erase(known);
    if (gateway_ != nullptr) gateway_->send(refuse);
    return;
  }
  end_want(effect.ticket);
  end_wait(effect.ticket, fail(effect.kind, effect.why, remedy));
}

void Residents::run(const r::Done& effect) {
  end_want(effect.ticket);
  end_wait(effect.ticket, {});
}

void Residents::run(const r::Told& effect) {
  log(LogLevel::info, "residency", {{"model", effect.model}, {"what", effect.what}});
  parts_.store.submit(store::Write::event(effect.model, effect.what),
                      [](const Result<store::Durable>&) {});
}

void Residents::end_wait(decide::Ticket ticket, Result<void> outcome) {
  const auto found = waits_.find(ticket);
  if (found == waits_.end()) return;
  found->second->outcome = std::move(outcome);
  found->second->ended.notify_all();
}

}  // namespace estiva::daemon
