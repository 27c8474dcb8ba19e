#include "decide/setup/unit_graph.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <set>

#include "base/messages/decide_setup.h"
#include "decide/setup/unit_deps.h"

namespace estiva::decide {
namespace {

// A dependency that makes `unit` start with another, and where it is written.
struct Start {
  std::string unit, written_in, directive;
  bool is_written = true;
};

class Builder {
 public:
  explicit Builder(std::span<const UnitFact> units) {
    if (units.size() > kMaxGraphUnits) {
      units = units.first(kMaxGraphUnits);
      graph_.problems.push_back(fmt::format(msg::kUnitsTooMany, kMaxGraphUnits));
    }
    for (const auto& unit : units) given_.emplace(unit.name, &unit);
    for (const auto& unit : units) {
      if (unit.is_enabled) enable(unit.name);
    }
  }

  UnitGraph build(std::string_view target) {
    pull_in(std::string(target));
    for (const auto& name : graph_.units) order_written(name);
    for (const auto& name : graph_.units) order_target(name);
    return std::move(graph_);
  }

 private:
  void enable(const std::string& name) {
    const auto* deps = load(name);
    if (deps == nullptr) return;  // masked
    for (const auto& alias : deps->aliases) aliases_.emplace(alias, name);
    for (const auto& link : deps->wanted_by) {
      installed_[link.name].push_back({name, name, link.directive, true});
    }
  }

  // The dependencies of a unit, read once; null where there is no such unit.
  const UnitDeps* load(const std::string& name) {
    const auto known = loaded_.find(name);
    if (known != loaded_.end()) return &known->second;
    auto given = given_.find(name);
    if (given == given_.end()) given = given_.find(template_of(name));
    std::string_view text = shipped_target(name);
    if (given != given_.end()) text = given->second->text;
    if (text.empty()) return nullptr;  // an empty file is a masked unit
    return &loaded_.emplace(name, read_unit_deps(name, format::parse_unit_file(text)))
                .first->second;
  }

  std::string resolve(const std::string& name) const {
    const auto alias = aliases_.find(name);
    return alias == aliases_.end() || given_.count(name) != 0 ? name : alias->second;
  }

  // Every unit that `name` starts, by its own words or by those of enabled units.
  std::vector<Start> starts_of(const std::string& name) {
    std::vector<Start> starts;
    const auto* deps = load(name);
    for (const auto& link : deps->starts) {
      starts.push_back({resolve(link.name), name, link.directive, link.is_written});
    }
    const auto installed = installed_.find(name);
    if (installed != installed_.end()) {
      starts.insert(starts.end(), installed->second.begin(), installed->second.end());
    }
    return starts;
  }

  void pull_in(const std::string& target) {
    std::deque<std::string> waiting = {resolve(target)};
    while (!waiting.empty() && graph_.units.size() < kMaxGraphUnits) {
      const std::string name = std::move(waiting.front());
      waiting.pop_front();
      if (started_.count(name) != 0 || load(name) == nullptr) continue;
      started_.insert(name);
      graph_.units.push_back(name);
      for (auto& start : starts_of(name)) waiting.push_back(std::move(start.unit));
    }
    std::sort(graph_.units.begin(), graph_.units.end());
  }

  // Nothing waits for itself, nor for what the boot does not start.
  void order(const std::string& unit, const std::string& after, std::string written_in,
             const std::string& directive) {
    if (unit == after || started_.count(unit) == 0 || started_.count(after) == 0) return;
    if (!ordered_.insert({unit, after}).second) return;
    if (graph_.orders.size() < kMaxGraphEdges) {
      graph_.orders.push_back({unit, after, std::move(written_in), directive});
    } else if (!is_cut_) {
      is_cut_ = true;
      graph_.problems.push_back(fmt::format(msg::kUnitOrdersTooMany, kMaxGraphEdges));
    }
  }

  void order_written(const std::string& name) {
    const auto* deps = load(name);
    for (const auto& link : deps->after) {
      order(name, resolve(link.name), link.is_written ? name : "", link.directive);
    }
    for (const auto& link : deps->before) {
      order(resolve(link.name), name, link.is_written ? name : "", link.directive);
    }
  }

  // A target waits for what it starts or is part of, unless one of the two wants no defaults or is
  // ordered the other way round already (target_add_default_dependencies of systemd). For what it
  // is part of, systemd does so only if that was loaded first, which is chance: here always, so
  // that no cycle is overlooked.
  void order_target(const std::string& name) {
    if (unit_type(name) != "target" || !load(name)->has_defaults) return;
    auto starts = starts_of(name);
    for (const auto& link : load(name)->part_of) {
      starts.push_back({resolve(link.name), name, link.directive, true});
    }
    for (auto& start : starts) {
      const auto* deps = load(start.unit);
      if (deps == nullptr || !deps->has_defaults) continue;
      if (ordered_.count({start.unit, name}) != 0) continue;
      order(name, start.unit, std::move(start.written_in), start.directive);
    }
  }

  std::map<std::string, const UnitFact*, std::less<>> given_;
  std::map<std::string, UnitDeps> loaded_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::vector<Start>> installed_;  // by who is started with them
  std::set<std::string> started_;
  std::set<std::pair<std::string, std::string>> ordered_;
  UnitGraph graph_;
  bool is_cut_ = false;
};

}  // namespace

UnitGraph build_unit_graph(std::span<const UnitFact> units, std::string_view target) {
  return Builder(units).build(target);
}

}  // namespace estiva::decide
