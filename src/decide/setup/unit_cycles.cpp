// Cycles in the order of units: the groups of units that wait for each other are the strongly
// connected parts of the graph (Tarjan 1972, without recursion).
#include <algorithm>
#include <cstdint>
#include <deque>
#include <fmt/format.h>
#include <map>

#include "base/messages/decide_setup.h"
#include "decide/setup/unit_graph.h"

namespace estiva::decide {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
// From how many units of a group a short cycle is looked for: bounds the time on a huge group.
constexpr std::size_t kMaxStarts = 64;

struct Edge {
  std::uint32_t to = 0;     // what is waited for
  std::uint32_t order = 0;  // index into UnitGraph::orders
};

// The graph by numbers.
class Numbered {
 public:
  explicit Numbered(const UnitGraph& graph) : edges_(graph.units.size()) {
    std::map<std::string_view, std::uint32_t> numbers;
    for (std::uint32_t i = 0; i < graph.units.size(); ++i) numbers[graph.units[i]] = i;
    for (std::uint32_t i = 0; i < graph.orders.size(); ++i) {
      const auto from = numbers.find(graph.orders[i].unit),
                 to = numbers.find(graph.orders[i].after);
      if (from == numbers.end() || to == numbers.end()) continue;
      edges_[from->second].push_back({to->second, i});
    }
  }
  std::size_t size() const { return edges_.size(); }
  const std::vector<Edge>& from(std::uint32_t node) const { return edges_[node]; }

 private:
  std::vector<std::vector<Edge>> edges_;
};

class Tarjan {
 public:
  explicit Tarjan(const Numbered& graph)
      : graph_(graph),
        index_(graph.size(), kNone),
        low_(graph.size()),
        group_(graph.size(), kNone) {
    for (std::uint32_t node = 0; node < graph.size(); ++node) {
      if (index_[node] == kNone) visit(node);
    }
  }
  // For each node the number of its group.
  const std::vector<std::uint32_t>& groups() const { return group_; }
  std::uint32_t count() const { return count_; }

 private:
  struct Frame {
    std::uint32_t node = 0;
    std::size_t next = 0;  // the edge to look at
  };

  void visit(std::uint32_t root) {
    std::vector<Frame> frames;
    enter(root, frames);
    while (!frames.empty()) {
      auto& frame = frames.back();
      const auto& edges = graph_.from(frame.node);
      if (frame.next == edges.size()) {
        leave(frames);
        continue;
      }
      const std::uint32_t to = edges[frame.next++].to;
      if (index_[to] == kNone) {
        enter(to, frames);
      } else if (group_[to] == kNone) {
        low_[frame.node] = std::min(low_[frame.node], index_[to]);
      }
    }
  }

  void enter(std::uint32_t node, std::vector<Frame>& frames) {
    index_[node] = low_[node] = next_index_++;
    stack_.push_back(node);
    frames.push_back({node, 0});
  }

  void leave(std::vector<Frame>& frames) {
    const std::uint32_t node = frames.back().node;
    frames.pop_back();
    if (!frames.empty()) {
      auto& parent = low_[frames.back().node];
      parent = std::min(parent, low_[node]);
    }
    if (low_[node] != index_[node]) return;
    std::uint32_t member = kNone;
    do {
      member = stack_.back();
      stack_.pop_back();
      group_[member] = count_;
    } while (member != node);
    ++count_;
  }

  const Numbered& graph_;
  std::vector<std::uint32_t> index_, low_, group_, stack_;
  std::uint32_t next_index_ = 0, count_ = 0;
};

// The shortest way from `start` back to itself within its group, as orders; empty where there is
// none.
std::vector<std::uint32_t> shortest_cycle(const Numbered& graph,
                                          const std::vector<std::uint32_t>& groups,
                                          std::uint32_t start) {
  struct Step {
    std::uint32_t from = kNone, order = kNone;
  };
  std::map<std::uint32_t, Step> reached;
  std::deque<std::uint32_t> waiting = {start};
  while (!waiting.empty() && reached.count(start) == 0) {
    const std::uint32_t node = waiting.front();
    waiting.pop_front();
    for (const auto& edge : graph.from(node)) {
      if (groups[edge.to] != groups[start]) continue;
      if (reached.emplace(edge.to, Step{node, edge.order}).second) waiting.push_back(edge.to);
    }
  }
  std::vector<std::uint32_t> orders;
  if (reached.count(start) == 0) return orders;
  std::uint32_t node = start;
  do {
    orders.push_back(reached[node].order);
    node = reached[node].from;
  } while (node != start);
  std::reverse(orders.begin(), orders.end());
  return orders;
}

// The shortest cycle of one group, beginning with its smallest name.
UnitCycle cycle_of(const UnitGraph& graph, const Numbered& numbered,
                   const std::vector<std::uint32_t>& groups,
                   const std::vector<std::uint32_t>& members) {
  std::vector<std::uint32_t> best;
  for (std::size_t i = 0; i < std::min(members.size(), kMaxStarts); ++i) {
    auto orders = shortest_cycle(numbered, groups, members[i]);
    if (best.empty() || (!orders.empty() && orders.size() < best.size())) best = std::move(orders);
  }
  UnitCycle cycle;
  for (const auto order : best) cycle.orders.push_back(graph.orders[order]);
  const auto first =
      std::min_element(cycle.orders.begin(), cycle.orders.end(),
                       [](const UnitOrder& a, const UnitOrder& b) { return a.unit < b.unit; });
  std::rotate(cycle.orders.begin(), first, cycle.orders.end());
  return cycle;
}

}  // namespace

std::vector<UnitCycle> find_unit_cycles(const UnitGraph& graph) {
  const Numbered numbered(graph);
  const Tarjan tarjan(numbered);
  std::vector<std::vector<std::uint32_t>> members(tarjan.count());
  for (std::uint32_t node = 0; node < numbered.size(); ++node) {
    members[tarjan.groups()[node]].push_back(node);
  }
  std::vector<UnitCycle> cycles;
  for (const auto& group : members) {
    if (group.size() > 1) cycles.push_back(cycle_of(graph, numbered, tarjan.groups(), group));
  }
  std::sort(cycles.begin(), cycles.end(), [](const UnitCycle& a, const UnitCycle& b) {
    return a.orders.front().unit < b.orders.front().unit;
  });
  return cycles;
}

std::string to_sentence(const UnitCycle& cycle) {
  std::string links;
  for (const auto& order : cycle.orders) {
    if (!links.empty()) links += ", ";
    links += order.written_in.empty()
                 ? fmt::format(msg::kUnitWaitsBySystemd, order.unit, order.after)
                 : fmt::format(msg::kUnitWaits, order.unit, order.after, order.directive,
                               order.written_in);
  }
  return fmt::format(msg::kUnitCycle, links);
}

bool starts_after(const UnitGraph& graph, std::string_view second, std::string_view first) {
  const Numbered numbered(graph);
  const auto number = [&graph](std::string_view name) {
    const auto at = std::lower_bound(graph.units.begin(), graph.units.end(), name);
    return at != graph.units.end() && *at == name
               ? static_cast<std::uint32_t>(at - graph.units.begin())
               : kNone;
  };
  const std::uint32_t goal = number(first), from = number(second);
  if (goal == kNone || from == kNone) return false;
  std::vector<bool> seen(numbered.size());
  std::deque<std::uint32_t> waiting = {from};
  while (!waiting.empty()) {
    const std::uint32_t node = waiting.front();
    waiting.pop_front();
    for (const auto& edge : numbered.from(node)) {
      if (edge.to == goal) return true;
      if (seen[edge.to]) continue;
      seen[edge.to] = true;
      waiting.push_back(edge.to);
    }
  }
  return false;
}

}  // namespace estiva::decide
