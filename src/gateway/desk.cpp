#include "gateway/desk.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/messages/gateway.h"
#include "gateway/desk_impl.h"

namespace estiva::gateway {

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
  const Refusal why{503, cut.why, {}, "cut", 1.0};
  std::vector<std::function<void(const Refusal&)>> cuts;
  for (Admission* one = found->second->inside; one != nullptr; one = one->next_) {
    if (one->opening_->generation != cut.generation || one->was_cut_) continue;
    one->was_cut_ = why;
    if (one->cut_) cuts.push_back(std::exchange(one->cut_, {}));
  }
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
