// A simulated machine under a virtual clock, for the tests and benches of decide/residency: GPUs
// with processes whose memory lingers, engines that take their time or fail, a gateway with
// clients, and a daemon that carries out the effects. The machine under test and the ledger are the
// real ones; nothing else is shared with src/. Whatever happens is noted, and broken promises are
// noted as violations.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "decide/placement/decide.h"
#include "decide/residency/residency.h"
#include "rng.h"

namespace estiva::residency_test {

using decide::Ticket;
using estiva::test::Rng;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Faults of the daemon that the referee has to find.
enum class Bug : std::uint8_t {
  none,
  closed_too_early,  // says that nothing is under way when something is
  grants_always,     // promises bytes that are not there
  loses_released,    // never tells that bytes came back
  forgets_left,      // does not tell that a client hung up
};

// How a model's engine behaves.
struct Behaviour {
  Nanoseconds load = seconds(2), unload = milliseconds(300), wake = milliseconds(300),
              sleep = milliseconds(300);
  Bytes takes;    // of each GPU; 0: what is declared
  Bytes residue;  // while it sleeps
  bool can_sleep = false;
  bool is_measured = true;     // its times are told to the machine
  unsigned fails = 0;          // so many loads fail
  unsigned out_of_memory = 0;  // so many loads say that GPU memory ran out
  bool sleep_fails = false;
};

struct Request {
  Ticket ticket = 0;
  std::string model;
  SteadyTime arrived, bound;
  Nanoseconds takes{0};
  int priority = 0;
  bool wants_load = false;
  std::optional<SteadyTime> began, ended, gone;  // gone: hung up, refused or cut
  std::optional<decide::residency::Refuse> refusal;
  bool is_cut = false;
  bool is_done = false;  // a wish for a load
  bool is_open() const { return !ended && !gone && !is_done; }
};

class MachineRoom {
 public:
  MachineRoom(std::vector<Bytes> gpus, std::vector<ModelSpec> specs,
              std::map<std::string, Behaviour> behaviours = {},
              decide::ResidencySettings settings = {});

  // ---- clients ----
  // A request that takes so long once it is served.
  Ticket ask(const std::string& model, Nanoseconds takes = milliseconds(100), int priority = 0);
  Ticket want_load(const std::string& model);
  void hang_up(Ticket ticket);
  // ---- people, strangers and faults ----
  void say(const decide::residency::Event& event);
  void stranger(int gpu, Bytes holds);  // holds so much from now on
  void kill_engine(const std::string& model);
  void grow(const std::string& model, Bytes each);  // takes more than it declared
  // ---- time ----
  SteadyTime now() const { return now_; }
  void at(SteadyTime time, std::function<void()> what);
  void after(Nanoseconds wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }
  void run_for(Nanoseconds time);
  // Until nothing is under way and nobody waits, at most so long.
  void run_until_idle(Nanoseconds most = hours(1));

  // ---- what is so ----
  const Request& request(Ticket ticket) const { return requests_.at(ticket); }
  const std::map<Ticket, Request>& requests() const { return requests_; }
  decide::Residency state(const std::string& model) const;
  bool is_open(const std::string& model) const { return engine(model).open; }
  const decide::ResidencyMachine& machine() const { return machine_; }
  const decide::Ledger& ledger() const { return ledger_; }
  unsigned loads(const std::string& model) const { return engine(model).loads; }
  unsigned stops(const std::string& model) const { return engine(model).stops; }
  unsigned sleeps(const std::string& model) const { return engine(model).sleeps; }
  unsigned cancels(const std::string& model) const { return engine(model).cancels; }
  // Who told what, newest last: "xtts: leaves for f5: ...".
  const std::vector<std::string>& told() const { return told_; }
  bool was_told(std::string_view part) const;
  std::uint64_t out_of_memory() const { return out_of_memory_; }
  std::uint64_t steps() const { return steps_; }
  std::uint64_t timed_out() const { return timed_out_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t evictions() const { return evictions_; }
  void check_end();
  void plant(Bug bug) { bug_ = bug; }
  void behave(const std::string& model, Behaviour behaviour) {
    engine(model).behaviour = behaviour;
  }
  const Behaviour& behaviour(const std::string& model) const { return engine(model).behaviour; }
  const std::vector<std::string>& violations() const { return violations_; }
  Ticket tickets() const { return next_ticket_ - 1; }
  // The longest time that any request waited.
  Nanoseconds longest_wait() const { return longest_wait_; }
  void forget_ended();  // keeps memory flat in long runs

  bool keep_requests = true;
  // Programs that share the GPU: true, they try to give room. Empty: there are none.
  std::function<bool(const decide::residency::AskOthers&)> others;
  // Sees each step.
  std::function<void(SteadyTime, const decide::residency::Event&,
                     const std::vector<decide::residency::Effect>&)>
      trace;

 private:
  struct Engine {
    ModelSpec spec;
    Behaviour behaviour;
    // the process
    pid_t pid = 0;
    std::vector<int> gpus;
    Bytes holds;  // on each of them
    Bytes leased;
    bool running = false, asleep = false, falls_asleep = false, loading = false, cancelled = false;
    std::uint64_t run = 0;  // tells what was planned for an earlier process from this one
    // the gateway's side
    bool open = false;
    std::set<Ticket> in_flight;
    std::vector<Ticket> waiting;
    std::uint64_t began = 0;
    std::uint64_t generation = 0;
    std::optional<SteadyTime> cut_at;
    // counted
    unsigned loads = 0, stops = 0, sleeps = 0, cancels = 0;
  };
  struct Planned {
    SteadyTime time;
    std::uint64_t order;
    std::function<void()> what;
    friend bool operator<(const Planned& a, const Planned& b) {
      return a.time != b.time ? a.time > b.time : a.order > b.order;
    }
  };

  const Engine& engine(const std::string& model) const { return engines_.at(model); }
  Engine& engine(const std::string& model) { return engines_.at(model); }
  void step(const decide::residency::Event& event);
  void carry_out(const decide::residency::Effect& effect);
  void on(const decide::residency::Reserve& effect);
  void on(const decide::residency::Load& effect);
  void on(const decide::residency::Cancel& effect);
  void on(const decide::residency::Open& effect);
  void on(const decide::residency::Close& effect);
  void on(const decide::residency::Cut& effect);
  void on(const decide::residency::Leave& effect);
  void on(const decide::residency::Forgo& effect);
  void on(const decide::residency::Refuse& effect);
  void on(const decide::residency::Done& effect);
  void on(const decide::residency::AskOthers& effect);
  void on(const decide::residency::Told& effect);
  void arrive(Ticket ticket);
  void begin(Engine& engine, Request& request);
  void end(const std::string& model, Ticket ticket);
  void report_use(Engine& engine);
  void finish_load(const std::string& model, bool wake);
  void end_process(Engine& engine, bool lingers);
  void release(const std::string& model);
  void wait_for_release(const std::string& model);
  void shrink_lease(Engine& engine);
  void read();
  Bytes used(int gpu) const;
  Bytes declared(const Engine& engine) const;
  decide::Decision granted_anyway(const decide::AssignRequest& request) const;
  void check_grant(const Lease& lease);
  void check_ram();
  bool is_pinned(const std::string& name) const;
  bool is_waited_for(std::string_view name) const;
  void violated(std::string what) { violations_.push_back(std::move(what)); }
  int gpu_of(const DeviceId& device) const;

  std::vector<Bytes> capacity_, strangers_, lingering_;
  std::map<std::string, Engine> engines_;
  decide::Ledger ledger_;
  decide::ResidencyMachine machine_;
  SteadyTime now_{0};
  std::priority_queue<Planned> planned_;
  std::uint64_t next_order_ = 0;
  std::optional<SteadyTime> tick_planned_;
  std::map<Ticket, Request> requests_;
  Ticket next_ticket_ = 1;
  pid_t next_pid_ = 100;
  std::vector<std::string> told_, violations_;
  std::uint64_t out_of_memory_ = 0, steps_ = 0;
  Nanoseconds longest_wait_{0};
  Bytes host_budget_;
  std::map<std::string, bool> pin_set_;
  std::uint64_t timed_out_ = 0, refused_ = 0, evictions_ = 0, steps_now_ = 0;
  SteadyTime stepped_at_{-1};
  Bug bug_ = Bug::none;
};

// A model of so many bytes a GPU, with the limits that tests use.
ModelSpec model(std::string name, Bytes vram);

}  // namespace estiva::residency_test
