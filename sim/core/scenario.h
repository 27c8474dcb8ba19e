// What a scenario file says: the cards of a machine and a time line of commands. The format is in
// docs/simulator.md. The same commands are what the control socket takes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/state.h"

namespace estiva::sim {

enum class Verb : std::uint8_t {
  process,  // make or change a process: pid, gpu, bytes
  alloc,
  free,
  exit,
  use,
  load,
  temperature,
  power,
  power_limit,
  fan,
  throttle,
  hold,
  pcie,
  ecc,
  remap,
  recovery,
  retire,
  nvlink,
  fabric,
  lag,
  lose,
  reset_required,
  recover,
  unplug,
  plug,
  renumber,
  sleep,
  wake,
  persistence,
  xid,
  driver,
  library,
  upgrade,
  unload_driver,
  load_driver,
  mig,
  fault,
  clear_faults,
};

// One command. Which members mean something depends on the verb.
struct Command {
  Verb verb = Verb::process;
  std::int32_t pid = 0;
  std::int32_t gpu = -1;       // number of the card in the scenario file, -1: all or none
  std::int32_t instance = -1;  // MIG instance number
  std::uint64_t bytes = 0;
  bool everything = false;  // free: all; temperature, power, fan: "auto"
  std::int64_t time_ns = 0;
  double number = 0;
  double load_memory = -1, load_encoder = -1, load_decoder = -1;  // percent; -1: not said
  double sway = 0, sway_seconds = 0;
  std::uint64_t counts[4] = {0, 0, 0, 0};
  std::uint32_t type = kCompute;
  FaultKind fault = FaultKind::none;
  std::int32_t function = -1;
  std::int32_t code = 0;
  std::uint64_t after = 0, times = 0;
  std::string text;
  std::vector<std::string> words;  // MIG profiles
  std::vector<std::int32_t> order;
};

struct Event {
  std::int64_t at_ns = 0;
  Command command;
  int line = 0;
};

struct CardChoice {
  Card card;                         // of the table, with what the scenario says otherwise
  std::string uuid, serial, bus_id;  // empty: made from the card's number
  bool may_sleep = false;
};

struct Scenario {
  std::string name = "unnamed";
  std::string driver = "550.163.01";
  std::uint32_t cuda = 12040;
  std::vector<CardChoice> cards;
  std::vector<Event> events;   // sorted by time, file order among equals; time zero is the start
  std::int64_t repeat_ns = 0;  // 0: the time line runs once
};

// Where a text is wrong: lines and columns count from 1.
struct Problem {
  int line = 0, column = 0;
  std::string what;
  // "laptop.scenario:3:9: unknown card 'rtx999'; the cards are ..."
  std::string sentence(std::string_view file) const;
};

struct ParsedScenario {
  Scenario scenario;
  std::optional<Problem> problem;  // the first one
};
ParsedScenario parse_scenario(std::string_view text);

struct ParsedCommand {
  Command command;
  std::optional<Problem> problem;
};
// One command as the control socket takes it, for a machine of `cards`.
ParsedCommand parse_command(std::string_view text, unsigned cards);

// Limits, so that no text can make us take memory or time without end.
inline constexpr std::size_t kMaxScenarioBytes = 1u << 20;
inline constexpr std::size_t kMaxEvents = 20000;
inline constexpr std::size_t kMaxLineBytes = 4096;
// Times beyond ten years are a mistake.
inline constexpr std::int64_t kMaxTimeNs = 315360000LL * 1000000000LL;

// The text of a built-in scenario, or empty. Names: builtin_names().
std::string_view builtin_scenario(std::string_view name);
std::vector<std::string_view> builtin_names();

// `from` is a built-in name or the path of a file; on failure the string is a sentence that says
// so.
struct LoadedScenario {
  Scenario scenario;
  std::string error;
};
LoadedScenario load_scenario(const std::string& from);

}  // namespace estiva::sim
