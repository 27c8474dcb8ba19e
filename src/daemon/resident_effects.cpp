// What takes time: the ledger's answer, an engine's start, its end, and the proof that its bytes
// are free. Each ends in an event for the machine.
#include <algorithm>
#include <fmt/format.h>

#include "api/backend.h"
#include "base/log.h"
#include "base/messages/api_models.h"
#include "daemon/keeper.h"
#include "daemon/model_file_need.h"
#include "daemon/residents.h"
#include "daemon/worker.h"
#include "store/store.h"

namespace estiva::daemon {

namespace r = decide::residency;

namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kFirstReading = 10s;
constexpr Nanoseconds kFileReading = 10s;

// Nothing of it is on a GPU of ours.
bool has_no_lease(const ModelSpec& spec) {
  return spec.engine == ModelEngine::remote;
}

// Started by us, and nobody else's to end. A container or a server of somebody else's runs on.
bool is_our_process(const ModelSpec& spec) {
  return spec.engine == ModelEngine::process || spec.engine == ModelEngine::llama_server ||
         spec.engine == ModelEngine::vllm;
}

engines::LoadTerms terms_of(const decide::Ledger& ledger, const std::string& lease) {
  engines::LoadTerms terms;
  terms.lease = lease;
  if (const decide::LeaseEntry* entry = ledger.find(lease)) {
    for (const Share& share : entry->lease.shares) {
      terms.gpus.push_back(share.device.key());
      terms.each = std::max(terms.each, share.bytes);
    }
  }
  return terms;
}

}  // namespace

void Residents::run(const r::Reserve& effect) {
  parts_.loop.spawn(reserve(effect.model, effect.shares));
}

net::Awaitable<void> Residents::reserve(std::string model,
                                        std::vector<decide::ShareWanted> shares) {
  One* one = find(model);
  if (one == nullptr) co_return;
  if (has_no_lease(one->spec)) co_return feed(r::Reserved{model});
  decide::AssignRequest request;
  request.model = model;
  request.shares = std::move(shares);
  request.requested_at = steady_now();
  request.wall = wall_now();
  api::AssignTerms terms;
  auto answer = co_await parts_.keeper.assign(std::move(request), std::move(terms));
  one = find(model);
  if (!answer) {
    feed(r::NotReserved{model, false, answer.error().sentence()});
  } else if (answer->refusal) {
    feed(r::NotReserved{model, answer->refusal->kind == ErrorKind::no_room,
                        answer->refusal->reason});
  } else if (one == nullptr) {  // its table left the configuration meanwhile
    (void)co_await parts_.keeper.release(model, answer->lease.id);
  } else {
    one->lease = answer->lease.id;
    feed(r::Reserved{model});
  }
}

void Residents::run(const r::Load& effect) {
  parts_.loop.spawn(begin(effect.model, effect.wake));
}

net::Awaitable<void> Residents::bind(std::string model, Holder holder) {
  const One* one = find(model);
  const decide::LeaseEntry* entry =
      one == nullptr ? nullptr : parts_.keeper.ledger().find(one->lease);
  if (entry == nullptr) co_return;
  decide::AssignRequest request;
  request.model = model;
  for (const Share& share : entry->lease.shares) {
    request.shares.push_back({share.device.key(), share.bytes});
  }
  request.holder = std::move(holder);
  request.requested_at = steady_now();
  request.wall = wall_now();
  api::AssignTerms terms;
  const auto answer = co_await parts_.keeper.assign(std::move(request), std::move(terms));
  if (answer && !answer->refusal) co_return;
  log(LogLevel::warning, "a model's lease could not be bound to its process",
      {{"model", model}, {"error", answer ? answer->refusal->reason : answer.error().sentence()}});
}

net::Awaitable<void> Residents::begin(std::string model, bool wakes) {
  One* one = find(model);
  if (one == nullptr) co_return;
  const SteadyTime began = steady_now();
  engines::LoadTerms terms = terms_of(parts_.keeper.ledger(), one->lease);
  terms.options = one->options;
  engines::Engine* engine = one->engine.get();
  // Named, and not built inside a co_await: GCC 12 destroys such a value twice.
  std::function<void(const Holder&)> started = [this, model](const Holder& holder) {
    if (!has_no_lease(find(model)->spec)) parts_.loop.spawn(bind(model, holder));
  };
  Result<engines::Running> running{engines::Running{}};
  if (wakes) {
    running = co_await engine->wake(std::move(terms));
  } else {
    running = co_await engine->load(std::move(terms), std::move(started));
  }
  one = find(model);
  if (one == nullptr) co_return;
  if (!running) {
    const Error& error = running.error();
    log(LogLevel::warning, "a model could not be loaded",
        {{"model", model}, {"error", error.sentence()}});
    keep_record(model, {}, {});
    if (error.kind == ErrorKind::no_room) ++one->ooms;
    feed(r::LoadFailed{model, error.kind == ErrorKind::no_room, error.kind == ErrorKind::refused,
                       error.sentence()});
    co_return;
  }
  one->running = std::move(*running);
  remember_time(wakes ? one->learned.wake : one->learned.load, steady_now() - began);
  tell_learned(model, *one);
  remember(model, *one);
  feed(r::Loaded{model});
  parts_.keeper.look_again();  // what it took is shown and learned now, not a second later
}

// Together with what of ours may leave for it.
void Residents::run(const r::AskOthers& effect) {
  std::vector<decide::Yielder> ours;
  for (const decide::ResidencyView& view : machine_.models()) {
    const One* one = find(view.spec->name);
    if (one != nullptr && !one->lease.empty() && !view.pinned) ours.push_back({one->lease, {}});
  }
  decide::AssignRequest request;
  request.model = effect.model;
  request.shares = effect.shares;
  request.requested_at = steady_now();
  if (parts_.make_room && parts_.make_room(request, std::move(ours))) return;
  feed(r::NobodyYields{effect.model});
}

void Residents::run(const r::Cancel& effect) {
  One* one = find(effect.model);
  if (one == nullptr) return;
  parts_.loop.spawn([](One* stopped) -> net::Awaitable<void> {
    (void)co_await stopped->engine->stop();  // load() then answers
  }(one));
}

void Residents::run(const r::Open& effect) {
  One* one = find(effect.model);
  if (one == nullptr) return;
  one->is_open = true;
  // Those who waited for it are served now.
  forget_tickets_of(effect.model);
  if (const auto told = told_open_.find(effect.model); told != told_open_.end()) {
    one->generation = told->second.generation;
    const std::uint32_t in_flight = told->second.in_flight;
    told_open_.erase(told);
    return feed(r::Busy{effect.model, in_flight, 0});
  }
  one->generation = ++generation_;
  one->served = 0;
  send_open(effect.model, *one);
}

void Residents::run(const r::Close& effect) {
  One* one = find(effect.model);
  if (one == nullptr) return;
  one->is_open = false;
  if (manages(effect.model)) {
    return feed(r::Closed{effect.model, machine_.find(effect.model)->in_flight});
  }
  if (gateway_ == nullptr || !gateway_->is_connected()) {
    return feed(r::Closed{effect.model, 0});
  }
  gateway_->send(api::CloseModel{effect.model, one->generation, std::string(msg::kModelLeft)});
}

void Residents::run(const r::Cut& effect) {
  const One* one = find(effect.model);
  if (one == nullptr || gateway_ == nullptr) return;
  gateway_->send(api::CutModel{effect.model, one->generation, effect.why});
}

void Residents::run(const r::Leave& effect) {
  parts_.loop.spawn(leave(effect.model, effect.how));
}

net::Awaitable<void> Residents::leave(std::string model, decide::Leaving how) {
  One* one = find(model);
  if (one == nullptr) co_return;
  const SteadyTime began = steady_now();
  if (how == decide::Leaving::sleep) {
    auto asleep = co_await one->engine->sleep();
    if (!asleep) co_return feed(r::SleepFailed{model, asleep.error().sentence()});
    tally_.engine_left(model, steady_now());
    remember_time(one->learned.sleep, steady_now() - began);
    co_await shrink(model);
    co_return feed(r::Released{model, true});
  }
  auto stopped = co_await one->engine->stop();
  if (!stopped) {
    log(LogLevel::error, "a model's engine does not end",
        {{"model", model}, {"error", stopped.error().sentence()}});
  }
  tally_.engine_left(model, steady_now());
  one->running.reset();
  keep_record(model, {}, {});
  remember_time(one->learned.unload, steady_now() - began);
  tell_learned(model, *one);
  remember(model, *one);
  co_await give_back(model);
}

// What stays on the GPU is charged as it is measured; a read that begins now shows how much that
// is.
net::Awaitable<void> Residents::shrink(std::string model) {
  const One* one = find(model);
  const decide::LeaseEntry* entry = parts_.keeper.ledger().find(one->lease);
  if (entry == nullptr) co_return;
  const std::vector<Bytes> none(entry->lease.shares.size(), Bytes{});
  (void)co_await parts_.keeper.shrink(one->lease, none);
}

void Residents::run(const r::Forgo& effect) {
  parts_.loop.spawn(give_back(effect.model));
}

// The lease ends; `Released` follows once the ledger has seen its bytes free.
net::Awaitable<void> Residents::give_back(std::string model) {
  One* one = find(model);
  if (one == nullptr) co_return;
  if (manages(model)) co_return co_await let_go(model);
  const std::string lease = std::exchange(one->lease, {});
  if (lease.empty()) co_return feed(r::Released{model, false});
  one->leaves = lease;
  if (auto released = co_await parts_.keeper.release(model, lease);
      !released && released.error().kind != ErrorKind::not_found) {
    log(LogLevel::error, "a model's lease could not be given back",
        {{"model", model}, {"error", released.error().sentence()}});
  }
  look_at_ledger();
}

// The first reading is waited for, so that nothing is refused only because the driver is not open
// yet.
bool Residents::knows_gpus() const {
  const decide::Ledger& ledger = parts_.keeper.ledger();
  return ledger.read_at() || ledger.driver().state != DriverState::initialising;
}

net::Awaitable<void> Residents::probe(std::string model) {
  const SteadyTime deadline = steady_now() + kFirstReading;
  while (!knows_gpus() && steady_now() < deadline) co_await parts_.loop.sleep(20ms);
  One* one = find(model);
  if (one != nullptr) {
    if (auto facts = co_await one->engine->probe()) {
      one->facts = std::move(*facts);
    } else {
      log(LogLevel::warning, "a model can't be loaded as things are",
          {{"model", model}, {"why", facts.error().sentence()}});
    }
    co_await estimate(model);
    one = find(model);
  }
  if (one != nullptr) {
    const std::string now =
        footprint_of(one->spec, one->facts.version, parts_.keeper.ledger().driver().version);
    if (one->learned.footprint != now) one->learned = LearnedModel{now, {}, {}, {}, {}, {}};
    tell_learned(model, *one);
    co_await take_over(model);
  }
  looked_at_one();
}

// Of one whose need nobody declared, from its file. Read by a thread of its own: the file may lie
// on a disk that hangs, and then it is as if it said nothing.
net::Awaitable<void> Residents::estimate(std::string model) {
  const ModelSpec spec = find(model)->spec;
  if (!is_estimated(spec)) co_return;
  struct Reading {
    explicit Reading(net::Loop& loop) : changed(loop) {}
    std::optional<Result<ModelFileNeed>> need;
    net::Notice changed;
  };
  const auto reading = std::make_shared<Reading>(parts_.loop);
  Worker worker;
  worker.try_run([root = &parts_.root, inbox = inbox_, spec, reading] {
    auto need = std::make_shared<Result<ModelFileNeed>>(read_model_file_need(*root, spec));
    inbox->post([reading, need] {
      reading->need = std::move(*need);
      reading->changed.notify_all();
    });
  });
  const SteadyTime deadline = steady_now() + kFileReading;
  while (!reading->need && steady_now() < deadline) (void)co_await reading->changed.wait(100ms);
  One* one = find(model);
  if (one == nullptr || !reading->need) co_return;
  if (!*reading->need) {
    log(LogLevel::info, "a model's need can't be told from its file",
        {{"model", model}, {"why", reading->need->error().sentence()}});
    co_return;
  }
  one->facts.estimate = (*reading->need)->need;
  one->facts.estimate_source = "GGUF";
  one->options = (*reading->need)->options;
}

net::Awaitable<void> Residents::adopt(std::string model, EngineNote note) {
  One* one = find(model);
  auto running = co_await one->engine->adopt(note.record);
  if (running) {
    one->running = std::move(*running);
    one->lease = note.lease;
    one->record = note.record;
    if (one->running->holder) co_await bind(model, *one->running->holder);
    log(LogLevel::notice, "a model that ran before goes on", {{"model", model}});
    // Before anything else is decided.
    events_.push_front(r::Adopted{model, one->running->is_asleep, 0});
  } else {
    log(LogLevel::info, "a model that ran before is gone",
        {{"model", model}, {"why", running.error().sentence()}});
    keep_record(model, {}, {});
    if (parts_.keeper.ledger().find(note.lease) != nullptr) {
      (void)co_await parts_.keeper.release(model, note.lease);
    }
    if (one->spec.preload) {
      r::Arrived wish;
      wish.ticket = next_ticket_++;
      wish.model = model;
      wish.wants_load = true;
      feed(std::move(wish));
    }
  }
  looked_at_one();
}

// Its table is no more in the configuration: what runs of it is ended.
net::Awaitable<void> Residents::stop_stranger(std::string model, EngineNote note) {
  ModelSpec spec;
  spec.name = model;
  spec.engine = parse_model_engine(note.engine).value_or(ModelEngine::process);
  spec.container = note.container;
  engines::EngineParts parts = engine_parts();
  parts.keep = [](const std::string&, const std::string&, const std::function<void()>& then) {
    if (then) then();
  };
  parts.ended = [](const std::string&, const std::string&) {};
  const auto engine = parts_.make_engine(spec, parts);
  if (co_await engine->adopt(note.record)) (void)co_await engine->stop();
  (void)co_await parts_.keeper.release(model, note.lease);
  parts_.store.submit(store::Write::note(engine_note(model), ""),
                      [](const Result<store::Durable>&) {});
  looked_at_one();
}

net::Awaitable<void> Residents::stop_all() {
  for (auto& [name, one] : models_) {
    const bool runs = one.running || !one.record.empty();
    if (!runs || !is_our_process(one.spec)) continue;
    (void)co_await one.engine->stop();
    parts_.store.submit(store::Write::note(engine_note(name), ""),
                        [](const Result<store::Durable>&) {});
    if (!one.lease.empty()) (void)co_await parts_.keeper.release(name, one.lease);
  }
}

}  // namespace estiva::daemon
