// What one unit depends on, written and unwritten: the leaf under unit_graph.h. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "format/unit_file.h"

namespace estiva::decide {

// A unit named by a directive of another.
struct UnitLink {
  std::string name;
  std::string directive;   // "Wants=docker.service"
  bool is_written = true;  // false: systemd adds it by itself
};

struct UnitDeps {
  std::vector<UnitLink> starts;   // Wants=, Requires=, Requisite=, BindsTo=, Upholds=
  std::vector<UnitLink> part_of;  // PartOf=: starts nothing, but a target waits for it
  std::vector<UnitLink> after;
  std::vector<UnitLink> before;
  std::vector<UnitLink> wanted_by;   // of [Install]: who starts it where it is enabled
  std::vector<std::string> aliases;  // of [Install]
  bool has_defaults = true;          // DefaultDependencies=
};

// `name` decides what kind of unit it is and what %i, %n, %N and %p stand for.
UnitDeps read_unit_deps(std::string_view name, const format::UnitFile& file);

// "service" of "docker.service"; empty where there is no dot.
std::string_view unit_type(std::string_view name);
// "getty@.service" of "getty@tty1.service"; empty where it is no instance.
std::string template_of(std::string_view name);

// systemd's own target as it ships it (units/*.target of systemd 252, the lines that order it);
// empty where it is none of those that the order of a boot hangs on.
std::string_view shipped_target(std::string_view name);

}  // namespace estiva::decide
