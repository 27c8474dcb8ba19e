#include "property/schedule.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "decide/placement/decide.h"

namespace estiva::property {
namespace {

using decide::AssignRequest;
using decide::Decision;
using decide::HolderCheck;
using decide::Ledger;
using decide::LedgerChange;
using decide::Readings;
using decide::Verdict;

constexpr int kSteps = 32;
constexpr int kModels = 6;
constexpr int kMostBatch = 4;
constexpr int kMostRereads = 4;
const std::string kBootId = "boot";

class Schedule {
 public:
  Schedule(std::uint64_t seed, Bug bug)
      : bug_(bug),
        rng_(seed),
        polite_(rng_.chance(30)),
        model_(1 + static_cast<int>(rng_.below(kMostGpus)), rng_),
        referee_(model_),
        ledger_(new_ledger()) {
    make_readings();
  }

  Outcome run() {
    for (int i = 0; i < kSteps && referee_.violations().empty(); ++i) step();
    out_.violations = referee_.violations();
    for (std::size_t i = 0; i < out_.counts.size(); ++i)
      out_.counts[i] = referee_.count(static_cast<Rule>(i));
    return std::move(out_);
  }

 private:
  void step() {
    const std::uint64_t dice = rng_.below(100);
    if (dice < 34) return assign_round();
    if (dice < 50) return load_some();
    if (dice < 54) return shrink_some();
    if (dice < 64) return release_some();
    if (dice < 70) return holder_dies();
    if (dice < 74) return model_.settle();
    if (dice < 82) return polite_ ? load_some() : disturb();
    if (dice < 88) return hear_of_deaths();
    if (dice < 93) return fork_some();
    if (dice < 97) return crash();
    look();
  }

  // -- the daemon --

  Ledger new_ledger() const {
    decide::PlacementPolicy policy;
    if (bug_ == Bug::keep_too_much_free) policy.margin = {700};
    return Ledger(policy, "node", epoch_);
  }

  SteadyTime tick() { return {++now_}; }

  void make_readings() {
    readings_.driver.state = DriverState::ready;
    for (int g = 0; g < model_.gpus(); ++g) {
      Gpu& gpu = readings_.gpus.emplace_back();
      gpu.identity.id.uuid = key_of(g);
      gpu.identity.index = static_cast<unsigned>(g);
    }
  }

  // What a sensor would say now, and what procfs says of the processes it names.
  void read() {
    readings_.begun_at = tick();
    readings_.owners.clear();
    referee_.read(now_);
    for (int g = 0; g < model_.gpus(); ++g) {
      GpuSample& sample = readings_.gpus[g].sample;
      sample.state = model_.lost(g) ? GpuState::lost : GpuState::ok;
      const Bytes total{model_.capacity(g) + 50}, used{model_.used(g)};
      sample.memory = GpuMemory{total, used, total - used - Bytes{50}, {50}, true};
      std::vector<GpuProcess> list;
      for (std::size_t id = 0; id < model_.processes().size(); ++id)
        if (const Process& p = model_.processes()[id]; p.listed && p.held[g] > 0)
          list.push_back(listed(p, g));
      sample.processes = std::move(list);
    }
    for (std::size_t id = 0; id < model_.processes().size(); ++id)
      if (model_.processes()[id].alive) readings_.owners.push_back(owner(static_cast<int>(id)));
  }

  static GpuProcess listed(const Process& process, int g) {
    GpuProcess row;
    row.pid = process.pid;
    row.used = Bytes{process.held[g]};
    return row;
  }

  decide::ProcessOwner owner(int id) const {
    const Process& process = model_.process(id);
    std::string lease = referee_.owner_of(id);
    if (bug_ == Bug::guess_the_model && lease.empty())
      for (const Promise& promise : referee_.promises())
        if (promise.holder == kNobody && !promise.releasing) lease = promise.id;
    const bool blind = bug_ == Bug::trust_any_pid;
    if (blind && lease.empty()) lease = old_owner_of(process.pid);
    return {process.pid, process.start, std::move(lease)};
  }

  std::string old_owner_of(pid_t pid) const {
    for (const Promise& promise : referee_.promises())
      if (promise.holder != kNobody && model_.process(promise.holder).pid == pid) return promise.id;
    return {};
  }

  void take_in() {
    journal(ledger_.observe(readings_));
    referee_.read_taken_in();
    judge();
    out_.overcommits_seen += ledger_.overcommitted().size();
    for (const Promise& promise : referee_.promises()) out_.releases_awaited += promise.releasing;
  }

  void judge() {
    referee_.judge_leases(ledger_, Rule::evidence);
    referee_.judge_accounts(ledger_);
    // Named states change with reads only, so they are compared right after one.
    referee_.judge_overcommitted(bug_ == Bug::hide_overcommit ? std::vector<std::string>{}
                                                              : ledger_.overcommitted());
  }

  void look() {
    read();
    take_in();
  }

  void journal(const std::vector<LedgerChange>& changes) {
    for (const LedgerChange& change : changes) {
      if (change.kind == LedgerChange::Kind::gone) journal_.erase(change.lease.id);
      using enum LedgerChange::Kind;
      if (change.kind == active || change.kind == releasing || change.kind == shrunk)
        journal_[change.lease.id] = change.lease;
    }
  }

  // -- requests --

  struct Asked {
    AssignRequest request;
    int holder = kNobody;
  };

  std::uint64_t some_size() {
    const int g = static_cast<int>(rng_.below(static_cast<std::uint64_t>(model_.gpus())));
    const std::int64_t room = referee_.room(g, false);
    // Often exactly what is free there, or one byte more.
    if (room > 0 && rng_.chance(35)) return static_cast<std::uint64_t>(room) + rng_.below(2);
    return 1 + rng_.below(model_.capacity(g) * 6 / 10);
  }

  Asked ask() {
    Asked asked;
    AssignRequest& request = asked.request;
    request.model = std::string("m") + static_cast<char>('0' + rng_.below(kModels));
    const std::size_t n = rng_.chance(80) ? 1 : 1 + rng_.below(3);
    const bool alike = rng_.chance(50);
    for (std::size_t i = 0; i < n; ++i)
      request.shares.push_back(
          {"auto", {i > 0 && alike ? request.shares[0].bytes.value : some_size()}});
    if (rng_.chance(20))
      request.shares[0].gpu =
          key_of(static_cast<int>(rng_.below(static_cast<std::uint64_t>(model_.gpus()))));
    if (rng_.chance(30))
      request.choice = rng_.chance(50) ? decide::Choice::pack : decide::Choice::least_utilized;
    if (rng_.chance(70)) asked.holder = model_.spawn(kNobody, rng_.chance(50));
    if (asked.holder != kNobody) request.holder = holder_value(asked.holder);
    request.requested_at = tick();
    return asked;
  }

  Holder holder_value(int id) const {
    return {model_.process(id).pid, model_.process(id).start, kBootId};
  }

  // Requests arrive, the GPUs are read, more happens while the read is under way, and then all
  // that arrived before it was begun are decided on it, one after another.
  void assign_round() {
    std::vector<Asked> batch;
    const std::size_t n = 1 + rng_.below(kMostBatch);
    for (std::size_t i = 0; i < n; ++i) batch.push_back(ask());
    if (bug_ != Bug::old_sample || !ledger_.read_at()) read();
    if (rng_.chance(25)) release_some();
    if (rng_.chance(10)) hear_of_deaths();
    if (!polite_ && rng_.chance(10)) load_some();
    if (rng_.chance(15)) batch.push_back(ask());
    if (!ledger_.read_at() || *ledger_.read_at() < readings_.begun_at) take_in();
    for (const Asked& asked : batch) answer(asked);
  }

  void answer(const Asked& asked) {
    AssignRequest request = asked.request;
    if (bug_ == Bug::old_sample) request.requested_at = {0};
    Decision decision = decide_assign(ledger_, request);
    for (int i = 0; decision.verdict == Verdict::needs_fresh_reading && i < kMostRereads; ++i) {
      ++out_.rereads;
      look();
      decision = decide_assign(ledger_, request);
    }
    if (Promise* promise = referee_.live(asked.request.model))
      return answer_again(asked, *promise, decision);
    referee_.judge_assign(ledger_, asked.request, decision);
    if (decision.verdict != Verdict::granted) {
      ++out_.refusals;
      return dismiss(asked);
    }
    const decide::Applied applied = ledger_.apply(decision);
    if (rng_.chance(6)) return store_fails(applied, asked);
    ++out_.grants;
    journal_[applied.lease.id] = applied.lease;
    referee_.promised(promise_of(applied.lease, asked.holder));
    if (bug_ == Bug::skip_charge) ledger_.roll_back(applied);
    if (asked.holder == kNobody) unbound_[applied.lease.id] = model_.spawn(kNobody, false);
    judge_between_reads();
  }

  void dismiss(const Asked& asked) {
    if (asked.holder != kNobody) model_.kill(asked.holder, false);
  }

  void store_fails(const decide::Applied& applied, const Asked& asked) {
    ledger_.roll_back(applied);
    ++out_.rolled_back;
    if (!applied.before) dismiss(asked);
    judge_between_reads();
  }

  void judge_between_reads() {
    referee_.judge_leases(ledger_, Rule::evidence);
    referee_.judge_accounts(ledger_);
  }

  static Promise promise_of(const Lease& lease, int holder) {
    Promise promise;
    promise.id = lease.id;
    promise.model = lease.model;
    promise.holder = holder;
    for (const Share& share : lease.shares) {
      const int g = gpu_of(share.device.key());
      promise.gpus.push_back(g);
      promise.declared[g] = share.bytes.value;
    }
    return promise;
  }

  // The model has a lease already: the same GPU, or more of it.
  void answer_again(const Asked& asked, Promise& promise, const Decision& decision) {
    const bool same_count = asked.request.shares.size() == promise.gpus.size();
    const bool other_holder = asked.holder != kNobody && promise.holder != kNobody;
    if (decision.verdict == Verdict::refused || !decide::changes_ledger(decision.verdict)) {
      if (promise.gpus.size() == 1 && same_count && !other_holder &&
          asked.request.shares[0].gpu == "auto")
        referee_.judge_grow(promise, asked.request.shares[0].bytes.value, decision);
      return dismiss(asked);
    }
    if (!same_count || other_holder)
      referee_.violated(Rule::overcommit, promise.model + " was changed by a request that differs");
    if (promise.gpus.size() == 1)
      referee_.judge_grow(promise, asked.request.shares[0].bytes.value, decision);
    const decide::Applied applied = ledger_.apply(decision);
    if (rng_.chance(10)) {
      store_fails(applied, asked);
      return dismiss(asked);
    }
    journal_[applied.lease.id] = applied.lease;
    out_.grown += decision.verdict == Verdict::grown;
    for (const Share& share : applied.lease.shares)
      referee_.grown(promise.id, gpu_of(share.device.key()), share.bytes.value);
    if (asked.holder != kNobody) bind(promise, asked.holder);
    judge_between_reads();
  }

  void bind(Promise& promise, int holder) {
    ++out_.bound;
    referee_.bound(promise.id, holder);
    if (const auto own = unbound_.find(promise.id); own != unbound_.end()) {
      model_.kill(own->second, false);
      unbound_.erase(own);
    }
  }

  // -- what the models do --

  int process_of(const Promise& promise) const {
    if (promise.holder != kNobody) return promise.holder;
    const auto own = unbound_.find(promise.id);
    return own == unbound_.end() ? kNobody : own->second;
  }

  const Promise* some_promise() {
    if (referee_.promises().empty()) return nullptr;
    return &referee_.promises()[rng_.below(referee_.promises().size())];
  }

  // A model loads part of what it was promised, or all; a liar takes more. In a polite schedule
  // every such load must succeed: that is what a lease is worth.
  void load_some() {
    const Promise* promise = some_promise();
    if (!promise || promise->releasing) return;
    const int id = rng_.chance(25) ? child_of(process_of(*promise)) : process_of(*promise);
    if (id == kNobody || !model_.process(id).alive) return;
    for (int g : promise->gpus) {
      const std::uint64_t held = model_.held_by_family(process_of(*promise), g);
      const std::uint64_t left = promise->declared[g] - std::min(promise->declared[g], held);
      std::uint64_t bytes = rng_.chance(50) ? left : rng_.below(left + 1);
      if (!polite_ && rng_.chance(8)) bytes += rng_.below(1500);
      if (bytes == 0 || model_.lost(g)) continue;
      if (model_.allocate(id, g, bytes)) continue;
      ++out_.unlucky_loads;
      if (polite_)
        referee_.violated(Rule::overcommit,
                          fmt::format("{} was promised {} on GPU {} and got out-of-memory",
                                      promise->model, promise->declared[g], g));
    }
  }

  int child_of(int parent) const {
    for (std::size_t id = 0; id < model_.processes().size(); ++id)
      if (model_.processes()[id].parent == parent && parent != kNobody &&
          model_.processes()[id].alive)
        return static_cast<int>(id);
    return parent;
  }

  void fork_some() {
    const Promise* promise = some_promise();
    if (promise && promise->holder != kNobody && model_.process(promise->holder).alive)
      model_.spawn(promise->holder, rng_.chance(50));
  }

  void release_some() {
    const Promise* promise = some_promise();
    if (!promise) return;
    const std::string id = promise->id;
    const SteadyTime now = tick();
    const int process = process_of(*promise);
    if (polite_ && process != kNobody) die_with_children(process);
    const auto changes = ledger_.release(id, now);
    journal(changes);
    referee_.released(id, now.ns);
    if (bug_ == Bug::credit_at_once && ledger_.find(id))
      ledger_.roll_back({ledger_.find(id)->lease, std::nullopt});
    judge_between_reads();
  }

  // A model goes to sleep, or says so: in an impolite schedule some of them keep what they hold.
  void shrink_some() {
    const Promise* promise = some_promise();
    if (!promise || promise->releasing) return;
    const std::string id = promise->id;
    std::vector<Bytes> bytes;
    for (int g : promise->gpus) {
      const std::uint64_t residue = 1 + rng_.below(promise->declared[g] * 12 / 10);
      bytes.push_back({residue});
      if (polite_ || rng_.chance(70)) model_.shrink_family(process_of(*promise), g, residue);
    }
    const SteadyTime now = tick();
    const auto changes = ledger_.shrink(id, bytes, now);
    journal(changes);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      referee_.shrunk(id, referee_.find(id)->gpus[i], bytes[i].value, now.ns);
    out_.shrunk += changes.size();
    if (bug_ == Bug::believe_the_sleeper) forget_credits();
    judge_between_reads();
  }

  // What was given back since the last read counts as seen free.
  void forget_credits() {
    decide::LedgerState state = ledger_.state();
    for (decide::GpuAccount& account : state.accounts) account.credit_pending = {};
    ledger_ = Ledger(std::move(state));
  }

  void die_with_children(int id) {
    for (std::size_t child = 0; child < model_.processes().size(); ++child)
      if (model_.processes()[child].parent == id) model_.kill(static_cast<int>(child), true);
    model_.kill(id, rng_.chance(60));
  }

  // The holder ends; its children may live on. The daemon hears of it now or later.
  void holder_dies() {
    const Promise* promise = some_promise();
    if (!promise || promise->holder == kNobody) return;
    if (polite_ || rng_.chance(60))
      die_with_children(promise->holder);
    else
      model_.kill(promise->holder, rng_.chance(60));
    if (rng_.chance(60)) hear_of_deaths();
  }

  void hear_of_deaths() {
    std::vector<std::string> dead;
    for (const Promise& promise : referee_.promises())
      if (promise.holder != kNobody && !promise.holder_gone &&
          !model_.process(promise.holder).alive)
        dead.push_back(promise.id);
    for (const std::string& id : dead) {
      const SteadyTime now = tick();
      journal(ledger_.holder_died(id, now));
      referee_.holder_died(id, now.ns);
    }
    judge_between_reads();
  }

  // -- what disturbs --

  void disturb() {
    const int g = static_cast<int>(rng_.below(static_cast<std::uint64_t>(model_.gpus())));
    const std::uint64_t dice = rng_.below(10);
    if (dice < 5) {
      const int stranger = model_.spawn(kNobody, true);
      strangers_.push_back(stranger);
      model_.allocate(stranger, g, 1 + rng_.below(2500));
    } else if (dice < 8 && !strangers_.empty()) {
      const int stranger = strangers_[rng_.below(strangers_.size())];
      if (rng_.chance(50))
        model_.kill(stranger, rng_.chance(50));
      else
        model_.free_some(stranger, g, rng_.below(2000));
    } else {
      model_.set_lost(g, !model_.lost(g));
    }
  }

  // kill -9, and a start from what is durable.
  void crash() {
    ++out_.crashes;
    const bool rebooted = rng_.chance(15);
    if (rebooted) {
      model_.reboot();
      ++epoch_;
    }
    std::vector<decide::Recovered> records;
    std::vector<std::string> ids;
    for (const auto& [id, lease] : journal_) {
      ids.push_back(id);
      records.push_back({lease, check(lease)});
      if (bug_ == Bug::keep_after_reboot) records.back().lease.boot_epoch = epoch_;
    }
    if (bug_ == Bug::forget_a_lease && !records.empty()) records.pop_back();
    ledger_ = new_ledger();
    const SteadyTime now = tick();
    journal(ledger_.restore(records, next_number_, 0, now));
    next_number_ = std::max(next_number_, ledger_.next_number());
    referee_.restarted(ids, rebooted, now.ns);
    referee_.judge_leases(ledger_, Rule::recovery);
    look();
  }

  HolderCheck check(const Lease& lease) const {
    if (!lease.holder) return HolderCheck::unknown;
    for (const Process& process : model_.processes())
      if (process.alive && process.pid == lease.holder->pid)
        return process.start == lease.holder->start_ticks ? HolderCheck::alive : HolderCheck::dead;
    return HolderCheck::dead;
  }

  const Bug bug_;
  Rng rng_;
  const bool polite_;  // nobody takes more than was promised to him; then no load may fail
  std::uint64_t epoch_ = 1;
  std::int64_t now_ = 0;
  std::uint64_t next_number_ = 1;
  GpuModel model_;
  Referee referee_;
  Ledger ledger_;
  Readings readings_;
  std::map<std::string, Lease> journal_;
  std::map<std::string, int> unbound_;  // the process of a lease that nobody has bound
  std::vector<int> strangers_;
  Outcome out_;
};

}  // namespace

Outcome run_schedule(std::uint64_t seed, Bug bug) {
  return Schedule(seed, bug).run();
}

}  // namespace estiva::property
