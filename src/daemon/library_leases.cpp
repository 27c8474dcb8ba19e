#include "daemon/library_leases.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

#include "base/clock.h"
#include "base/log.h"
#include "base/messages/api.h"

namespace estiva::daemon {

using api::LibraryEvent;
using api::Revoked;
using Kind = api::LibraryEvent::Kind;
using Move = Residents::LeaseMove;

LibraryLeases::LibraryLeases(Parts parts) : parts_(std::move(parts)), told_(parts_.loop) {}

// ---- what programs say -----------------------------------------------------------------------

void LibraryLeases::enrol(const Lease& lease, api::LibraryTerms terms) {
  Held& held = know(lease);
  held.terms = terms;
  held.silent = Nanoseconds::zero();
  if (held.stand == Stand::in) told_move(held, Move::in);
  if (!terms.heartbeat || sweeper_) return;
  swept_at_ = steady_now();
  sweeper_ = parts_.loop.every(kSweep, [this] { parts_.loop.post([this] { sweep(); }); });
}

void LibraryLeases::beat(const Lease& lease) {
  know(lease).silent = Nanoseconds::zero();
}

Result<void> LibraryLeases::use(const Lease& lease, bool busy) {
  Held& held = know(lease);
  if (busy && held.stand != Stand::in) {
    return fail(ErrorKind::refused, fmt::format(msg::kGivesBack, lease.model),
                msg::kGivesBackRemedy);
  }
  held.busy = busy;
  held.used_at = steady_now();
  told_move(held, busy ? Move::busy : Move::idle);
  if (busy) return {};
  if (held.wanted && held.stand == Stand::in) told_.notify_all();  // whoever waits asks it now
  parts_.yielded_or_idle();
  return {};
}

net::Awaitable<Result<Lease>> LibraryLeases::yielded(Lease lease, std::vector<Bytes> kept) {
  (void)know(lease);
  auto shrunk = co_await parts_.keeper.shrink(lease.id, std::move(kept));
  const auto known = held_.find(lease.id);
  // Not written down is small all the same: the ledger has it.
  const bool is_gone = known == held_.end() || !is_live(lease.id);
  if (is_gone || (!shrunk && shrunk.error().kind == ErrorKind::refused)) co_return shrunk;
  known->second.stand = Stand::out;
  known->second.busy = false;
  told_move(known->second, Move::out);
  told_.notify_all();
  parts_.yielded_or_idle();
  co_return shrunk;
}

net::Awaitable<Result<api::AssignAnswer>> LibraryLeases::resume(Lease lease,
                                                                std::optional<Bytes> each,
                                                                bool busy, api::AssignTerms terms) {
  decide::AssignRequest request;
  request.model = lease.model;
  request.holder = lease.holder;
  request.requested_at = steady_now();
  request.wall = wall_now();
  for (const Share& share : know(lease).lease.shares) {
    request.shares.push_back({"auto", each.value_or(share.bytes)});
  }
  auto answer = co_await parts_.assign(std::move(request), std::move(terms));
  const auto known = held_.find(lease.id);
  if (!answer || answer->refusal || known == held_.end()) co_return answer;
  Held& held = known->second;
  held.lease = answer->lease;
  held.stand = Stand::in;
  held.busy = busy;
  held.got_at = held.used_at = steady_now();
  tell(held, Kind::granted_bytes);
  told_move(held, Move::in);
  if (busy) told_move(held, Move::busy);
  co_return answer;
}

Result<std::optional<LibraryEvent>> LibraryLeases::event_after(const std::string& lease_id,
                                                               std::uint64_t seen) {
  const auto known = held_.find(lease_id);
  if (known == held_.end() || !is_live(lease_id)) {
    return fail(ErrorKind::not_found, fmt::format(msg::kLeaseIsGone, lease_id), {});
  }
  if (known->second.event.number <= seen) return std::optional<LibraryEvent>();
  return std::optional(known->second.event);
}

// ---- what they are told ------------------------------------------------------------------------

net::Awaitable<Revoked> LibraryLeases::revoke(std::string lease_id, std::string reason,
                                              Nanoseconds limit) {
  const auto known = held_.find(lease_id);
  if (!is_live(lease_id)) co_return Revoked::released;
  if (known == held_.end() || !known->second.terms.revocable) co_return Revoked::refused;
  const SteadyTime deadline = steady_now() + limit;
  known->second.wanted = true;
  log(LogLevel::info, "a lease is asked for its bytes",
      {{"model", known->second.lease.model}, {"lease", lease_id}, {"reason", reason}});
  const Revoked how = co_await outcome(lease_id, deadline, std::move(reason));
  const auto still = held_.find(lease_id);
  if (still == held_.end()) co_return how;
  Held& held = still->second;
  held.wanted = false;
  if (how != Revoked::refused) co_return how;
  log(LogLevel::warning, "a lease did not give its bytes back in time",
      {{"model", held.lease.model}, {"lease", lease_id}, {"busy", held.busy}});
  if (held.stand == Stand::asked) {
    held.stand = Stand::in;
    tell(held, Kind::granted_bytes);
  }
  co_return how;
}

net::Awaitable<Revoked> LibraryLeases::outcome(std::string lease_id, SteadyTime deadline,
                                               std::string reason) {
  for (;;) {
    const auto known = held_.find(lease_id);
    if (known == held_.end() || !is_live(lease_id)) co_return Revoked::released;
    if (known->second.stand == Stand::out) co_return Revoked::yielded;
    const Nanoseconds left = deadline - steady_now();
    if (left <= Nanoseconds::zero()) co_return Revoked::refused;
    ask(known->second, reason, deadline);
    (void)co_await told_.wait(left);
  }
}

// Unless it was asked already, or is in the middle of something.
void LibraryLeases::ask(Held& held, const std::string& reason, SteadyTime deadline) {
  if (held.stand != Stand::in || held.busy) return;
  held.stand = Stand::asked;
  tell(held, Kind::revoke, reason, deadline);
}

void LibraryLeases::offer(const std::string& lease_id, std::string reason) {
  const auto known = held_.find(lease_id);
  if (known == held_.end() || known->second.stand != Stand::out) return;
  tell(known->second, Kind::resume, std::move(reason));
}

bool LibraryLeases::make_room(const decide::AssignRequest& request,
                              std::vector<decide::Yielder> others) {
  if (being_asked_ > 0) return true;
  const SteadyTime now = steady_now();
  std::vector<const Held*> candidates;
  for (const auto& [id, held] : held_) {
    const bool managed = parts_.is_managed && parts_.is_managed(held.lease.model);
    const bool can_yield = held.terms.revocable && held.stand == Stand::in && !held.wanted;
    if (!can_yield || managed || held.lease.model == request.model) continue;
    if (now - held.got_at >= kShortestStay) candidates.push_back(&held);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Held* a, const Held* b) {
    return std::tie(a->busy, a->used_at, a->lease.id) < std::tie(b->busy, b->used_at, b->lease.id);
  });
  std::vector<decide::Yielder> in_order = std::move(others);
  for (const Held* held : candidates) in_order.push_back({held->lease.id, {}});
  std::vector<std::string> ids = decide::whom_to_ask(parts_.keeper.ledger(), request, in_order);
  std::erase_if(ids, [this](const std::string& id) { return !held_.contains(id); });
  if (ids.empty()) return false;
  being_asked_ = ids.size();
  for (std::string& id : ids) parts_.loop.spawn(ask_one(std::move(id), msg::kOthersWait));
  return true;
}

net::Awaitable<void> LibraryLeases::ask_one(std::string id, std::string reason) {
  (void)co_await revoke(std::move(id), std::move(reason), kTimeToYield);
  --being_asked_;
  parts_.yielded_or_idle();
}

// ---- what becomes of them --------------------------------------------------------------------

LibraryLeases::Held& LibraryLeases::know(const Lease& lease) {
  const auto [place, is_new] = held_.try_emplace(lease.id);
  Held& held = place->second;
  if (!is_new) return held;
  held.lease = lease;
  held.got_at = held.used_at = steady_now();
  tell(held, Kind::granted_bytes);
  return held;
}

bool LibraryLeases::is_live(const std::string& lease_id) const {
  const decide::LeaseEntry* entry = parts_.keeper.ledger().find(lease_id);
  return entry != nullptr && entry->lease.state != LeaseState::releasing;
}

void LibraryLeases::tell(Held& held, Kind kind, std::string reason, SteadyTime deadline) {
  LibraryEvent& event = held.event;
  event.kind = kind;
  ++event.number;
  event.bytes.clear();
  for (const Share& share : held.lease.shares) event.bytes.push_back(share.bytes);
  event.reason = std::move(reason);
  event.deadline = deadline;
  told_.notify_all();
}

void LibraryLeases::told_move(const Held& held, Move move) const {
  if (parts_.moved && held.terms.revocable) parts_.moved(held.lease.model, move);
}

const LibraryLeases::Held* LibraryLeases::held_by(const std::string& model) const {
  for (const auto& [id, held] : held_) {
    if (held.lease.model == model && held.terms.revocable && is_live(id)) return &held;
  }
  return nullptr;
}

std::optional<Holder> LibraryLeases::program_of(const std::string& model) const {
  const Held* held = held_by(model);
  return held != nullptr && held->stand == Stand::in ? held->lease.holder : std::nullopt;
}

net::Awaitable<bool> LibraryLeases::ask_model(std::string model) {
  const Held* held = held_by(model);
  if (held == nullptr) co_return true;
  // Named, and not built inside a co_await: GCC 12 destroys such a value twice.
  std::string id = held->lease.id;
  std::string reason = msg::kOthersWait;
  const Revoked how = co_await revoke(std::move(id), std::move(reason), kTimeToYield);
  co_return how != Revoked::refused;
}

void LibraryLeases::ledger_changed() {
  std::vector<Held> gone;
  std::erase_if(held_, [&](const auto& item) {
    if (is_live(item.first)) return false;
    gone.push_back(item.second);
    return true;
  });
  for (const Held& held : gone) told_move(held, Move::out);
  if (!gone.empty()) told_.notify_all();
}

// Time that passed while this machine slept, or while we could not look, is not silence.
void LibraryLeases::sweep() {
  const SteadyTime now = steady_now();
  const Nanoseconds passed = std::min(now - swept_at_, 2 * kSweep);
  swept_at_ = now;
  bool somebody = false;
  std::vector<Lease> lost;
  for (auto& [id, held] : held_) {
    if (!held.terms.heartbeat) continue;
    somebody = true;
    held.silent += passed;
    if (held.silent <= *held.terms.heartbeat) continue;
    log(LogLevel::warning, "a lease is lost: its program has not been heard of",
        {{"model", held.lease.model},
         {"lease", id},
         {"seconds", std::chrono::duration<double>(held.silent).count()}});
    held.terms.heartbeat.reset();  // once
    lost.push_back(held.lease);
  }
  for (const Lease& lease : lost) parts_.loop.spawn(lose(lease.model, lease.id));
  if (!somebody) sweeper_.reset();
}

net::Awaitable<void> LibraryLeases::lose(std::string model, std::string lease_id) {
  (void)co_await parts_.keeper.release(std::move(model), std::move(lease_id));
}

}  // namespace estiva::daemon
