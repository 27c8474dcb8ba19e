#include "gateway/desk.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/messages/gateway.h"

namespace estiva::gateway {

struct Desk::Waiter {
  Waiter(Desk& of, Model& wanted, int weight);
  ~Waiter();
  bool is_decided() const { return admission || refusal; }
  void refuse(Refusal why) {
    refusal = std::move(why);
    notice.notify_all();
  }

  Desk& desk;
  Model& model;
  net::Notice notice;
  std::uint64_t ticket = 0;  // 0: estivad was not asked, or has said that it is open
  int priority = 0;
  SteadyTime since;
  std::unique_ptr<Admission> admission;
  std::optional<Refusal> refusal;
  api::QueuePlace place;
};

struct Desk::Model {
  bool admits() const {
    return open && (parallel == 0 || opening->in_flight < parallel) && waiters.empty();
  }

  std::string name;
  unsigned parallel = 0, queue_limit = 1024;
  bool open = false, is_changed = false;
  std::shared_ptr<Opening> opening;  // the last; null before the first
  std::deque<Waiter*> waiters;
  Admission* inside = nullptr;          // a list
  std::uint64_t began = 0, failed = 0;  // since Hello
  SteadyTime reported;
};

Desk::Waiter::Waiter(Desk& of, Model& wanted, int weight)
    : desk(of), model(wanted), notice(of.loop_), priority(weight), since(steady_now()) {
  model.waiters.push_back(this);
}

Desk::Waiter::~Waiter() {
  std::erase(model.waiters, this);
  desk.forget_ticket(*this);
}

Admission::~Admission() {
  desk_.leave(*this);
}

Desk::Desk(net::Loop& loop, Say say, DeskLimits limits)
    : loop_(loop), say_(std::move(say)), limits_(limits), away_since_(steady_now()) {}
Desk::~Desk() = default;

// ---- what estivad says --------------------------------------------------------------------------

api::Hello Desk::hello() const {
  api::Hello hello;
  hello.pid = static_cast<int>(getpid());
  for (const auto& [name, model] : models_) {
    if (model->open)
      hello.open.push_back({name, model->opening->generation, model->opening->in_flight});
  }
  return hello;
}

void Desk::connected() {
  is_connected_ = true;
  for (const auto& [name, model] : models_) {
    model->began = model->failed = 0;
    for (Waiter* waiter : model->waiters) {
      if (!model->open) ask(*model, *waiter);
      waiter->notice.notify_all();
    }
  }
}

void Desk::disconnected() {
  is_connected_ = false;
  away_since_ = steady_now();
  for (const auto& [name, model] : models_) {
    for (Waiter* waiter : model->waiters) waiter->notice.notify_all();
  }
}

void Desk::take(const api::Routes& routes) {
  book_.set(routes.routes);
  for (const auto& [name, model] : models_) {
    const api::Route* route = book_.find(name);
    const bool is_gone = route == nullptr || route->model != name;
    if (!is_gone) {
      model->parallel = route->parallel;
      model->queue_limit = route->queue_limit;
      serve(*model);
      continue;
    }
    for (Waiter* waiter : model->waiters)
      waiter->refuse({404, fmt::format(msg::kGatewayModelGone, name), {}, "not-found", {}});
  }
  drop_unknown_models();
}

void Desk::drop_unknown_models() {
  std::erase_if(models_, [this](const auto& entry) {
    const Model& model = *entry.second;
    return book_.find(entry.first) == nullptr && !model.open && model.waiters.empty() &&
           model.inside == nullptr;
  });
}

void Desk::take(const api::OpenModel& open) {
  auto endpoint = net::parse_endpoint(open.endpoint);
  if (!endpoint)
    return log(LogLevel::error, msg::kGatewayBadEndpoint,
               {{"model", open.model}, {"reason", endpoint.error().sentence()}});
  Model& model = model_of(open.model);
  if (model.opening && open.generation < model.opening->generation) return;
  // The same engine, opened again: who is inside still counts.
  if (!model.opening || model.opening->endpoint != *endpoint)
    model.opening = std::make_shared<Opening>();
  Opening& opening = *model.opening;
  opening.model = open.model;
  opening.generation = open.generation;
  opening.endpoint = std::move(*endpoint);
  opening.path_prefix = open.path_prefix;
  opening.bearer = open.bearer;
  model.open = true;
  for (Waiter* waiter : model.waiters) forget_ticket(*waiter);
  serve(model);
  if (opening.in_flight > 0) note_change(model);
}

void Desk::take(const api::CloseModel& close) {
  Model& model = model_of(close.model);
  if (model.opening && close.generation < model.opening->generation) return;
  model.open = false;
  const std::uint32_t in_flight = model.opening ? model.opening->in_flight : 0;
  say_(api::ClosedModel{close.model, close.generation, in_flight});
  for (Waiter* waiter : model.waiters) ask(model, *waiter);
}

void Desk::take(const api::CutModel& cut) {
  const auto found = models_.find(cut.model);
  if (found == models_.end()) return;
  std::vector<std::function<void(const Refusal&)>> cuts;
  for (Admission* one = found->second->inside; one != nullptr; one = one->next_) {
    if (one->opening_->generation == cut.generation && one->cut_)
      cuts.push_back(std::exchange(one->cut_, {}));
  }
  const Refusal why{503, cut.why, {}, "cut", 1.0};
  for (const auto& act : cuts) act(why);
}

void Desk::take(const api::RefuseTicket& refuse) {
  const auto found = tickets_.find(refuse.ticket);
  if (found == tickets_.end()) return;
  Waiter& waiter = *found->second;
  tickets_.erase(found);
  waiter.ticket = 0;
  if (waiter.is_decided()) return;
  const char* reason = refuse.status == 504 ? "timed-out" : "refused";
  waiter.refuse({refuse.status, refuse.why, refuse.remedy, reason, refuse.retry_after_seconds});
}

void Desk::take(const api::QueuePlace& place) {
  const auto found = tickets_.find(place.ticket);
  if (found != tickets_.end()) found->second->place = place;
}

// ---- what requests want -------------------------------------------------------------------------

net::Awaitable<Desk::Outcome> Desk::admit(net::Exchange& exchange, std::string name, int priority,
                                          Comment comment) {
  Model& model = model_of(name);
  Outcome outcome;
  if (model.admits()) {
    outcome.admission = let_in(model);
    co_return outcome;
  }
  if (model.waiters.size() >= model.queue_limit) {
    outcome.refusal = Refusal{503,
                              fmt::format(msg::kGatewayQueueFull, model.waiters.size(), name),
                              {},
                              "queue-full",
                              1.0};
    co_return outcome;
  }
  Waiter waiter(*this, model, priority);
  if (!model.open) ask(model, waiter);
  co_await stand(exchange, waiter, comment);
  outcome.waited = steady_now() - waiter.since;
  outcome.place = waiter.place.place;
  if (exchange.is_hung_up()) co_return outcome;
  outcome.admission = std::move(waiter.admission);
  if (!outcome.admission) outcome.refusal = waiter.refusal;
  co_return outcome;
}

// Until it is decided, or the client is gone.
net::Awaitable<void> Desk::stand(net::Exchange& exchange, Waiter& waiter, const Comment& comment) {
  while (!waiter.is_decided()) {
    const Nanoseconds most = patience(waiter, static_cast<bool>(comment));
    if (most <= Nanoseconds(0)) {
      waiter.refusal =
          Refusal{503, msg::kGatewayAlone, msg::kGatewayAloneRemedy, "no-estivad", 5.0};
      co_return;
    }
    const net::Wake wake = co_await exchange.wait(waiter.notice, most);
    if (wake == net::Wake::hung_up) co_return;
    if (wake != net::Wake::timed_out || !comment || waiter.is_decided()) continue;
    const bool goes_on = co_await comment(waiter.place.why.empty()
                                              ? fmt::format(msg::kGatewayWaiting, waiter.model.name)
                                              : waiter.place.why);
    if (!goes_on) co_return;
  }
}

Nanoseconds Desk::patience(const Waiter& waiter, bool comments) const {
  const Nanoseconds usual = comments ? limits_.comment_period : Nanoseconds::max();
  if (is_connected_ || waiter.model.open) return usual;
  const SteadyTime end = std::max(waiter.since, away_since_) + limits_.without_estivad;
  return std::min(usual, end - steady_now());
}

bool Desk::is_open(std::string_view name) const {
  const Model* model = known(name);
  return model != nullptr && model->open;
}

std::size_t Desk::waiting(std::string_view name) const {
  const Model* model = known(name);
  return model == nullptr ? 0 : model->waiters.size();
}

std::uint32_t Desk::in_flight(std::string_view name) const {
  const Model* model = known(name);
  return model == nullptr || !model->opening ? 0 : model->opening->in_flight;
}

// ---- inside -------------------------------------------------------------------------------------

const Desk::Model* Desk::known(std::string_view name) const {
  const auto found = models_.find(name);
  return found == models_.end() ? nullptr : found->second.get();
}

Desk::Model& Desk::model_of(const std::string& name) {
  const auto found = models_.find(name);
  if (found != models_.end()) return *found->second;
  auto& made = models_[name] = std::make_unique<Model>();
  made->name = name;
  if (const api::Route* route = book_.find(name)) {
    made->parallel = route->parallel;
    made->queue_limit = route->queue_limit;
  }
  return *made;
}

void Desk::ask(Model& model, Waiter& waiter) {
  if (waiter.is_decided()) return;
  if (waiter.ticket == 0) {
    waiter.ticket = next_ticket_++;
    tickets_[waiter.ticket] = &waiter;
  }
  const auto waited = static_cast<std::uint64_t>((steady_now() - waiter.since).count());
  say_(api::WantModel{waiter.ticket, model.name, waiter.priority, waited});
}

// estivad forgot it when it opened the model; but for one that crossed that message on its way.
void Desk::forget_ticket(Waiter& waiter) {
  if (waiter.ticket == 0) return;
  tickets_.erase(waiter.ticket);
  say_(api::LeaveQueue{std::exchange(waiter.ticket, 0)});
}

void Desk::serve(Model& model) {
  while (model.open && !model.waiters.empty() &&
         (model.parallel == 0 || model.opening->in_flight < model.parallel)) {
    Waiter& next = *model.waiters.front();
    model.waiters.pop_front();
    if (next.is_decided()) continue;
    next.admission = let_in(model);
    next.notice.notify_all();
  }
}

std::unique_ptr<Admission> Desk::let_in(Model& model) {
  std::unique_ptr<Admission> one(new Admission(*this, &model, model.opening));
  one->next_ = model.inside;
  if (model.inside != nullptr) model.inside->previous_ = one.get();
  model.inside = one.get();
  ++model.opening->in_flight;
  ++model.began;
  note_change(model);
  return one;
}

void Desk::leave(Admission& one) {
  Model& model = *static_cast<Model*>(one.model_);
  if (one.next_ != nullptr) one.next_->previous_ = one.previous_;
  (one.previous_ != nullptr ? one.previous_->next_ : model.inside) = one.next_;
  --one.opening_->in_flight;
  if (one.has_failed_) ++model.failed;
  if (one.opening_ != model.opening) return;
  serve(model);
  note_change(model);
}

// At once where nothing was told for a while, or where estivad waits for the last to leave.
void Desk::note_change(Model& model) {
  const bool is_empty = !model.open && model.opening->in_flight == 0;
  if (is_empty || steady_now() - model.reported >= limits_.between_reports) return report(model);
  model.is_changed = true;
  if (!reporter_) reporter_ = loop_.every(limits_.between_reports, [this] { report_all(); });
}

void Desk::report(Model& model) {
  model.is_changed = false;
  model.reported = steady_now();
  say_(api::UseOfModel{model.name, model.opening->generation, model.opening->in_flight, model.began,
                       model.failed});
}

void Desk::report_all() {
  bool has_changes = false;
  for (const auto& [name, model] : models_) {
    has_changes |= model->is_changed;
    if (model->is_changed) report(*model);
  }
  // A handle must not be dropped inside its own call.
  if (!has_changes) loop_.post([handle = std::exchange(reporter_, {})] {});
}

}  // namespace estiva::gateway
