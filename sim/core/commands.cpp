// The grammar of commands: a table of verbs, and for each a small function that reads its words.
#include <algorithm>
#include <array>

#include "sim/core/cards.h"
#include "sim/core/functions.h"
#include "sim/core/grammar.h"
#include "sim/core/messages.h"

namespace estiva::sim {
namespace {

constexpr std::uint64_t kMaxPid = 4194304;

struct Reader {
  Line& line;
  Command& command;
  unsigned cards;

  void gpu() {
    const auto number = line.whole("the number of a card, counted from 0 in the scenario", 63);
    if (!line.problem() && number >= cards) {
      line.wrong("there is no card " + std::to_string(number) + ": the machine has " +
                 std::to_string(cards));
    }
    command.gpu = static_cast<std::int32_t>(number);
  }
  void pid() {
    const auto number = line.whole("a process number", kMaxPid);
    if (!line.problem() && number == 0) line.wrong("0 is not a process number");
    command.pid = static_cast<std::int32_t>(number);
  }
  void type() {
    const std::string word = line.word("compute, graphics, both or mps");
    if (word == "compute")
      command.type = kCompute;
    else if (word == "graphics")
      command.type = kGraphics;
    else if (word == "both")
      command.type = kCompute | kGraphics;
    else if (word == "mps")
      command.type = kCompute | kMps;
    else
      line.wrong(not_a(word, "compute, graphics, both or mps"));
  }
  void process_options() {
    command.number = -1;
    while (!line.at_end() && !line.problem()) {
      if (line.accept("name"))
        command.text = line.word("the name of the process");
      else if (line.accept("type"))
        type();
      else if (line.accept("sm"))
        command.number = line.percent("a percentage");
      else if (line.accept("memory"))
        command.load_memory = line.percent("a percentage");
      else if (line.accept("encoder"))
        command.load_encoder = line.percent("a percentage");
      else if (line.accept("decoder"))
        command.load_decoder = line.percent("a percentage");
      else if (line.accept("instance")) {
        command.instance =
            static_cast<std::int32_t>(line.whole("a MIG instance", kMaxInstances - 1));
      } else {
        line.end();
      }
    }
  }
};

void read_process(Reader& r) {
  r.pid();
  if (r.line.accept("gpu"))
    r.gpu();
  else
    r.line.wrong("expected 'gpu NUMBER' after the process number");
  if (r.line.accept("vram")) r.command.bytes = r.line.size("a size");
  r.process_options();
}
void read_alloc(Reader& r) {
  r.pid();
  r.gpu();
  r.command.bytes = r.line.size("a size");
  r.process_options();
}
void read_free(Reader& r) {
  r.pid();
  r.gpu();
  r.command.everything = r.line.at_end();
  if (!r.command.everything) r.command.bytes = r.line.size("a size");
}
void read_pid(Reader& r) {
  r.pid();
}
void read_gpu(Reader& r) {
  r.gpu();
}
void read_nothing(Reader&) {}

void read_use(Reader& r) {
  r.pid();
  r.gpu();
  r.command.number = r.line.percent("a percentage");
}
void read_load(Reader& r) {
  r.gpu();
  r.command.number = r.line.percent("a percentage");
  while (!r.line.at_end() && !r.line.problem()) {
    if (r.line.accept("memory"))
      r.command.load_memory = r.line.percent("a percentage");
    else if (r.line.accept("encoder"))
      r.command.load_encoder = r.line.percent("a percentage");
    else if (r.line.accept("decoder"))
      r.command.load_decoder = r.line.percent("a percentage");
    else if (r.line.accept("sway")) {
      r.command.sway = r.line.percent("a percentage");
      r.command.sway_seconds = 20;
      if (r.line.accept("every")) {
        r.command.sway_seconds = static_cast<double>(r.line.time("a time")) / 1e9;
      }
    } else {
      r.line.end();
    }
  }
}
void read_level(Reader& r, std::string_view expected, double most) {
  r.gpu();
  r.command.everything = r.line.accept("auto");
  if (!r.command.everything) r.command.number = r.line.number(expected, 0, most);
}
void read_temperature(Reader& r) {
  read_level(r, "a temperature in Celsius, or auto", 200);
}
void read_power(Reader& r) {
  read_level(r, "a power in watts, or auto", 5000);
}
void read_fan(Reader& r) {
  read_level(r, "a fan speed in percent, or auto", 100);
}

void read_hold(Reader& r) {
  r.gpu();
  r.command.bytes = r.line.size("a size");
}
void read_throttle(Reader& r) {
  r.gpu();
  r.command.counts[0] = r.line.hex_or_whole("clock event reasons, such as 0x40");
}
void read_pcie(Reader& r) {
  r.gpu();
  while (!r.line.at_end() && !r.line.problem()) {
    if (r.line.accept("generation"))
      r.command.counts[0] = r.line.whole("a generation", 7);
    else if (r.line.accept("width"))
      r.command.counts[1] = r.line.whole("a width", 32);
    else if (r.line.accept("replays"))
      r.command.counts[2] = r.line.whole("a count", UINT64_MAX);
    else
      r.line.end();
  }
}
void read_ecc(Reader& r) {
  r.gpu();
  while (!r.line.at_end() && !r.line.problem()) {
    if (r.line.accept("corrected"))
      r.command.counts[0] = r.line.whole("a count", UINT32_MAX);
    else if (r.line.accept("uncorrected"))
      r.command.counts[1] = r.line.whole("a count", UINT32_MAX);
    else
      r.line.end();
  }
}
void read_remap(Reader& r) {
  r.gpu();
  while (!r.line.at_end() && !r.line.problem()) {
    if (r.line.accept("corrected"))
      r.command.counts[0] = r.line.whole("a count", UINT32_MAX);
    else if (r.line.accept("uncorrected"))
      r.command.counts[1] = r.line.whole("a count", UINT32_MAX);
    else if (r.line.accept("pending"))
      r.command.counts[2] = 1;
    else if (r.line.accept("failed"))
      r.command.counts[3] = 1;
    else
      r.line.end();
  }
}
void read_recovery(Reader& r) {
  r.gpu();
  constexpr std::array<std::string_view, 5> kActions = {"none", "reset", "reboot", "drain-p2p",
                                                        "drain-and-reset"};
  const std::string word = r.line.word("none, reset, reboot, drain-p2p or drain-and-reset");
  for (std::size_t i = 0; i < kActions.size(); ++i) {
    if (kActions[i] != word) continue;
    r.command.counts[0] = i;
    return;
  }
  r.line.wrong(not_a(word, "none, reset, reboot, drain-p2p or drain-and-reset"));
}
void read_retire(Reader& r) {
  r.gpu();
  while (!r.line.at_end() && !r.line.problem()) {
    if (r.line.accept("single"))
      r.command.counts[0] = r.line.whole("a number of pages", 64);
    else if (r.line.accept("double"))
      r.command.counts[1] = r.line.whole("a number of pages", 64);
    else if (r.line.accept("pending"))
      r.command.counts[2] = 1;
    else
      r.line.end();
  }
}
// counts: links down (bits), links up (bits), errors, CRC errors
void read_nvlink(Reader& r) {
  r.gpu();
  while (!r.line.at_end() && !r.line.problem()) {
    if (r.line.accept("down"))
      r.command.counts[0] |= 1ULL << r.line.whole("the number of a link", 17);
    else if (r.line.accept("up"))
      r.command.counts[1] |= 1ULL << r.line.whole("the number of a link", 17);
    else if (r.line.accept("errors"))
      r.command.counts[2] = r.line.whole("a count", UINT32_MAX);
    else if (r.line.accept("crc"))
      r.command.counts[3] = r.line.whole("a count", UINT32_MAX);
    else
      r.line.end();
  }
}
void read_fabric(Reader& r) {
  r.gpu();
  constexpr std::array<std::string_view, 4> kStates = {"none", "not-started", "in-progress",
                                                       "completed"};
  const std::string word = r.line.word("none, not-started, in-progress or completed");
  const auto* found = std::find(kStates.begin(), kStates.end(), word);
  if (found == kStates.end()) {
    return r.line.wrong(not_a(word, "none, not-started, in-progress or completed"));
  }
  r.command.counts[0] = static_cast<std::uint64_t>(found - kStates.begin());
  if (r.line.accept("error")) r.command.counts[1] = r.line.whole("an NVML error code", 999);
}
void read_lag(Reader& r) {
  r.command.time_ns = r.line.time("a time");
}
void read_renumber(Reader& r) {
  while (!r.line.at_end() && !r.line.problem()) {
    r.gpu();
    for (std::int32_t before : r.command.order) {
      if (before == r.command.gpu) r.line.wrong("this card is named twice");
    }
    r.command.order.push_back(r.command.gpu);
  }
  if (r.command.order.empty()) r.line.word("the cards in their new order");
}
void read_persistence(Reader& r) {
  r.gpu();
  if (r.line.accept("on"))
    r.command.counts[0] = 1;
  else if (!r.line.accept("off"))
    r.line.wrong("expected on or off");
}
void read_xid(Reader& r) {
  r.gpu();
  r.command.code = static_cast<std::int32_t>(r.line.whole("an XID code", 999));
}
void read_version(Reader& r) {
  r.command.text = r.line.word("a driver version such as 560.35.03");
  if (r.command.text.size() > 31 ||
      r.command.text.find_first_not_of("0123456789.") != std::string::npos) {
    r.line.wrong(not_a(r.command.text, "a driver version such as 560.35.03"));
  }
}
void read_mig(Reader& r) {
  r.gpu();
  if (r.line.accept("off")) return;
  while (!r.line.at_end() && !r.line.problem()) r.command.words.push_back(r.line.word("a profile"));
  if (r.command.words.empty()) r.line.word("off, or MIG profiles such as 1g.10gb 2g.20gb");
  if (r.command.words.size() > kMaxInstances) r.line.wrong("a card has at most 7 MIG instances");
}
// "all", "init" or the name of a function, with or without "nvmlDevice" and the like in front.
std::int32_t read_function(Reader& r) {
  const std::string name = r.line.word("the name of an NVML function, all or init");
  if (name == "all") return kAllFunctions;
  if (name == "init") return kInitFunctions;
  for (const char* prefix : {"", "nvmlDeviceGet", "nvmlDevice", "nvmlSystemGet", "nvml"}) {
    const int found = find_function(prefix + name);
    if (found >= 0) return found;
  }
  r.line.wrong(not_a(name, "an NVML function that the simulator has, all or init"));
  return -1;
}
void read_fault(Reader& r) {
  r.command.function = read_function(r);
  if (r.line.accept("gpu")) r.gpu();
  if (r.line.accept("latency")) {
    r.command.fault = FaultKind::latency;
    r.command.time_ns = r.line.time("a time");
  } else if (r.line.accept("error")) {
    r.command.fault = FaultKind::error;
    r.command.code = static_cast<std::int32_t>(r.line.whole("an NVML error code", 999));
  } else if (r.line.accept("hang")) {
    r.command.fault = FaultKind::hang;
  } else if (r.line.accept("abort")) {
    r.command.fault = FaultKind::abort;
  } else {
    r.line.word("latency TIME, error CODE, hang or abort");
    r.line.wrong("expected latency TIME, error CODE, hang or abort");
  }
  if (r.line.accept("after")) r.command.after = r.line.whole("a number of calls", 1000000000);
  if (r.line.accept("times")) r.command.times = r.line.whole("a number of calls", 1000000000);
}
void read_clear(Reader& r) {
  r.command.function = kAllFunctions;
  r.command.everything = r.line.at_end();
  if (!r.command.everything) r.command.function = read_function(r);
}

struct Entry {
  std::string_view word;
  Verb verb;
  void (*read)(Reader&);
};
constexpr Entry kVerbs[] = {
    {"process", Verb::process, read_process},
    {"alloc", Verb::alloc, read_alloc},
    {"free", Verb::free, read_free},
    {"exit", Verb::exit, read_pid},
    {"use", Verb::use, read_use},
    {"load", Verb::load, read_load},
    {"temperature", Verb::temperature, read_temperature},
    {"power", Verb::power, read_power},
    {"power-limit", Verb::power_limit, read_power},
    {"fan", Verb::fan, read_fan},
    {"throttle", Verb::throttle, read_throttle},
    {"hold", Verb::hold, read_hold},
    {"pcie", Verb::pcie, read_pcie},
    {"ecc", Verb::ecc, read_ecc},
    {"remap", Verb::remap, read_remap},
    {"recovery", Verb::recovery, read_recovery},
    {"retire", Verb::retire, read_retire},
    {"nvlink", Verb::nvlink, read_nvlink},
    {"fabric", Verb::fabric, read_fabric},
    {"lag", Verb::lag, read_lag},
    {"lose", Verb::lose, read_gpu},
    {"reset-required", Verb::reset_required, read_gpu},
    {"recover", Verb::recover, read_gpu},
    {"unplug", Verb::unplug, read_gpu},
    {"plug", Verb::plug, read_gpu},
    {"renumber", Verb::renumber, read_renumber},
    {"sleep", Verb::sleep, read_gpu},
    {"wake", Verb::wake, read_gpu},
    {"persistence", Verb::persistence, read_persistence},
    {"xid", Verb::xid, read_xid},
    {"driver", Verb::driver, read_version},
    {"library", Verb::library, read_version},
    {"upgrade", Verb::upgrade, read_version},
    {"unload-driver", Verb::unload_driver, read_nothing},
    {"load-driver", Verb::load_driver, read_nothing},
    {"mig", Verb::mig, read_mig},
    {"fault", Verb::fault, read_fault},
    {"clear-faults", Verb::clear_faults, read_clear},
};

}  // namespace

bool is_verb(std::string_view word) {
  for (const Entry& entry : kVerbs) {
    if (entry.word == word) return true;
  }
  return false;
}

Command read_command(Line& line, unsigned cards) {
  Command command;
  const std::string word = line.word("a command");
  for (const Entry& entry : kVerbs) {
    if (entry.word != word) continue;
    command.verb = entry.verb;
    Reader reader{line, command, cards};
    entry.read(reader);
    line.end();
    return command;
  }
  if (!line.problem()) line.wrong(not_a(word, "a command; docs/simulator.md lists them"));
  return command;
}

ParsedCommand parse_command(std::string_view text, unsigned cards) {
  if (text.size() > kMaxLineBytes) return {{}, Problem{1, 1, std::string(kTooLong)}};
  Line line(text, 1);
  ParsedCommand parsed;
  parsed.command = read_command(line, cards);
  parsed.problem = line.problem();
  return parsed;
}

}  // namespace estiva::sim
