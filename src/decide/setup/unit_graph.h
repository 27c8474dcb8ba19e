// The order in which a boot starts units: a graph of "starts after" edges from the units' texts,
// with what systemd adds of itself (systemd.service(5), .target(5), .path(5), .timer(5),
// .socket(5), .mount(5), .special(7); checked against systemd-analyze verify of systemd 252). An
// ordering cycle makes systemd drop a job of it at boot, so a set-up proves first that there is
// none, also with the units that the user already has. Pure. Time: linear in units and edges.
//
// Not modelled: slices, scopes, devices, generators (but for what is given as units), and
// conditions, which are checked too late to matter for the order.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/readiness.h"

namespace estiva::decide {

// A boot of Debian 12 with Docker has about 120 units and 1,200 edges.
constexpr std::size_t kMaxGraphUnits = 8192;
constexpr std::size_t kMaxGraphEdges = 262144;

// `unit` starts after `after`, because of what stands in `written_in`.
struct UnitOrder {
  std::string unit, after;
  std::string written_in;  // a unit's name; empty: systemd adds it by itself
  std::string directive;   // "After=multi-user.target", "WantedBy=multi-user.target"
  friend bool operator==(const UnitOrder&, const UnitOrder&) = default;
};

struct UnitGraph {
  std::vector<std::string> units;     // that a boot starts, by name
  std::vector<UnitOrder> orders;      // among them
  std::vector<std::string> problems;  // sentences: limits reached
};

// What a boot into `target` starts: the target, what it and those that it starts want, require or
// bind to, and the enabled units whose [Install] section names one of them. A drop-in's lines are
// part of its unit's text. Where one of systemd's own targets (multi-user.target, basic.target,
// ...) is not among `units`, it is as systemd ships it. Wanted units that are not there are left
// out, as systemd does.
UnitGraph build_unit_graph(std::span<const UnitFact> units,
                           std::string_view target = "multi-user.target");

// Units that wait for each other: orders[i].after is orders[i + 1].unit, and the last `after` is
// the first `unit`.
struct UnitCycle {
  std::vector<UnitOrder> orders;
  friend bool operator==(const UnitCycle&, const UnitCycle&) = default;
};

// One cycle, as short as can be, for each group of units that wait for each other; none: the boot
// can start everything. In the order of the first unit's name, which is the smallest of its cycle.
std::vector<UnitCycle> find_unit_cycles(const UnitGraph& graph);
// For people: "docker.service waits for estiva-cdi.service (Before=docker.service in ...), which
// ...".
std::string to_sentence(const UnitCycle& cycle);

// True where `second` can only start when `first` has: the graph has a way from one to the other.
bool starts_after(const UnitGraph& graph, std::string_view second, std::string_view first);

}  // namespace estiva::decide
