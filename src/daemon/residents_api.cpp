// What people ask of the models: how they are, load and unload, pins, policies, pauses, a new
// configuration.
#include <algorithm>
#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/api_models.h"
#include "base/messages/daemon.h"
#include "daemon/keeper.h"
#include "daemon/residents.h"
#include "format/text.h"

namespace estiva::daemon {

namespace r = decide::residency;

namespace {

using namespace std::chrono_literals;

// A command of a person never waits longer for a GPU to become empty.
constexpr auto kLongestWait = 15min;

bool is_on(const api::ModelStatus& model, const std::string& device) {
  return device.empty()
             ? !model.gpus.empty()
             : std::find(model.gpus.begin(), model.gpus.end(), device) != model.gpus.end();
}

bool holds_memory(const api::ModelStatus& model) {
  return model.state != to_name(decide::Residency::absent) &&
         model.state != to_name(decide::Residency::failed);
}

// Why a model stays though memory is wanted; empty: nothing speaks for it.
std::string why_kept(const api::ModelStatus& model) {
  if (model.engine == ModelEngine::remote) return msg::kRunsElsewhere;
  if (model.is_pinned) return msg::kIsPinned;
  if (model.in_flight > 0) return fmt::format(msg::kIsInUse, model.in_flight);
  if (model.waiting > 0) return fmt::format(msg::kIsWaitedFor, model.waiting);
  const bool rests = model.state == to_name(decide::Residency::resident) ||
                     model.state == to_name(decide::Residency::sleeping) ||
                     model.state == to_name(decide::Residency::checkpointed);
  return rests ? std::string() : fmt::format(msg::kIsChanging, model.state);
}

// Which of the rules set the time after which an idle model leaves.
std::string ttl_source(const decide::ResidencyView& view, bool on_battery) {
  if (!view.ttl) return {};
  if (view.spec->ttl == view.ttl) return "model";
  if (view.policy == ResidencyPolicy::always_unload) return "policy";
  return on_battery ? "battery" : "settings";
}

// A GPU sleeps only while nobody has a context on it.
std::vector<std::string> awake_for(const decide::LeaseEntry& entry, const decide::Ledger& ledger) {
  std::vector<std::string> devices;
  for (const decide::Use& use : entry.uses) {
    if (use.has_context) devices.push_back(ledger.accounts()[use.account].id.key());
  }
  return devices;
}

}  // namespace

std::vector<api::ModelStatus> Residents::models() const {
  std::vector<api::ModelStatus> all;
  const SteadyTime now = steady_now();
  for (const decide::ResidencyView& view : machine_.models()) {
    const One* one = find(view.spec->name);
    if (one == nullptr) continue;
    api::ModelStatus status;
    status.name = view.spec->name;
    status.aliases = view.spec->aliases;
    status.engine = view.spec->engine;
    status.state = to_name(view.state);
    status.why = view.why;
    status.policy = one->policy_said.value_or(view.policy);
    status.configured_policy = view.spec->policy;
    status.policy_is_live = status.policy != view.spec->policy;
    status.is_pinned = one->pin_said.value_or(view.pinned);
    status.pin_is_live = status.is_pinned != view.spec->pinned;
    status.ttl = view.ttl;
    status.ttl_from = ttl_source(view, on_battery_);
    if (view.leaves_at) status.leaves_in = std::max(*view.leaves_at - now, Nanoseconds::zero());
    status.is_open = view.open;
    status.lease = one->lease;
    status.starts = view.starts;
    status.ooms = one->ooms;
    status.in_flight = view.in_flight;
    status.waiting = view.waiting;
    status.declared = view.spec->vram;
    if (one->learned.peak > Bytes{}) status.learned = one->learned.peak;
    status.need = view.need;
    status.load_time = median_of(one->learned.load);
    status.tally = tally_.of(status.name);
    if (view.since > SteadyTime{}) status.in_state = now - view.since;
    if (view.last_used) status.idle = now - *view.last_used;
    if (view.oldest_wait) status.oldest_wait = now - *view.oldest_wait;
    if (one->running) {
      status.endpoint = net::to_text(one->running->endpoint);
      if (one->running->holder) status.pid = one->running->holder->pid;
    }
    if (const decide::LeaseEntry* entry = parts_.keeper.ledger().find(one->lease)) {
      for (const Share& share : entry->lease.shares) status.gpus.push_back(share.device.key());
      status.keeps_awake = awake_for(*entry, parts_.keeper.ledger());
      const decide::LeaseBytes bytes = bytes_of(*entry);
      status.measured = bytes.measured;
      status.charged = bytes.charged;
    }
    all.push_back(std::move(status));
  }
  for (const api::WaitStatus& wait : waiting()) {
    const auto model = std::find_if(all.begin(), all.end(),
                                    [&](const auto& status) { return status.name == wait.model; });
    if (model != all.end() && !model->bound) model->bound = wait.bound;
  }
  return all;
}

std::vector<api::WaitStatus> Residents::waiting() const {
  std::vector<api::WaitStatus> all;
  const SteadyTime now = steady_now();
  for (const decide::TicketView& view : machine_.waiting(now, parts_.keeper.ledger())) {
    all.push_back({view.ticket, view.model, view.place, now - view.arrived, view.expected,
                   view.bound - now, view.why});
  }
  return all;
}

std::vector<api::PauseStatus> Residents::pauses() const {
  std::vector<api::PauseStatus> all;
  const SteadyTime now = steady_now();
  for (const auto& [device, until] : pauses_) {
    if (until && *until <= now) continue;
    all.push_back({device, until ? std::optional<Nanoseconds>(*until - now) : std::nullopt});
  }
  return all;
}

Result<void> Residents::check_known(const std::string& model) const {
  if (find(model) != nullptr) return {};
  std::vector<std::string_view> names;
  for (const auto& [name, one] : models_) names.push_back(name);
  const auto near = format::nearest_name(model, names);
  return fail(
      ErrorKind::not_found, fmt::format(msg::kUnknownModel, model),
      near ? fmt::format(msg::kUnknownModelNear, *near) : std::string(msg::kUnknownModelRemedy));
}

Result<std::vector<std::string>> Residents::log_of(const std::string& model) const {
  if (auto known = check_known(model); !known) return Failure(known.error());
  return find(model)->engine->log_tail();
}

net::Awaitable<Result<void>> Residents::load(std::string model) {
  if (auto known = check_known(model); !known) co_return known;
  if (manages(model)) {
    co_return fail(ErrorKind::refused, fmt::format(msg::kLeaseLoads, model), msg::kLeaseLoadsHow);
  }
  const auto wait = std::make_shared<Wait>(parts_.loop);
  const decide::Ticket ticket = next_ticket_++;
  waits_[ticket] = wait;
  r::Arrived arrived;
  arrived.ticket = ticket;
  arrived.model = model;
  arrived.wants_load = true;
  feed(std::move(arrived));
  while (!wait->outcome) (void)co_await wait->ended.wait();
  waits_.erase(ticket);
  co_return std::move(*wait->outcome);
}

bool Residents::has_left(const std::string& model) const {
  const auto view = machine_.find(model);
  return !view || view->state == decide::Residency::absent ||
         view->state == decide::Residency::failed;
}

net::Awaitable<Result<void>> Residents::unload(std::string model) {
  if (auto known = check_known(model); !known) co_return known;
  feed(r::Unload{model});
  const SteadyTime deadline = steady_now() + kLongestWait;
  while (true) {
    if (has_left(model)) co_return Result<void>();
    if (steady_now() > deadline) {
      const auto view = machine_.find(model);
      co_return fail(ErrorKind::timed_out, fmt::format(msg::kStillThere, model, view->why));
    }
    (void)co_await moved_.wait(1s);
  }
}

net::Awaitable<std::vector<api::FreedModel>> Residents::free_memory(bool only_looks) {
  std::vector<api::FreedModel> freed;
  // No request can come between the look and the word: both are one turn of the loop.
  for (const api::ModelStatus& model : models()) {
    if (!holds_memory(model)) continue;
    api::FreedModel one;
    one.name = model.name;
    one.engine = model.engine;
    one.kept_why = why_kept(model);
    one.is_freed = one.kept_why.empty();
    one.vram = model.charged;
    if (one.is_freed && !only_looks) feed(r::Unload{model.name});
    freed.push_back(std::move(one));
  }
  const SteadyTime deadline = steady_now() + kLongestWait;
  for (api::FreedModel& one : freed) {
    if (!one.is_freed || only_looks) continue;
    while (!has_left(one.name) && steady_now() < deadline) (void)co_await moved_.wait(1s);
    if (has_left(one.name)) continue;
    one.is_freed = false;
    one.is_late = true;
    one.kept_why = msg::kLeavesStill;
  }
  co_return freed;
}

Result<void> Residents::pin(const std::string& model, bool pinned) {
  if (auto known = check_known(model); !known) return known;
  find(model)->pin_said = pinned;
  keep_words(*find(model));
  feed(r::Pin{model, pinned});
  return {};
}

Result<void> Residents::set_policy(const std::string& model, ResidencyPolicy policy) {
  if (auto known = check_known(model); !known) return known;
  find(model)->policy_said = policy;
  keep_words(*find(model));
  feed(r::SetPolicy{model, policy});
  return {};
}

net::Awaitable<Result<void>> Residents::pause(std::string device, std::optional<Nanoseconds> time) {
  const auto until =
      time ? std::optional<SteadyTime>(steady_now() + *time) : std::optional<SteadyTime>();
  pauses_[device] = until;
  feed(r::Pause{device, until});
  const SteadyTime deadline = steady_now() + kLongestWait;
  while (pauses_.contains(device)) {
    const auto all = models();
    const auto there = std::find_if(all.begin(), all.end(),
                                    [&](const auto& model) { return is_on(model, device); });
    if (there == all.end()) break;
    if (steady_now() > deadline) {
      co_return fail(ErrorKind::timed_out, fmt::format(msg::kStillThere, there->name, there->why));
    }
    (void)co_await moved_.wait(1s);
  }
  co_return Result<void>();
}

Result<void> Residents::resume(const std::string& device) {
  if (pauses_.erase(device) == 0) {
    return fail(ErrorKind::not_found, std::string(msg::kNotPaused), std::string());
  }
  feed(r::Resume{device});
  return {};
}

Result<api::ReloadReport> Residents::reload(bool dry_run) {
  auto specs = parts_.read_again();
  if (!specs) return Failure(specs.error());
  api::ReloadReport report;
  std::map<std::string, const ModelSpec*> now;
  for (const ModelSpec& spec : *specs) now[spec.name] = &spec;
  for (const auto& [name, spec] : now) {
    const One* one = find(name);
    if (one == nullptr) {
      report.added.push_back(name);
    } else if (!(one->spec == *spec)) {
      report.changed.push_back(name);
    }
  }
  for (const auto& [name, one] : models_) {
    if (!now.contains(name)) report.removed.push_back(name);
  }
  if (!dry_run) configure(std::move(*specs), report);
  return report;
}

// Newer words of the configuration count more than a person's older ones; as in the machine.
void Residents::forget_words(One& one, const ModelSpec& now) {
  const ModelSpec& before = one.next ? *one.next : one.spec;
  if (now.policy != before.policy) one.policy_said.reset();
  if (now.pinned != before.pinned) one.pin_said.reset();
  keep_words(one);
}

void Residents::configure(std::vector<ModelSpec> specs, const api::ReloadReport& report) {
  for (ModelSpec& spec : specs) {
    const auto listed = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), spec.name) != names.end();
    };
    if (listed(report.added)) {
      add(spec);
      ++adopting_;
      parts_.loop.spawn(probe(spec.name));
    } else if (listed(report.changed)) {
      forget_words(*find(spec.name), spec);
      find(spec.name)->next = spec;
    }
  }
  has_news_ = true;
  for (const std::string& name : report.removed) {
    find(name)->is_going = true;
    find(name)->policy_said.reset();
    find(name)->pin_said.reset();
    keep_words(*find(name));
  }
  for (const std::string& name : report.changed) renew(name);
  feed(r::Configured{std::move(specs)});
  for (const std::string& name : report.removed) renew(name);
  send_routes();
  if (parts_.configured) parts_.configured();
}

void Residents::renew_all() {
  std::vector<std::string> due;
  for (const auto& [name, one] : models_) {
    if (one.next || one.is_going) due.push_back(name);
  }
  has_news_ = !due.empty();
  for (const std::string& name : due) renew(name);
}

void Residents::renew(const std::string& model) {
  One* one = find(model);
  if (one == nullptr) return;
  const bool is_in_use = one->running || !one->lease.empty() || !one->leaves.empty();
  if (is_in_use) return;
  if (one->is_going && !machine_.find(model)) {
    tally_.forget(model);
    models_.erase(model);
  } else if (one->next) {
    one->spec = std::move(*one->next);
    one->next.reset();
    one->engine = parts_.make_engine(one->spec, engine_parts());
    ++adopting_;
    parts_.loop.spawn(probe(model));
  }
}

}  // namespace estiva::daemon
