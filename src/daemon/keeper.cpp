#include "daemon/keeper.h"

#include <fmt/format.h>

#include "api/decision_record.h"
#include "base/log.h"
#include "base/messages/api.h"
#include "daemon/health_keeper.h"
#include "daemon/pending.h"
#include "decide/placement/decide.h"
#include "decide/placement/explain.h"
#include "decide/placement/grant_reason.h"
#include "format/text.h"
#include "host/process.h"
#include "store/store.h"

namespace estiva::daemon {
namespace {

// A request is decided on the first reading that began after it arrived. A sensor that is replaced
// in between may cost one more; beyond that something is wrong and the client should know.
constexpr int kMostReadings = 4;

}  // namespace

Keeper::Keeper(Parts parts)
    : parts_(std::move(parts)),
      ledger_(parts_.policy, parts_.store.opened().node_id, parts_.store.opened().boot_epoch),
      owners_(parts_.root),
      holders_(parts_.loop, parts_.root, parts_.boot_id,
               [this](const std::string& id) { holder_died(id); }),
      whereabouts_(parts_.root) {}

const std::vector<GpuHealth>& Keeper::health() const {
  return parts_.health.health();
}

std::vector<GpuXids> Keeper::xids() const {
  return parts_.health.xids();
}

void Keeper::restore() {
  const store::Opened& opened = parts_.store.opened();
  std::vector<decide::Recovered> recovered;
  for (const Lease& lease : opened.leases) {
    decide::HolderCheck check = decide::HolderCheck::alive;
    if (lease.holder) {
      switch (host::check_holder(parts_.root, *lease.holder, parts_.boot_id)) {
        case host::HolderState::alive:
          break;
        case host::HolderState::dead:
          check = decide::HolderCheck::dead;
          break;
        case host::HolderState::unknown:
          check = decide::HolderCheck::unknown;
          break;
      }
    }
    submitted_[lease.id] = durable_[lease.id] = lease.sequence;
    recovered.push_back({lease, check});
  }
  // A lease's number never exceeds the sequence of the change that made it.
  journal(ledger_.restore(recovered, opened.last_sequence + 1, opened.last_sequence, steady_now()));
  for (const Lease& lease : ledger_.leases()) {
    if (lease.state != LeaseState::releasing) holders_.watch(lease);
  }
}

net::Awaitable<Result<api::AssignAnswer>> Keeper::assign(decide::AssignRequest request,
                                                         api::AssignTerms terms) {
  if (const std::size_t waiting = waiting_.size() + following_; waiting >= kMostWaiting) {
    co_return fail(ErrorKind::refused, fmt::format(msg::kTooManyWaiting, waiting), msg::kTryLater);
  }
  if (request.choice == decide::Choice::by_gpu_count) request.choice = parts_.default_choice;
  const Pending pending =
      std::make_shared<PendingAssign>(parts_.loop, std::move(request), std::move(terms));
  enqueue(pending);
  while (!pending->answer) (void)co_await pending->answered.wait();
  co_return std::move(*pending->answer);
}

void Keeper::enqueue(const Pending& pending) {
  waiting_.push_back(pending);
  if (pumping_) return;
  pumping_ = true;
  parts_.loop.spawn(pump());
}

net::Awaitable<void> Keeper::pump() {
  while (!waiting_.empty()) {
    auto view = co_await parts_.read();
    if (view) {
      take_view(**view, Owners::Look::every_one);
    } else {
      // Refused with the driver's own sentence, unless the model has its lease already.
      ledger_.observe_driver(parts_.current()->driver);
      readings_.reset();
    }
    std::deque<Pending> batch;
    batch.swap(waiting_);
    for (const Pending& pending : batch) {
      const bool readable = view.has_value() || !can_place(ledger_.driver().state);
      if (readable) {
        decide(pending);
      } else {
        answer(pending, Failure(view.error()));
      }
    }
  }
  pumping_ = false;
}

void Keeper::decide(const Pending& pending) {
  const std::string& model = pending->request.model;
  if (pending->terms.admits) {
    if (auto admitted = pending->terms.admits(ledger_.leases()); !admitted) {
      return answer(pending, Failure(admitted.error()));
    }
  }
  if (pending->terms.only_new && ledger_.find_model(model) != nullptr) {
    return answer(pending, fail(ErrorKind::refused, fmt::format(msg::kHasLease, model),
                                msg::kHasLeaseRemedy));
  }
  const decide::Decision decision = decide::decide_assign(ledger_, pending->request);
  if (decision.verdict == decide::Verdict::needs_fresh_reading) {
    if (++pending->readings_waited_for < kMostReadings) {
      return enqueue(pending);
    }
    if (!ledger_.read_at() || *ledger_.read_at() < pending->request.requested_at) {
      return answer(pending, fail(ErrorKind::timed_out, msg::kNeverFresh, msg::kTryLater));
    }
    // Read often enough: what is given back all the time is taken by others as fast. As it is now,
    // there is no room, which is what somebody who waits for room can go on waiting with.
    return answer_refusal(pending,
                          {decide::Verdict::refused, decide::Cause::no_room, {}, decision.lease});
  }
  if (decision.verdict == decide::Verdict::refused) return answer_refusal(pending, decision);
  pending->why = decide::grant_reason(ledger_, pending->request, decision);
  if (decide::changes_ledger(decision.verdict)) {
    store::Decision rests_on = record(pending->request, pending->why);
    journal_grant(pending, ledger_.apply(decision), std::move(rests_on));
    return;
  }
  if (const auto promise = promises_.find(decision.lease.id); promise != promises_.end()) {
    promise->second.followers.push_back(pending);
    ++following_;
    return;
  }
  api::AssignAnswer same;
  same.lease = decision.lease;
  same.already_assigned = true;
  same.why = pending->why;
  answer(pending, std::move(same));
}

void Keeper::answer_refusal(const Pending& pending, const decide::Decision& decision) {
  const std::string& model = pending->request.model;
  api::AssignAnswer refused;
  refused.refusal =
      decide::explain_refusal(ledger_, pending->request, decision, pending->terms.names);
  // The journal is the machine owner's: it has all names.
  const std::string reason =
      pending->terms.names == decide::Names::all
          ? refused.refusal->reason
          : decide::explain_refusal(ledger_, pending->request, decision).reason;
  if (!refusals_.is_news(model, reason, steady_now())) return answer(pending, std::move(refused));
  log(LogLevel::info, "assign refused", {{"model", model}, {"reason", reason}});
  parts_.store.submit(
      store::Write::decided(model, record(pending->request, reason)),
      [](const Result<store::Durable>& saved) {
        if (!saved) {
          log(LogLevel::warning, "a refusal was not journalled", {{"error", saved.error().what}});
        }
      });
  answer(pending, std::move(refused));
}

void Keeper::journal_grant(const Pending& pending, decide::Applied applied,
                           store::Decision rests_on) {
  const Lease& lease = applied.lease;
  submitted_[lease.id] = lease.sequence;
  ++promises_[lease.id].writes;
  store::Write write = applied.before ? store::Write::change(lease, applied.before->sequence,
                                                             pending->why, std::move(rests_on))
                                      : store::Write::grant(lease, std::move(rests_on));
  parts_.store.submit(std::move(write), [this, pending, applied](Result<store::Durable> saved) {
    if (saved) return granted(pending, applied);
    log(LogLevel::error, "a grant could not be written down and is taken back",
        {{"model", applied.lease.model}, {"error", saved.error().what}});
    pending->answer = Failure(saved.error());
    failed_.emplace_back(pending, applied);
    // After the other callbacks of this batch: what failed together is taken back in reverse.
    if (failed_.size() == 1) parts_.loop.post([this] { take_back(); });
  });
}

void Keeper::granted(const Pending& pending, const decide::Applied& applied) {
  refusals_.forget(applied.lease.model);
  log(LogLevel::info, "assigned",
      {{"model", applied.lease.model},
       {"lease", applied.lease.id},
       {"gpu", applied.lease.shares.front().device.key()},
       {"bytes", applied.lease.shares.front().bytes.value},
       {"why", pending->why}});
  durable_[applied.lease.id] = applied.lease.sequence;
  holders_.watch(applied.lease);
  api::AssignAnswer answered;
  answered.lease = applied.lease;
  answered.already_assigned = applied.before.has_value();
  answered.why = pending->why;
  answer(pending, std::move(answered));
  promise_settled(applied.lease.id);
  parts_.changed();
}

void Keeper::promise_settled(const std::string& lease_id) {
  const auto promise = promises_.find(lease_id);
  if (promise == promises_.end() || --promise->second.writes > 0) return;
  const std::vector<Pending> followers = std::move(promise->second.followers);
  promises_.erase(promise);
  following_ -= followers.size();
  for (const Pending& follower : followers) decide(follower);
}

void Keeper::take_back() {
  std::vector<std::pair<Pending, decide::Applied>> failed;
  failed.swap(failed_);
  readings_.reset();
  for (auto it = failed.rbegin(); it != failed.rend(); ++it) {
    const decide::Applied& applied = it->second;
    if (ledger_.find(applied.lease.id) != nullptr) ledger_.roll_back(applied);
    if (applied.before) {
      submitted_[applied.lease.id] = applied.before->sequence;
    } else {
      submitted_.erase(applied.lease.id);
    }
    it->first->answered.notify_all();
  }
  for (const auto& [pending, applied] : failed) promise_settled(applied.lease.id);
  parts_.changed();
}

void Keeper::answer(const Pending& pending, Result<api::AssignAnswer> answer) {
  pending->answer = std::move(answer);
  pending->answered.notify_all();
}

net::Awaitable<Result<Lease>> Keeper::release(std::string model, std::string id) {
  const decide::LeaseEntry* entry = ledger_.find_model(model);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const Lease& lease : ledger_.leases()) names.push_back(lease.model);
    const std::vector<std::string_view> known(names.begin(), names.end());
    const auto near = format::nearest_name(model, known);
    co_return fail(
        ErrorKind::not_found, fmt::format(msg::kNotAssigned, model),
        near ? fmt::format(msg::kDidYouMean, *near) : std::string(msg::kNotAssignedRemedy));
  }
  if (!id.empty() && entry->lease.id != id) {
    co_return fail(ErrorKind::not_found, fmt::format(msg::kNotThatLease, id, model),
                   msg::kNotAssignedRemedy);
  }
  const auto changes = ledger_.release(entry->lease.id, steady_now());
  readings_.reset();
  if (changes.empty()) co_return fail(fmt::format(msg::kNotAssigned, model));
  const Lease lease = changes.front().lease;
  holders_.forget(lease.id);
  look_again();
  parts_.changed();
  const auto saved = co_await save_durably(changes.front());
  if (!saved) {
    co_return fail(saved.error().kind,
                   fmt::format(msg::kReleasedNotRecorded, model, saved.error().what),
                   msg::kReleasedNotRecordedRemedy);
  }
  log(LogLevel::info, "released", {{"model", model}, {"lease", lease.id}});
  co_return lease;
}

net::Awaitable<Result<Lease>> Keeper::shrink(std::string lease_id, std::vector<Bytes> bytes) {
  const decide::LeaseEntry* entry = ledger_.find(lease_id);
  if (entry == nullptr || entry->lease.state == LeaseState::releasing) {
    co_return fail(ErrorKind::not_found, fmt::format(msg::kLeaseIsGone, lease_id),
                   msg::kNotAssignedRemedy);
  }
  if (promises_.contains(lease_id)) {
    co_return fail(ErrorKind::refused, fmt::format(msg::kBeingGranted, lease_id), msg::kTryLater);
  }
  const auto changes = ledger_.shrink(lease_id, bytes, steady_now());
  if (changes.empty()) co_return entry->lease;
  const Lease lease = changes.front().lease;
  readings_.reset();
  look_again();
  parts_.changed();
  const auto saved = co_await save_durably(changes.front());
  if (!saved) {
    co_return fail(saved.error().kind,
                   fmt::format(msg::kShrunkNotRecorded, lease.model, saved.error().what),
                   msg::kShrunkNotRecordedRemedy);
  }
  log(LogLevel::info, "shrunk", {{"model", lease.model}, {"lease", lease.id}});
  co_return lease;
}

void Keeper::holder_died(const std::string& lease_id) {
  readings_.reset();
  journal(ledger_.holder_died(lease_id, steady_now()));
  look_again();
}

void Keeper::observe(const gpu::SensorView& view, const Reading<HostMemory>& host) {
  host_memory_ = host;
  ledger_.observe_driver(view.driver);
  readings_.reset();
  if (can_place(view.driver.state) && view.tiers.has(gpu::Tier::memory) &&
      view.tiers.has(gpu::Tier::processes)) {
    take_view(view, Owners::Look::new_ones);
  } else {
    parts_.health.observe(view);
  }
}

void Keeper::take_view(const gpu::SensorView& view, Owners::Look look) {
  const std::vector<Lease> leases = ledger_.leases();
  decide::Readings readings;
  readings.begun_at = view.read_at;
  readings.driver = view.driver;
  readings.gpus = view.gpus;
  readings.owners = owners_.find(view.gpus, leases, look, view.read_at);
  readings.host_memory = host_memory_;
  parts_.health.observe(view);
  readings.unfit = decide::unfit_gpus(parts_.health.health());
  process_models_.clear();
  for (const decide::ProcessOwner& owner : readings.owners) {
    if (const decide::LeaseEntry* entry = ledger_.find(owner.lease)) {
      process_models_.push_back({owner.pid, entry->lease.model});
    }
  }
  process_containers_ =
      whereabouts_.find(readings.owners, parts_.containers ? parts_.containers() : Containers());
  readings_.reset();
  journal(ledger_.observe(readings));
}

std::vector<std::string> Keeper::devices_of(const std::vector<pid_t>& processes) const {
  std::vector<std::string> devices;
  const gpu::SensorViewPtr view = parts_.current();
  if (!view) return devices;
  for (const Gpu& gpu : view->gpus) {
    if (!gpu.sample.processes) continue;
    const auto& list = *gpu.sample.processes;
    const bool is_there = std::any_of(list.begin(), list.end(), [&](const GpuProcess& process) {
      return std::find(processes.begin(), processes.end(), process.pid) != processes.end();
    });
    if (is_there) devices.push_back(gpu.identity.id.key());
  }
  return devices;
}

void Keeper::look_again() {
  if (looking_ || pumping_) return;
  looking_ = true;
  parts_.loop.spawn(look());
}

net::Awaitable<void> Keeper::look() {
  auto view = co_await parts_.read();
  looking_ = false;
  if (!view) co_return;
  take_view(**view, Owners::Look::every_one);
  parts_.changed();
}

void Keeper::tick() {
  holders_.poll();
  save_again();
  const auto& entries = ledger_.entries();
  const bool someone_leaves = std::any_of(entries.begin(), entries.end(), [](const auto& item) {
    return item.second.lease.state == LeaseState::releasing;
  });
  if (someone_leaves) look_again();
}

void Keeper::save(const decide::LedgerChange& change, Saved done) {
  using Kind = decide::LedgerChange::Kind;
  const Lease& lease = change.lease;
  const bool gone = change.kind == Kind::gone;
  if (const auto waiting = unsaved_.find(lease.id); waiting != unsaved_.end()) {
    waiting->second.lease = lease;
    waiting->second.gone = gone;
    if (done) done(fail(ErrorKind::failed, msg::kEarlierUnsaved));
    return;
  }
  submit(lease, gone, change.reason, std::move(done));
}

net::Awaitable<Result<store::Durable>> Keeper::save_durably(decide::LedgerChange change) {
  net::Notice saved(parts_.loop);
  auto outcome = std::make_shared<std::optional<Result<store::Durable>>>();
  // `saved` lives in this coroutine, which the loop destroys only together with the keeper.
  save(change, [outcome, &saved](const Result<store::Durable>& result) {
    *outcome = result;
    saved.notify_all();
  });
  while (!*outcome) (void)co_await saved.wait();
  co_return **outcome;
}

void Keeper::submit(const Lease& lease, bool gone, const std::string& why, Saved done) {
  const auto known = submitted_.find(lease.id);
  if (known == submitted_.end()) {  // its grant failed: nothing of it is on disk
    if (done) done(store::Durable{});
    return;
  }
  const std::uint64_t expected = known->second;
  known->second = lease.sequence;
  store::Write write = gone ? store::Write::release(lease, expected, why)
                            : store::Write::change(lease, expected, why);
  parts_.store.submit(std::move(write), [this, lease, gone, why, done = std::move(done)](
                                            const Result<store::Durable>& saved) {
    if (saved) {
      written(lease, gone);
    } else if (saved.error().kind == ErrorKind::not_found) {
      unsaved_.erase(lease.id);  // it never got there
    } else {
      log(LogLevel::error, "a change could not be written down and will be tried again",
          {{"lease", lease.id}, {"error", saved.error().what}});
      Unsaved& unsaved = unsaved_[lease.id];
      if (!unsaved.under_way) unsaved = {lease, gone, false, why};
      unsaved.under_way = false;
    }
    if (done) done(saved);
  });
}

void Keeper::written(const Lease& lease, bool gone) {
  durable_[lease.id] = lease.sequence;
  const auto again = unsaved_.find(lease.id);
  if (again != unsaved_.end()) {
    again->second.under_way = false;
    // Changed once more while it was being written: that is still to come.
    if (again->second.lease.sequence == lease.sequence) unsaved_.erase(again);
  }
  if (gone) {
    durable_.erase(lease.id);
    submitted_.erase(lease.id);
  }
}

void Keeper::save_again() {
  for (auto& [id, unsaved] : unsaved_) {
    const auto on_disk = durable_.find(id);
    if (unsaved.under_way || on_disk == durable_.end()) continue;
    unsaved.under_way = true;
    unsaved.lease.sequence = ledger_.take_sequence();
    readings_.reset();
    submitted_[id] = on_disk->second;
    submit(unsaved.lease, unsaved.gone, unsaved.why, {});
  }
}

void Keeper::journal(const std::vector<decide::LedgerChange>& changes) {
  for (const decide::LedgerChange& change : changes) {
    const bool about_gpu = change.lease.id.empty();
    log(about_gpu ? LogLevel::warning : LogLevel::info, "ledger changed",
        {{"subject", about_gpu ? change.device : change.lease.model},
         {"lease", change.lease.id},
         {"reason", change.reason}});
    if (change.kind == decide::LedgerChange::Kind::gone ||
        change.kind == decide::LedgerChange::Kind::releasing) {
      holders_.forget(change.lease.id);
    }
    if (!about_gpu) {
      save(change);
      continue;
    }
    parts_.store.submit(store::Write::event(change.device, change.reason),
                        [](const Result<store::Durable>&) {});
  }
  if (!changes.empty()) parts_.changed();
}

store::Decision Keeper::record(const decide::AssignRequest& request, std::string outcome) {
  if (!readings_) {
    readings_ =
        std::make_shared<const std::string>(api::readings_record(ledger_, store::kMaxReadings));
  }
  return {api::request_record(request, ledger_.sequence()), readings_, std::move(outcome)};
}

}  // namespace estiva::daemon
