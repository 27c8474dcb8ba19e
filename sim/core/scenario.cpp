// A scenario file: lines that describe the machine, and commands with or without a time.
#include "sim/core/scenario.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/core/cards.h"
#include "sim/core/grammar.h"
#include "sim/core/messages.h"

namespace estiva::sim {
namespace {

std::string list_of(const std::vector<std::string_view>& names) {
  std::string all;
  for (std::string_view name : names) {
    if (!all.empty()) all += ", ";
    all += name;
  }
  return all;
}

class FileReader {
 public:
  ParsedScenario read(std::string_view text) {
    if (text.size() > kMaxScenarioBytes) return failed({1, 1, std::string(kTooLong)});
    int number = 0;
    while (!text.empty() && !out_.problem) {
      const std::size_t stop = std::min(text.find('\n'), text.size());
      read_line(text.substr(0, stop), ++number);
      text.remove_prefix(std::min(stop + 1, text.size()));
    }
    if (!out_.problem && out_.scenario.cards.empty() && !no_gpus_) {
      return failed({number + 1, 1, std::string(kNoCards)});
    }
    std::stable_sort(out_.scenario.events.begin(), out_.scenario.events.end(),
                     [](const Event& a, const Event& b) { return a.at_ns < b.at_ns; });
    return std::move(out_);
  }

 private:
  ParsedScenario failed(Problem problem) {
    out_.problem = std::move(problem);
    return std::move(out_);
  }

  void read_line(std::string_view text, int number) {
    if (text.size() > kMaxLineBytes) {
      out_.problem = Problem{number, static_cast<int>(kMaxLineBytes), std::string(kTooLong)};
      return;
    }
    Line line(text, number);
    if (!line.at_end() || line.problem()) statement(line, number);
    if (line.problem()) out_.problem = line.problem();
  }

  void statement(Line& line, int number) {
    Scenario& scenario = out_.scenario;
    if (line.accept("scenario")) {
      scenario.name = line.word("a name");
      line.end();
    } else if (line.accept("cuda")) {
      read_cuda(line);
    } else if (line.accept("gpu")) {
      read_card(line);
    } else if (line.accept("no-gpus")) {
      no_gpus_ = true;
      line.end();
    } else if (line.accept("repeat")) {
      scenario.repeat_ns = line.time("a time");
      if (scenario.repeat_ns < 1000000) line.wrong("a time line repeats after 1ms at the earliest");
      line.end();
    } else {
      Event event{.at_ns = 0, .command = {}, .line = number};
      if (line.accept("at")) {
        event.at_ns = line.time("a time");
        const std::string next = line.peek();
        if (next == "gpu" || next == "scenario" || next == "cuda" || next == "repeat") {
          line.word("a command");
          line.wrong(std::string(kSetupLater));
        }
      }
      event.command = read_command(line, static_cast<unsigned>(scenario.cards.size()));
      if (event.command.verb == Verb::driver && event.at_ns == 0) {
        scenario.driver = event.command.text;  // the machine starts with it: library and module
        return;
      }
      if (scenario.events.size() >= kMaxEvents) line.wrong(std::string(kTooLong));
      scenario.events.push_back(std::move(event));
    }
  }

  void read_cuda(Line& line) {
    const double version = line.number("a CUDA version such as 12.4", 1, 99);
    const auto tenths = static_cast<std::uint32_t>(std::lround(version * 10));
    out_.scenario.cuda = tenths / 10 * 1000 + tenths % 10 * 10;
    line.end();
  }

  void read_card(Line& line) {
    CardChoice choice;
    const std::string name = line.word("a card");
    const Card* card = find_card(name);
    if (card != nullptr) choice.card = *card;
    if (!line.problem() && card == nullptr) {
      line.wrong("unknown card '" + name.substr(0, 40) + "'; the cards are " +
                 list_of(card_names()));
    }
    std::uint64_t count = 1;
    while (!line.at_end() && !line.problem()) {
      if (line.accept("times"))
        count = line.whole("a number of cards", kMaxGpus);
      else if (line.accept("uuid"))
        choice.uuid = limited(line, "a UUID", 40);
      else if (line.accept("serial"))
        choice.serial = limited(line, "a serial number", 20);
      else if (line.accept("bus"))
        choice.bus_id = read_bus(line);
      else if (line.accept("may-sleep"))
        choice.may_sleep = true;
      else if (!read_property(line, choice.card))
        line.end();
    }
    auto& cards = out_.scenario.cards;
    if (cards.size() + count > kMaxGpus) {
      line.wrong(std::string(kTooManyCards));
      return;
    }
    for (std::uint64_t i = 0; i < count; ++i) cards.push_back(choice);
  }

  // What another card of the same kind has; false where the next word is none of it.
  static bool read_property(Line& line, Card& card) {
    constexpr std::uint64_t kHottest = 150, kMostWatts = 2000;
    if (line.accept("name")) {
      std::snprintf(card.name, sizeof card.name, "%s", limited(line, "a name", 95).c_str());
    } else if (line.accept("memory")) {
      card.total_bytes = line.size("a size");
      card.reserved_bytes = std::min(card.reserved_bytes, card.total_bytes);
    } else if (line.accept("reserved")) {
      card.reserved_bytes = line.size("a size");
      if (card.reserved_bytes > card.total_bytes) line.wrong("that is more than its memory");
    } else if (line.accept("power-limit")) {
      card.limit_mw = static_cast<std::uint32_t>(1000 * line.whole("watts", kMostWatts));
      card.limit_max_mw = std::max(card.limit_max_mw, card.limit_mw);
      card.limit_min_mw = std::min(card.limit_min_mw, card.limit_mw);
    } else if (line.accept("slowdown")) {
      card.slowdown_c = static_cast<std::uint32_t>(line.whole("degrees", kHottest));
    } else if (line.accept("shutdown")) {
      card.shutdown_c = static_cast<std::uint32_t>(line.whole("degrees", kHottest));
    } else if (line.accept("max-operating")) {
      card.max_operating_c = static_cast<std::uint32_t>(line.whole("degrees", kHottest));
    } else {
      return false;
    }
    return true;
  }

  static std::string limited(Line& line, std::string_view expected, std::size_t most) {
    std::string text = line.word(expected);
    if (text.size() > most) line.wrong(not_a(text, expected));
    return text;
  }

  // "01:00.0" or "0000:01:00.0"
  static std::string read_bus(Line& line) {
    const std::string text = line.word("a PCI address such as 01:00.0");
    unsigned domain = 0, bus = 0, device = 0;
    char rest = 0;
    const bool full =
        std::sscanf(text.c_str(), "%4x:%2x:%2x.0%c", &domain, &bus, &device, &rest) == 3;
    domain = full ? domain : 0;
    if (!full && std::sscanf(text.c_str(), "%2x:%2x.0%c", &bus, &device, &rest) != 2) {
      line.wrong(not_a(text, "a PCI address such as 01:00.0"));
      return {};
    }
    char out[24];
    std::snprintf(out, sizeof out, "%04x:%02x:%02x", domain & 0xffffu, bus & 0xffu, device & 0x1fu);
    return out;
  }

  ParsedScenario out_;
  bool no_gpus_ = false;
};

}  // namespace

std::string Problem::sentence(std::string_view file) const {
  return std::string(file) + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
         what;
}

ParsedScenario parse_scenario(std::string_view text) {
  return FileReader().read(text);
}

LoadedScenario load_scenario(const std::string& from) {
  std::string text(builtin_scenario(from));
  if (text.empty()) {
    const int fd = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      return {{},
              "the scenario '" + from + "' is neither a file (" + std::strerror(errno) +
                  ") nor built in; built in are " + list_of(builtin_names())};
    }
    text.resize(kMaxScenarioBytes + 1);
    std::size_t size = 0;
    while (size < text.size()) {
      const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
      if (got <= 0) break;
      size += static_cast<std::size_t>(got);
    }
    ::close(fd);
    text.resize(size);
  }
  ParsedScenario parsed = parse_scenario(text);
  if (parsed.problem) return {{}, parsed.problem->sentence(from)};
  return {std::move(parsed.scenario), {}};
}

}  // namespace estiva::sim
