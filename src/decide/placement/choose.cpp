// Explicit GPUs first, then the shares that may go anywhere, the largest first.
#include "decide/placement/choose.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "decide/placement/selector.h"

namespace estiva::decide {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

struct Candidate {
  std::uint32_t account = kNone;
  Bytes room;
};

bool is_taken(const std::vector<std::uint32_t>& accounts, std::uint32_t account) {
  return std::find(accounts.begin(), accounts.end(), account) != accounts.end();
}

// Index, then UUID: two GPUs never compare equal, so the answer does not depend on their order.
bool comes_first(const GpuAccount& a, const GpuAccount& b) {
  if (a.index != b.index) return a.index < b.index;
  return a.id.key() < b.id.key();
}

// Unknown utilisation is not idleness: it comes after every known one.
bool is_less_busy(const GpuAccount& a, const GpuAccount& b) {
  if (a.utilization && b.utilization) return *a.utilization < *b.utilization;
  return a.utilization.known() && !b.utilization.known();
}

bool is_better(const Ledger& ledger, Choice choice, const Candidate& a, const Candidate& b) {
  const GpuAccount& x = ledger.accounts()[a.account];
  const GpuAccount& y = ledger.accounts()[b.account];
  if (choice == Choice::least_utilized) {
    if (is_less_busy(x, y)) return true;
    if (is_less_busy(y, x)) return false;
    if (a.room != b.room) return a.room > b.room;
  } else if (a.room != b.room) {
    return a.room < b.room;
  }
  return comes_first(x, y);
}

Choice settled(const Ledger& ledger, Choice choice) {
  if (choice != Choice::by_gpu_count) return choice;
  const auto usable = std::count_if(ledger.accounts().begin(), ledger.accounts().end(),
                                    [](const GpuAccount& account) { return takes_more(account); });
  return usable >= 2 ? Choice::pack : Choice::least_utilized;
}

// What is left there for one more share of this request. Shares on different unified-memory GPUs
// come out of the same RAM, so what was placed on one of them is missing on the others.
Bytes room_left(const Ledger& ledger, std::uint32_t account, std::span<const Bytes> freed,
                Bytes placed_in_ram) {
  const Bytes room = room_on(ledger, account, freed);
  return ledger.accounts()[account].unified ? room - placed_in_ram : room;
}

Candidate best_for(const Ledger& ledger, Choice choice, Bytes wanted,
                   const std::vector<std::uint32_t>& taken, std::span<const Bytes> freed,
                   Bytes placed_in_ram) {
  Candidate best;
  for (std::uint32_t i = 0; i < ledger.accounts().size(); ++i) {
    const Candidate next{i, room_left(ledger, i, freed, placed_in_ram)};
    if (!takes_more(ledger.accounts()[i]) || next.room < wanted || is_taken(taken, i)) continue;
    if (best.account == kNone || is_better(ledger, choice, next, best)) best = next;
  }
  return best;
}

// What a share costs before its holder has a context.
Bytes cost_of(const Ledger& ledger, Bytes declared) {
  return declared + ledger.policy().context_allowance;
}

Chosen failed(Cause cause, std::string detail = {}) {
  return {cause, std::move(detail), {}};
}

// Places the shares that name a GPU; their faults come in the order that helps most: a wrong name
// before a GPU that can't be used before one that is full.
std::optional<Chosen> place_named(const Ledger& ledger, const AssignRequest& request,
                                  std::span<const Bytes> freed,
                                  std::vector<std::uint32_t>& accounts, Bytes& placed_in_ram) {
  for (std::size_t i = 0; i < request.shares.size(); ++i) {
    const std::string& name = request.shares[i].gpu;
    if (is_auto(name)) continue;
    const auto found = find_gpus(ledger.accounts(), name);
    if (found.size() != 1) return failed(Cause::unknown_gpu, name);
    if (is_taken(accounts, found[0])) return failed(Cause::bad_request, name);
    accounts[i] = found[0];
  }
  for (std::size_t i = 0; i < accounts.size(); ++i)
    if (accounts[i] != kNone && !takes_more(ledger.accounts()[accounts[i]]))
      return failed(Cause::no_usable_gpu);
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (accounts[i] == kNone) continue;
    const Bytes cost = cost_of(ledger, request.shares[i].bytes);
    if (room_left(ledger, accounts[i], freed, placed_in_ram) < cost) return failed(Cause::no_room);
    if (ledger.accounts()[accounts[i]].unified) placed_in_ram += cost;
  }
  return std::nullopt;
}

std::vector<std::size_t> largest_first(const std::vector<ShareWanted>& shares) {
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0);
  if (order.size() > 1)
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return shares[a].bytes > shares[b].bytes;
    });
  return order;
}

bool has_usable_gpu(const Ledger& ledger) {
  return std::any_of(ledger.accounts().begin(), ledger.accounts().end(),
                     [](const GpuAccount& account) { return takes_more(account); });
}

}  // namespace

Bytes room_on(const Ledger& ledger, std::uint32_t account, std::span<const Bytes> freed) {
  const GpuAccount& there = ledger.accounts()[account];
  if (freed.empty() || !there.unified)
    return admissible(there, ledger.policy(), freed.empty() ? Bytes{} : freed[account]);
  // RAM that is freed through one unified-memory GPU is free for all of them.
  GpuAccount shared = there;
  for (std::uint32_t i = 0; i < freed.size(); ++i)
    if (i != account && ledger.accounts()[i].unified) shared.capacity += freed[i];
  return admissible(shared, ledger.policy(), freed[account]);
}

Chosen choose_gpus(const Ledger& ledger, const AssignRequest& request,
                   std::span<const Bytes> freed) {
  if (!has_usable_gpu(ledger)) return failed(Cause::no_usable_gpu);
  std::vector<std::uint32_t> accounts(request.shares.size(), kNone);
  Bytes placed_in_ram;
  if (auto fault = place_named(ledger, request, freed, accounts, placed_in_ram)) return *fault;
  const Choice choice = settled(ledger, request.choice);
  // The GPUs that can take a share can take every smaller one too. So whichever of them the
  // largest share gets, the later shares lose exactly one choice each: no order of picks can
  // spoil an assignment that exists.
  for (const std::size_t i : largest_first(request.shares)) {
    if (accounts[i] != kNone) continue;
    const Bytes cost = cost_of(ledger, request.shares[i].bytes);
    const Candidate best = best_for(ledger, choice, cost, accounts, freed, placed_in_ram);
    if (best.account == kNone) return failed(Cause::no_room);
    if (ledger.accounts()[best.account].unified) placed_in_ram += cost;
    accounts[i] = best.account;
  }
  return {Cause::none, {}, std::move(accounts)};
}

}  // namespace estiva::decide
