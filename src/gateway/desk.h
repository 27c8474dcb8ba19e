// The admission desk: lets requests through to models that are open, keeps the others in a queue
// per model, and tells estivad what it has to know. One thread, no clock of its own but for
// reports.
//
// A request to an open model costs no message. A model's requests go in the order in which they
// came; `parallel` of them at a time. What estivad said stays in force while it is away.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/gateway_protocol.h"
#include "gateway/book.h"
#include "gateway/refusal.h"
#include "net/address.h"
#include "net/exchange.h"

namespace estiva::gateway {

class Desk;

// One opening of a model: where its engine is, and who is there.
struct Opening {
  std::string model;
  std::uint64_t generation = 0;
  net::Endpoint endpoint;
  std::string path_prefix, bearer;
  std::uint32_t in_flight = 0;
};

// A request's right to be at its engine; given back when it is dropped. The desk outlives it.
class Admission {
 public:
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  const Opening& opening() const { return *opening_; }
  // `cut` is called at most once, when the request has to end now: at once where that was said
  // before. {} removes it.
  void on_cut(std::function<void(const Refusal&)> cut);
  void note_failure() { has_failed_ = true; }  // the engine did not answer to the end

 private:
  friend class Desk;
  Admission(Desk& desk, void* model, std::shared_ptr<Opening> opening)
      : desk_(desk), model_(model), opening_(std::move(opening)) {}
  Desk& desk_;
  void* model_;
  std::shared_ptr<Opening> opening_;
  std::function<void(const Refusal&)> cut_;
  std::optional<Refusal> was_cut_;
  Admission* next_ = nullptr;
  Admission* previous_ = nullptr;
  bool has_failed_ = false;
};

// How long requests for models that are not open wait for an estivad that is away.
struct DeskLimits {
  Nanoseconds without_estivad = std::chrono::seconds(10);
  Nanoseconds between_reports = std::chrono::milliseconds(20);
  Nanoseconds comment_period = std::chrono::seconds(5);
};

class Desk {
 public:
  using Say = std::function<void(const api::FromGateway&)>;
  // Called now and then for one who waits, with a sentence on how it stands.
  using Comment = std::function<net::Awaitable<bool>(const std::string&)>;

  Desk(net::Loop& loop, Say say, DeskLimits limits = {});
  ~Desk();

  // ---- what estivad says --------------------------------------------------------------------
  void connected();
  void disconnected();
  api::Hello hello() const;
  void take(const api::Routes& routes);
  void take(const api::OpenModel& open);
  void take(const api::CloseModel& close);
  void take(const api::CutModel& cut);
  void take(const api::RefuseTicket& refuse);
  void take(const api::QueuePlace& place);

  // ---- what requests want -------------------------------------------------------------------
  struct Outcome {
    std::unique_ptr<Admission> admission;  // null: refused, or the client hung up
    std::optional<Refusal> refusal;        // nothing: it hung up
    Nanoseconds waited{0};
    std::size_t place = 0;  // the last that was known; 0: none
  };
  // Returns at once where the model is open and nobody waits for it. `model` is a Route's name.
  // With `comment`, it is called every comment_period; false from it ends the wait. All that is
  // given lives until it is done. (By reference: GCC 12 destroys some arguments twice otherwise.)
  net::Awaitable<Outcome> admit(net::Exchange& exchange, const std::string& model, int priority,
                                const Comment& comment);

  const RouteBook& book() const { return book_; }
  bool is_open(std::string_view model) const;
  // Where its engine is, or was last; nullptr: not known. Valid until something is said of it.
  const net::Endpoint* endpoint_of(std::string_view model) const;
  std::size_t waiting(std::string_view model) const;
  std::uint32_t in_flight(std::string_view model) const;

 private:
  friend class Admission;
  struct Waiter;
  struct Model;
  Model& model_of(const std::string& name);
  const Model* known(std::string_view name) const;
  void ask(Model& model, Waiter& waiter);
  void forget_ticket(Waiter& waiter);
  void serve(Model& model);
  std::unique_ptr<Admission> let_in(Model& model);
  void leave(Admission& admission);
  void note_change(Model& model);
  void report(Model& model);
  void report_all();
  void drop_unknown_models();
  net::Awaitable<void> stand(net::Exchange& exchange, Waiter& waiter, const Comment& comment);
  static void refuse_alone(Waiter& waiter);
  static const std::string& why_waiting(Waiter& waiter);
  static Refusal queue_full(const Model& model);
  Nanoseconds patience(const Waiter& waiter, bool comments) const;

  net::Loop& loop_;
  Say say_;
  DeskLimits limits_;
  RouteBook book_;
  std::map<std::string, std::unique_ptr<Model>, std::less<>> models_;
  std::map<std::uint64_t, Waiter*> tickets_;  // those that estivad was asked for
  std::uint64_t next_ticket_ = 1;
  bool is_connected_ = false;
  SteadyTime away_since_;
  std::shared_ptr<void> reporter_;
};

}  // namespace estiva::gateway
