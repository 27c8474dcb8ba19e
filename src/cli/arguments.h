// The words of the command line: what each verb takes, as one table that the parser, the help and
// the shell completion all read, so that they can't disagree.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace estiva::cli {

struct Session;
struct Arguments;

struct Flag {
  std::string_view name;     // "--vram"
  std::string_view value;    // what it takes, "SIZE"; empty: a switch
  std::string_view help;     // a phrase, no full stop
  std::string_view choices;  // "auto|0|1": the only values taken; empty: any
  bool optional_value = false;
  std::string_view letter = {};  // "-1": another name of it
  bool repeats = false;          // may be given more than once, with a value each
};

// The words that are no flags: "NAME", "NAME...".
struct Words {
  std::string_view name;
  std::size_t least = 0;
  std::size_t most = 0;
  std::string_view choices;
};

struct Verb {
  std::string_view name;
  std::string_view summary;
  Words words;
  std::span<const Flag> flags;
  bool command = false;  // takes "-- CMD..."
  Result<int> (*run)(Session&, const Arguments&) = nullptr;
};

// One parsed command line.
struct Arguments {
  const Verb* verb = nullptr;
  bool wants_help = false;
  std::vector<std::pair<std::string_view, std::string>> flags;  // name as in the table -> value
  std::vector<std::string> words;
  std::vector<std::string> command;  // what stood after "--"

  bool has(std::string_view flag) const;
  std::optional<std::string_view> value(std::string_view flag) const;
  // Of a flag that may be given more than once, in the order of the words.
  std::vector<std::string> values(std::string_view flag) const;
};

// Takes the words after "estiva"; the first is the verb ("--help", "-h" and "--version" count as
// help and version). Errors are `usage` and name the nearest verb or option.
Result<Arguments> parse_arguments(std::span<const Verb> verbs, std::span<const std::string> words);

}  // namespace estiva::cli
