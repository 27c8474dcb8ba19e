// The emergency ladder: which levers are pulled, in which order, each with its numbers, a bound, a
// time after which it is let go, and its undo. Gentle ones first: unload idle models, reclaim idle
// groups, grow swap, brake or freeze who grows, pause admission, end one by the declared order.
// Never: drop caches, delete models, swap off under pressure, prune volumes. Pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "decide/memory/law.h"
#include "model/finding.h"

namespace estiva::decide::memory {

using Span = std::chrono::nanoseconds;

enum class LeverKind : std::uint8_t {
  unload_model,     // target: a model
  reclaim,          // target: a group; amount: bytes of memory.reclaim
  grow_swap,        // amount: bytes; estiva-memd does it by itself
  brake,            // target: a group; amount: bytes of memory.high
  freeze,           // target: a group that is declared freezable
  pause_admission,  // of new models
  kill,             // target: a group
  weigh_cpu,        // target: a group; amount: cpu.weight
  weigh_io,         // target: a group; amount: io.weight
};
std::string_view to_name(LeverKind kind);

// Something that estiva may do, as data: shown, journalled, then done.
struct Lever {
  LeverKind kind = LeverKind::unload_model;
  std::string target;
  std::uint64_t amount = 0;
  std::uint64_t bound = 0;  // of the amount in one pull; 0: there is none to state
  Span ttl{};               // let go at the latest then; 0: it undoes itself, or can't be undone
  std::string reason, effect, undo;  // a sentence each
  friend bool operator==(const Lever&, const Lever&) = default;
};

// A slice, container or scope as it is now.
struct GroupLook {
  std::string name;
  Bytes memory, reclaimable;
  double growth = 0;       // bytes a second
  double stalled = 0;      // share of time that its tasks waited for memory, over 10 s
  double cpu = 0, io = 0;  // its share of what all groups use
  unsigned cpu_weight = 100, io_weight = 100;
  unsigned processes = 1;
  bool is_protected = false;  // sshd, journald, docker, estiva itself, and what a person declared
  bool is_managed = false;    // estiva made it, or knows its container by full id
  bool is_idle = false, is_freezable = false;
  std::optional<int> kill_order;  // the lowest goes first; nothing: never
};

struct IdleModel {
  std::string name;
  Bytes ram;
  Span idle{};
};

// A lever that was pulled and not let go.
struct InForce {
  LeverKind kind = LeverKind::brake;
  std::string target;
  std::int64_t since_ns = 0;
  std::uint64_t before = 0;  // the value to go back to
};

struct LadderLook {
  std::int64_t at_ns = 0;
  Decision law;  // of the same moment
  std::vector<GroupLook> groups;
  std::vector<IdleModel> idle_models;
  std::vector<InForce> in_force;
  std::optional<Ratio> cpu_used, memory_used, disk_used;
  double cpu_stalled = 0, io_stalled = 0;  // PSI `some` over 60 s, 0..1
  std::string disk;                        // which one: its path
};

struct LadderSettings {
  Ratio cpu{0.90}, memory{0.85}, disk{0.90};    // the seed's: crossing one leaves an event
  double stalled_at = 0.40, calm_below = 0.10;  // of CPU and disks: weights change, and go back
  Bytes slice = mib(64);                        // of one reclaim
  double reclaim_stall = 0.01;                  // a group that waits more is left alone
  unsigned most_processes = 64;                 // that one kill may end
  Span between_unloads = std::chrono::seconds(10);
  Span brake_ttl = std::chrono::seconds(60), weight_ttl = std::chrono::minutes(10);
  Span grace = std::chrono::seconds(10);  // that a brake is given before anyone is ended
  std::int64_t horizon_ns = 2'000'000'000;
};

// A threshold that was crossed, up or down.
struct Crossing {
  enum class What : std::uint8_t { cpu, memory, disk };
  What what = What::cpu;
  bool is_above = true;
  Ratio value, threshold;
  friend bool operator==(const Crossing&, const Crossing&) = default;
};

struct LadderState {
  bool cpu_above = false, memory_above = false, disk_above = false;
  std::int64_t unloaded_ns = -1;
};

struct Ladder {
  std::vector<Lever> pull;  // in the order in which to pull them
  std::vector<InForce> let_go;
  std::vector<Crossing> crossings;
  std::vector<Finding> findings;  // of the disk
};

Ladder decide_ladder(LadderState& state, const LadderSettings& settings, const LadderLook& look);

// Who would be ended first and last, were it to come to that; and who never, with the reason.
struct Spared {
  std::string name, why;
};
struct VictimOrder {
  std::vector<std::string> order;
  std::vector<Spared> spared;
};
VictimOrder order_victims(const std::vector<GroupLook>& groups, const LadderSettings& settings);

}  // namespace estiva::decide::memory
