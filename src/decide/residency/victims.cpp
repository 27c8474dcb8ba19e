// A cover problem on each GPU: the cheapest candidates whose bytes there are at least what lacks.
#include "decide/residency/victims.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "decide/placement/selector.h"

namespace estiva::decide::residency {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Item {
  std::size_t candidate;
  std::uint64_t bytes;
  double cost;
};

// Branch and bound over the subsets.
class Cover {
 public:
  Cover(std::vector<Item> items, std::uint64_t lacking)
      : items_(std::move(items)), lacking_(lacking) {
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& a, const Item& b) { return a.bytes > b.bytes; });
    rest_.assign(items_.size() + 1, 0);
    for (std::size_t i = items_.size(); i-- > 0;) rest_[i] = rest_[i + 1] + items_[i].bytes;
  }

  // The indices of candidates; empty where all of them are not enough.
  std::vector<std::size_t> cheapest() {
    if (rest_[0] < lacking_) return {};
    if (items_.size() > kExactCandidates) return greedy();
    visit(0, 0, 0);
    return best_;
  }

 private:
  void visit(std::size_t i, std::uint64_t sum, double cost) {
    if (cost >= best_cost_) return;
    if (sum >= lacking_) {
      best_cost_ = cost;
      best_ = chosen_;
      return;
    }
    if (i == items_.size() || sum + rest_[i] < lacking_) return;
    chosen_.push_back(items_[i].candidate);
    visit(i + 1, sum + items_[i].bytes, cost + items_[i].cost);
    chosen_.pop_back();
    visit(i + 1, sum, cost);
  }

  std::vector<std::size_t> greedy() {
    std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
      return a.cost * static_cast<double>(b.bytes) < b.cost * static_cast<double>(a.bytes);
    });
    std::uint64_t sum = 0;
    std::vector<Item> taken;
    for (const Item& item : items_) {
      if (sum >= lacking_) break;
      sum += item.bytes;
      taken.push_back(item);
    }
    std::stable_sort(taken.begin(), taken.end(),
                     [](const Item& a, const Item& b) { return a.cost > b.cost; });
    for (const Item& item : taken) {
      if (sum - item.bytes >= lacking_)
        sum -= item.bytes;
      else
        best_.push_back(item.candidate);
    }
    return best_;
  }

  std::vector<Item> items_;
  std::uint64_t lacking_;
  std::vector<std::uint64_t> rest_;
  std::vector<std::size_t> chosen_, best_;
  double best_cost_ = kInfinite;
};

struct Plan {
  std::vector<std::size_t> set;
  double cost = kInfinite;
};

class Search {
 public:
  Search(const Ledger& ledger, const AssignRequest& request, const Freed& freed,
         const std::vector<Candidate>& candidates)
      : ledger_(ledger),
        request_(request),
        freed_(freed),
        candidates_(candidates),
        taken_(candidates.size(), 0) {}

  Victims run() {
    std::vector<char> used(ledger_.accounts().size(), 0);
    for (const ShareWanted& share : request_.shares)
      if (!take_one_gpu(share, used)) return {};
    if (!fits() && !take_until_it_fits()) return {};
    drop_needless();
    return answer();
  }

 private:
  Bytes bytes_on(const Candidate& candidate, std::uint32_t account) const {
    const bool unified = ledger_.accounts()[account].unified;
    Bytes sum;
    for (const Holding& holding : candidate.held)
      if (holding.account == account || (unified && ledger_.accounts()[holding.account].unified))
        sum += holding.bytes;
    return sum;
  }

  Plan plan_for(std::uint32_t account, Bytes need) const {
    const Bytes room = room_on(ledger_, account, freed_);
    if (room >= need) return {{}, 0};
    std::vector<Item> items;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Bytes bytes = taken_[i] ? Bytes{} : bytes_on(candidates_[i], account);
      if (bytes > Bytes{}) items.push_back({i, bytes.value, candidates_[i].cost});
    }
    Plan plan{Cover(std::move(items), lacking(account, need)).cheapest(), 0};
    if (plan.set.empty()) return {};
    for (const std::size_t i : plan.set) plan.cost += candidates_[i].cost;
    return plan;
  }

  // What has to leave the account until `need` fits. An overcommitted one lacks more than the need.
  std::uint64_t lacking(std::uint32_t account, Bytes need) const {
    const GpuAccount& there = ledger_.accounts()[account];
    const Bytes taken = committed(there) + ledger_.policy().margin + there.credit_pending +
                        (there.foreign_held - there.foreign) + need;
    const Bytes has = there.capacity + freed_[account];
    const Bytes by_sum = taken - has;
    // Unified memory is freed elsewhere too: room_on() knows that.
    if (there.unified) return (need - room_on(ledger_, account, freed_)).value;
    return by_sum.value;
  }

  bool take_one_gpu(const ShareWanted& share, std::vector<char>& used) {
    const Bytes need = share.bytes + ledger_.policy().context_allowance;
    std::vector<std::uint32_t> allowed;
    if (!is_auto(share.gpu)) allowed = find_gpus(ledger_.accounts(), share.gpu);
    Plan best;
    std::uint32_t where = 0;
    for (std::uint32_t i = 0; i < ledger_.accounts().size(); ++i) {
      const bool named = is_auto(share.gpu) || (allowed.size() == 1 && allowed[0] == i);
      if (!named || used[i] || !takes_more(ledger_.accounts()[i])) continue;
      Plan plan = plan_for(i, need);
      if (plan.cost >= best.cost) continue;
      best = std::move(plan);
      where = i;
    }
    if (best.cost == kInfinite) return false;
    used[where] = 1;
    for (const std::size_t i : best.set) take(i);
    return true;
  }

  void take(std::size_t i) {
    taken_[i] = 1;
    add(freed_, candidates_[i].held);
  }
  void put_back(std::size_t i) {
    taken_[i] = 0;
    for (const Holding& holding : candidates_[i].held) freed_[holding.account] -= holding.bytes;
  }
  bool fits() const { return choose_gpus(ledger_, request_, freed_).cause == Cause::none; }

  bool take_until_it_fits() {
    for (const std::size_t i : by_cost()) {
      if (taken_[i]) continue;
      take(i);
      if (fits()) return true;
    }
    return false;
  }

  // The dearest first.
  void drop_needless() {
    const auto order = by_cost();
    for (std::size_t n = order.size(); n-- > 0;) {
      if (!taken_[order[n]]) continue;
      put_back(order[n]);
      if (!fits()) take(order[n]);
    }
  }

  std::vector<std::size_t> by_cost() const {
    std::vector<std::size_t> order(candidates_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return candidates_[a].cost < candidates_[b].cost;
    });
    return order;
  }

  Victims answer() const {
    Victims victims{true, {}, choose_gpus(ledger_, request_, freed_).accounts, 0};
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!taken_[i]) continue;
      victims.set.push_back(i);
      victims.cost += candidates_[i].cost;
    }
    return victims;
  }

  const Ledger& ledger_;
  const AssignRequest& request_;
  Freed freed_;
  const std::vector<Candidate>& candidates_;
  std::vector<char> taken_;
};

}  // namespace

Victims choose_victims(const Ledger& ledger, const AssignRequest& request, const Freed& freed,
                       const std::vector<Candidate>& candidates) {
  return Search(ledger, request, freed, candidates).run();
}

}  // namespace estiva::decide::residency
