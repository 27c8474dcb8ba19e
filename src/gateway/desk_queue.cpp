// The desk's queues: how requests come in, wait, and leave.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/gateway.h"
#include "gateway/desk_impl.h"

namespace estiva::gateway {

Refusal Desk::queue_full(const Model& model) {
  return {503,
          fmt::format(msg::kGatewayQueueFull, model.waiters.size(), model.name),
          {},
          "queue-full",
          1.0};
}

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

void Admission::on_cut(std::function<void(const Refusal&)> cut) {
  cut_ = std::move(cut);
  if (cut_ && was_cut_) std::exchange(cut_, {})(*was_cut_);
}

net::Awaitable<Desk::Outcome> Desk::admit(net::Exchange& exchange, const std::string& name,
                                          int priority, const Comment& comment) {
  Model& model = model_of(name);
  Outcome outcome;
  if (model.admits()) {
    outcome.admission = let_in(model);
    co_return outcome;
  }
  if (model.waiters.size() >= model.queue_limit) {
    outcome.refusal = queue_full(model);
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

// Until it is decided, or the client is gone. (No local with a destructor: GCC 12 destroyed one
// twice here.)
net::Awaitable<void> Desk::stand(net::Exchange& exchange, Waiter& waiter, const Comment& comment) {
  while (!waiter.is_decided()) {
    const Nanoseconds most = patience(waiter, static_cast<bool>(comment));
    if (most <= Nanoseconds(0)) {
      refuse_alone(waiter);
      co_return;
    }
    const net::Wake wake = co_await exchange.wait(waiter.notice, most);
    if (wake == net::Wake::hung_up) co_return;
    if (wake == net::Wake::timed_out && comment && !waiter.is_decided()) {
      const bool goes_on = co_await comment(why_waiting(waiter));
      if (!goes_on) co_return;
    }
  }
}

void Desk::refuse_alone(Waiter& waiter) {
  waiter.refusal = Refusal{503, msg::kGatewayAlone, msg::kGatewayAloneRemedy, "no-estivad", 5.0};
}

// Lives as long as the waiter.
const std::string& Desk::why_waiting(Waiter& waiter) {
  if (waiter.place.why.empty())
    waiter.place.why = fmt::format(msg::kGatewayWaiting, waiter.model.name);
  return waiter.place.why;
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

const net::Endpoint* Desk::endpoint_of(std::string_view name) const {
  const Model* model = known(name);
  return model != nullptr && model->opening ? &model->opening->endpoint : nullptr;
}

std::size_t Desk::waiting(std::string_view name) const {
  const Model* model = known(name);
  return model == nullptr ? 0 : model->waiters.size();
}

std::uint32_t Desk::in_flight(std::string_view name) const {
  const Model* model = known(name);
  return model == nullptr || !model->opening ? 0 : model->opening->in_flight;
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

}  // namespace estiva::gateway
