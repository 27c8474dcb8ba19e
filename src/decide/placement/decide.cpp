// The questions of an assign, in the order in which they are asked.
#include "decide/placement/decide.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/messages/decide.h"
#include "decide/placement/choose.h"
#include "decide/placement/selector.h"

namespace estiva::decide {
namespace {

constexpr std::size_t kLongestName = 128;

Decision refused(Cause cause, std::string detail = {}, Lease lease = {}) {
  return {Verdict::refused, cause, std::move(detail), std::move(lease)};
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// What is wrong with the words of the request, as a sentence.
std::optional<std::string> fault_of(const AssignRequest& request) {
  if (request.model.empty()) return std::string(msg::kNoModelName);
  if (request.model.size() > kLongestName || has_control_character(request.model))
    return fmt::format(msg::kBadModelName, kLongestName);
  if (request.shares.empty() || request.shares.size() > kMostShares)
    return fmt::format(msg::kBadShareCount, request.shares.size(), kMostShares);
  for (const ShareWanted& share : request.shares)
    if (share.bytes == Bytes{}) return std::string(msg::kNoSize);
  return std::nullopt;
}

// I2: nobody looked since the request arrived.
bool is_too_old(const Ledger& ledger, SteadyTime requested_at) {
  return !ledger.read_at() || *ledger.read_at() < requested_at;
}

// Not now. But where room that was given back after the read was begun would do, the answer is
// not no: it is "look again".
Decision no_room(bool fits_with_credit, Lease lease = {}) {
  if (fits_with_credit) return {Verdict::needs_fresh_reading, Cause::none, {}, std::move(lease)};
  return refused(Cause::no_room, {}, std::move(lease));
}

// Per account, what was given back and nobody has looked at yet.
std::vector<Bytes> credits_of(const Ledger& ledger) {
  std::vector<Bytes> freed;
  for (const GpuAccount& account : ledger.accounts()) freed.push_back(account.credit_pending);
  return freed;
}

bool fits_with_credit(const Ledger& ledger, const AssignRequest& request) {
  const auto freed = credits_of(ledger);
  const bool any = std::any_of(freed.begin(), freed.end(), [](Bytes b) { return b > Bytes{}; });
  return any && choose_gpus(ledger, request, freed).cause == Cause::none;
}

Lease draft_of(const Ledger& ledger, const AssignRequest& request,
               const std::vector<std::uint32_t>& accounts) {
  Lease lease;
  lease.model = request.model;
  lease.holder = request.holder;
  lease.granted_at = request.wall;
  lease.shares.reserve(accounts.size());
  for (std::size_t i = 0; i < accounts.size(); ++i)
    lease.shares.push_back({ledger.accounts()[accounts[i]].id, request.shares[i].bytes});
  return lease;
}

Decision decide_new(const Ledger& ledger, const AssignRequest& request) {
  if (!can_place(ledger.driver().state)) return refused(Cause::driver_not_ready);
  if (is_too_old(ledger, request.requested_at)) return {Verdict::needs_fresh_reading, {}, {}, {}};
  Chosen chosen = choose_gpus(ledger, request);
  if (chosen.cause == Cause::no_room) return no_room(fits_with_credit(ledger, request));
  if (chosen.cause == Cause::bad_request)
    return refused(Cause::bad_request, fmt::format(msg::kSameGpuTwice, chosen.detail));
  if (chosen.cause != Cause::none) return refused(chosen.cause, std::move(chosen.detail));
  return {Verdict::granted, Cause::none, {}, draft_of(ledger, request, chosen.accounts)};
}

// Which share of the lease each share of the request means; nothing where they do not match.
// Shares for any GPU mean the one in the same place, so the same words give the same answer.
std::optional<std::vector<std::size_t>> match_shares(const Ledger& ledger, const LeaseEntry& entry,
                                                     const AssignRequest& request) {
  const std::size_t n = entry.uses.size();
  if (request.shares.size() != n) return std::nullopt;
  std::vector<std::size_t> meant(n, n);
  std::vector<char> taken(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (is_auto(request.shares[i].gpu)) continue;
    const auto found = find_gpus(ledger.accounts(), request.shares[i].gpu);
    for (std::size_t j = 0; j < n; ++j)
      if (found.size() == 1 && entry.uses[j].account == found[0] && !taken[j]) meant[i] = j;
    if (meant[i] == n) return std::nullopt;
    taken[meant[i]] = 1;
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (meant[i] != n) continue;
    const auto rest = std::find(taken.begin(), taken.end(), 0);
    meant[i] = taken[i] ? static_cast<std::size_t>(rest - taken.begin()) : i;
    taken[meant[i]] = 1;
  }
  return meant;
}

// The name of a GPU in the request that none or several GPUs have.
std::optional<std::string> unknown_name(const Ledger& ledger, const AssignRequest& request) {
  for (const ShareWanted& share : request.shares)
    if (!is_auto(share.gpu) && find_gpus(ledger.accounts(), share.gpu).size() != 1)
      return share.gpu;
  return std::nullopt;
}

// The model has a lease: the same again, a holder for it, or more room for it.
Decision decide_existing(const Ledger& ledger, const LeaseEntry& entry,
                         const AssignRequest& request) {
  const Lease& lease = entry.lease;
  if (auto name = unknown_name(ledger, request)) {
    // Before the first read no index is known; that is no fault of the name.
    if (!can_place(ledger.driver().state)) return refused(Cause::driver_not_ready, {}, lease);
    if (!ledger.read_at()) return {Verdict::needs_fresh_reading, Cause::none, {}, lease};
    return refused(Cause::unknown_gpu, *name);
  }
  const auto meant = match_shares(ledger, entry, request);
  if (!meant) return refused(Cause::assigned_elsewhere, {}, lease);
  if (request.holder && lease.holder && *request.holder != *lease.holder)
    return refused(Cause::held_by_another, {}, lease);
  std::vector<Bytes> bytes(meant->size());
  bool larger = false;
  for (std::size_t i = 0; i < meant->size(); ++i) {
    bytes[(*meant)[i]] = request.shares[i].bytes;
    larger = larger || request.shares[i].bytes > lease.shares[(*meant)[i]].bytes;
  }
  Decision decision{Verdict::already_assigned, Cause::none, {}, lease};
  if (larger) decision = decide_grow(ledger, entry, bytes, request.requested_at);
  if (decision.verdict == Verdict::already_assigned && request.holder && !lease.holder)
    decision.verdict = Verdict::bound;
  if (request.holder && changes_ledger(decision.verdict)) decision.lease.holder = request.holder;
  return decision;
}

}  // namespace

std::vector<ShareWanted> on_any_gpus(std::size_t n, Bytes each) {
  return std::vector<ShareWanted>(n, ShareWanted{"auto", each});
}

ErrorKind kind_of(Cause cause) {
  switch (cause) {
    case Cause::no_room:
      return ErrorKind::no_room;
    case Cause::bad_request:
      return ErrorKind::usage;
    case Cause::unknown_gpu:
      return ErrorKind::not_found;
    default:
      return ErrorKind::refused;
  }
}

Decision decide_assign(const Ledger& ledger, const AssignRequest& request) {
  if (auto fault = fault_of(request)) return refused(Cause::bad_request, std::move(*fault));
  if (const LeaseEntry* entry = ledger.find_model(request.model))
    return decide_existing(ledger, *entry, request);
  return decide_new(ledger, request);
}

Decision decide_grow(const Ledger& ledger, const LeaseEntry& entry, const std::vector<Bytes>& bytes,
                     SteadyTime requested_at) {
  if (!can_place(ledger.driver().state)) return refused(Cause::driver_not_ready, {}, entry.lease);
  if (is_too_old(ledger, requested_at))
    return {Verdict::needs_fresh_reading, Cause::none, {}, entry.lease};
  Lease lease = entry.lease;
  Bytes grown_in_ram;  // unified-memory GPUs share it
  for (std::size_t i = 0; i < entry.uses.size(); ++i) {
    const Use& use = entry.uses[i];
    const GpuAccount& account = ledger.accounts()[use.account];
    if (bytes[i] <= use.declared) continue;
    if (!takes_more(account)) return refused(Cause::no_usable_gpu, account.id.key(), entry.lease);
    Use larger = use;
    larger.declared = lease.shares[i].bytes = bytes[i];
    const Bytes extra =
        charge_of(larger, entry.lease.state, account.used, ledger.policy().context_allowance) -
        use.charge;
    const Bytes needed = account.unified ? extra + grown_in_ram : extra;
    grown_in_ram += account.unified ? extra : Bytes{};
    if (admissible(account, ledger.policy()) >= needed) continue;
    const bool with_credit = room_on(ledger, use.account, credits_of(ledger)) >= needed;
    return no_room(with_credit, entry.lease);
  }
  return {Verdict::grown, Cause::none, {}, std::move(lease)};
}

}  // namespace estiva::decide
