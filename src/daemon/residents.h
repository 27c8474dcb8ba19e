// The models of the configuration, on this machine: carries out what the residency machine decides,
// with the ledger, the engines and the gateway, and tells it what came of each. Slow work is a
// coroutine that ends in an event; the machine alone decides, one event after the other (I3).
//
// Loop thread only.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/residents.h"
#include "daemon/gateway_port.h"
#include "daemon/inbox.h"
#include "daemon/resident_memory.h"
#include "decide/placement/make_room.h"
#include "decide/residency/residency.h"
#include "decide/residency/tally.h"
#include "engines/engine.h"
#include "format/settings.h"
#include "host/files.h"
#include "model/host.h"
#include "net/loop.h"

namespace estiva::store {
class Store;
}

namespace estiva::daemon {

class Keeper;

class Residents final : public api::Residents {
 public:
  // Asks programs that share the GPU for room, beside what of ours leaves; false: they have none.
  using MakeRoom =
      std::function<bool(const decide::AssignRequest&, std::vector<decide::Yielder> ours)>;
  // What the program of a model with engine = "lease" did.
  enum class LeaseMove : std::uint8_t { in, out, busy, idle };  // out: also where its lease is gone
  struct Parts {
    net::Loop& loop;
    store::Store& store;
    Keeper& keeper;
    const host::Root& root;
    std::string boot_id;
    std::string state_dir;
    std::string docker_host;
    bool simulated = false;
    std::string launcher;  // the socket of estiva-launch; empty: there is none
    std::string gateway;   // the address; empty: there is none
    std::vector<ModelSpec> models;
    format::ResidencySettings settings;
    // The configuration, read again.
    std::function<Result<std::vector<ModelSpec>>()> read_again;
    // Who may use the gateway, and where it listens.
    std::function<void(api::Routes&)> add_access;
    std::function<void()> configured;  // after a reload: there may be a first model now
    MakeRoom make_room;                // empty: there are no such programs
    // Tests make engines of their own.
    std::function<std::unique_ptr<engines::Engine>(const ModelSpec&, const engines::EngineParts&)>
        make_engine = engines::make_engine;
  };
  explicit Residents(Parts parts);
  ~Residents() override;

  // Looks for those of our engines that still run from before, asks the others what they need, and
  // begins to work. `notes` are the store's.
  void start(const std::map<std::string, std::string>& notes);
  void use_gateway(GatewayPort& gateway) { gateway_ = &gateway; }
  void gateway_came(const api::Hello& hello);
  void gateway_went();
  // Tells the gateway anew which models there are, and who may use them.
  void send_routes();
  void take(const api::FromGateway& message);
  // How much RAM there is, and whether a battery gives the power.
  void take_host(const Reading<HostMemory>& memory, bool on_battery);
  // The ledger changed, or was read anew.
  void look_at_ledger();
  // Stops every engine of ours; for a daemon that does not leave its models behind.
  net::Awaitable<void> stop_all();

  // ---- resident_leases.cpp: models that ask for their bytes themselves ----
  bool manages(const std::string& model) const;
  // Its program waits for room; false: it is none of these.
  bool want(const decide::AssignRequest& request);
  void lease_moved(const std::string& model, LeaseMove move);

  std::vector<api::ModelStatus> models() const override;
  std::vector<api::WaitStatus> waiting() const override;
  std::vector<api::PauseStatus> pauses() const override;
  bool on_battery() const override { return on_battery_; }
  std::string gateway() const override { return parts_.gateway; }
  Result<std::vector<std::string>> log_of(const std::string& model) const override;
  net::Awaitable<Result<void>> load(std::string model) override;
  net::Awaitable<Result<void>> unload(std::string model) override;
  net::Awaitable<std::vector<api::FreedModel>> free_memory(bool only_looks) override;
  Result<void> pin(const std::string& model, bool pinned) override;
  Result<void> set_policy(const std::string& model, ResidencyPolicy policy) override;
  net::Awaitable<Result<void>> pause(std::string device, std::optional<Nanoseconds> time) override;
  Result<void> resume(const std::string& device) override;
  Result<api::ReloadReport> reload(bool dry_run) override;

 private:
  struct One {  // a model, as far as this machine goes
    ModelSpec spec;
    std::unique_ptr<engines::Engine> engine;
    engines::EngineFacts facts;
    std::optional<engines::Running> running;
    std::string lease;   // id; empty: none
    std::string leaves;  // the lease that is to be gone before it counts as released
    std::uint64_t generation = 0;
    std::vector<std::string> options;  // what its estimate rests on, see LoadTerms
    bool is_open = false;
    bool is_noted = false;                       // one of ours from before; adopt() looks for it
    std::optional<ResidencyPolicy> policy_said;  // a person's words, until the configuration's
    std::optional<bool> pin_said;                // change
    std::string record;                          // of the engine, as noted
    LearnedModel learned;
    unsigned ooms = 0;
    std::optional<ModelSpec> next;       // of a newer configuration, once it has left
    bool is_going = false;               // its table is no more there
    std::optional<decide::Ticket> want;  // of its program that waits
    SteadyTime wanted_at;
    std::uint64_t served = 0;  // requests that began, as the gateway told last
  };
  struct Wait {  // somebody of the command line who waits for a load
    explicit Wait(net::Loop& loop) : ended(loop) {}
    std::optional<Result<void>> outcome;
    net::Notice ended;
  };

  void feed(decide::residency::Event event);
  void work();
  void arm();
  // One of those that are looked at before anything is decided is known now.
  void looked_at_one();
  void close_what_is_gone();
  void run(const decide::residency::Reserve& effect);
  void run(const decide::residency::Load& effect);
  void run(const decide::residency::Cancel& effect);
  void run(const decide::residency::Open& effect);
  void run(const decide::residency::Close& effect);
  void run(const decide::residency::Cut& effect);
  void run(const decide::residency::Leave& effect);
  void run(const decide::residency::Forgo& effect);
  void run(const decide::residency::Refuse& effect);
  void run(const decide::residency::Done& effect);
  void run(const decide::residency::AskOthers& effect);
  void run(const decide::residency::Told& effect);

  net::Awaitable<void> reserve(std::string model, std::vector<decide::ShareWanted> shares);
  net::Awaitable<void> begin(std::string model, bool wakes);
  net::Awaitable<void> leave(std::string model, decide::Leaving how);
  net::Awaitable<void> give_back(std::string model);
  net::Awaitable<void> adopt(std::string model, EngineNote note);
  net::Awaitable<void> probe(std::string model);
  net::Awaitable<void> estimate(std::string model);
  // ---- resident_found.cpp: what ran before anybody asked us ----
  net::Awaitable<void> take_over(std::string model);
  net::Awaitable<void> take_over_later(std::string model);
  net::Awaitable<bool> charge_found(std::string model);
  bool may_be_taken_over(const std::string& model) const;
  bool knows_gpus() const;
  net::Awaitable<void> stop_stranger(std::string model, EngineNote note);
  net::Awaitable<void> bind(std::string model, Holder holder);
  net::Awaitable<void> shrink(std::string model);

  One* find(const std::string& model);
  const One* find(const std::string& model) const;
  Result<void> check_known(const std::string& model) const;
  bool has_left(const std::string& model) const;
  void add(const ModelSpec& spec);
  void configure(std::vector<ModelSpec> specs, const api::ReloadReport& report);
  void forget_words(One& one, const ModelSpec& now);
  void recall_words(const std::map<std::string, std::string>& notes);
  void keep_words(const One& one);
  // A model that has left takes on what a newer configuration says of it, or is forgotten.
  void renew(const std::string& model);
  void renew_all();
  engines::EngineParts engine_parts();
  void engine_ended(const std::string& model, const std::string& why);
  void keep_record(const std::string& model, std::string record, std::function<void()> then);
  void send_open(const std::string& model, const One& one);
  void tell_learned(const std::string& model, One& one);
  void measure(const std::string& model, One& one);
  void remember(const std::string& model, const One& one);
  net::Awaitable<void> watch_want(std::string model, decide::Ticket ticket);
  void end_want(decide::Ticket ticket);
  net::Awaitable<void> let_go(std::string model);
  void end_wait(decide::Ticket ticket, Result<void> outcome);
  decide::Ticket ticket_of_gateway(const api::WantModel& want);
  void forget_tickets_of(const std::string& model);
  Bytes whole_gpu() const;

  Parts parts_;
  decide::ResidencyMachine machine_;
  decide::ResidencyTally tally_;
  std::map<std::string, One> models_;
  GatewayPort* gateway_ = nullptr;
  std::map<std::string, api::Hello::Model> told_open_;  // what a gateway admits to since before us
  std::uint64_t generation_;
  decide::Ticket next_ticket_ = 1;
  std::map<decide::Ticket, std::shared_ptr<Wait>> waits_;
  std::map<std::uint64_t, decide::Ticket> from_gateway_;
  struct Waiting {
    std::uint64_t theirs = 0;  // the gateway's number of it
    std::string model;
  };
  std::map<decide::Ticket, Waiting> to_gateway_;
  std::map<std::string, std::optional<SteadyTime>> pauses_;
  std::set<std::string> overcommitted_;
  Bytes host_budget_;
  bool on_battery_ = false;
  std::optional<SteadyTime> read_at_;  // of the ledger when it was looked at last
  std::deque<decide::residency::Event> events_;
  bool working_ = false;
  std::size_t adopting_ = 0;
  std::shared_ptr<void> timer_;
  std::optional<SteadyTime> armed_for_;
  bool has_news_ = false;         // a newer configuration waits for models to leave
  net::Notice moved_;             // some model's state changed
  std::shared_ptr<Inbox> inbox_;  // of jobs that read models' files
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace estiva::daemon
