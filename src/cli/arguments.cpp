// The one file that sees CLI11. It is given only the flags of the verb that was asked for, so that
// starting stays cheap however many verbs there are.
#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

// Short names are near to many words: one that begins otherwise is not what was meant.
bool is_meant(std::string_view wrong, std::string_view name) {
  constexpr std::size_t kShort = 5;
  const auto first = [](std::string_view word) {
    const std::size_t at = word.find_first_not_of('-');
    return at == word.npos ? '\0' : static_cast<char>(word[at] | 0x20);  // as a small letter
  };
  return first(wrong) == first(name) || name.size() - name.find_first_not_of('-') >= kShort;
}

std::string hint(std::string_view wrong, std::span<const std::string_view> names,
                 const std::string& otherwise) {
  const auto near = format::nearest_name(wrong, names);
  return near && is_meant(wrong, *near) ? fmt::format(m::kDidYouMean, *near, otherwise) : otherwise;
}

std::string verb_hint(const Verb& verb) {
  return fmt::format(m::kVerbHint, verb.name);
}

// Hostile bytes of the command line come back in the sentence: keep it short and printable.
std::string shown(std::string_view text) {
  return format::escape_for_terminal(text.substr(0, 60)) + (text.size() > 60 ? "..." : "");
}

Result<const Verb*> find_verb(std::span<const Verb> verbs, std::string_view word) {
  if (word == "--help" || word == "-h") word = "help";
  if (word == "--version" || word == "-V") word = "version";
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs) {
    if (verb.name == word) return &verb;
    names.push_back(verb.name);
  }
  return fail(ErrorKind::usage, fmt::format(m::kUnknownVerb, shown(word)),
              hint(word, names, std::string(m::kUsageHint)));
}

Failure unknown_flag(const Verb& verb, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  std::vector<std::string_view> names{"--help"};
  for (const Flag& flag : verb.flags) names.push_back(flag.name);
  return fail(ErrorKind::usage, fmt::format(m::kUnknownFlag, verb.name, shown(name)),
              hint(name, names, verb_hint(verb)));
}

bool is_choice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const std::size_t end = choices.find('|');
    if (choices.substr(0, end) == value) return true;
    choices = end == std::string_view::npos ? std::string_view{} : choices.substr(end + 1);
  }
  return false;
}

Result<void> check_choice(std::string_view choices, std::string_view value, std::string_view what) {
  if (choices.empty() || is_choice(choices, value)) return {};
  std::string list(choices);
  for (std::size_t at = 0; (at = list.find('|', at)) != std::string::npos;)
    list.replace(at, 1, ", ");
  std::vector<std::string_view> names;
  for (std::string_view rest = choices; !rest.empty();) {
    names.push_back(rest.substr(0, rest.find('|')));
    rest.remove_prefix(std::min(names.back().size() + 1, rest.size()));
  }
  return fail(ErrorKind::usage, fmt::format(m::kBadChoice, shown(value), what),
              hint(value, names, fmt::format(m::kChoices, list)));
}

// "NAME..." in a sentence is NAME.
std::string_view one_of(std::string_view words) {
  return words.substr(0, words.find('.'));
}

Failure missing_command(const Verb& verb) {
  return fail(ErrorKind::usage, fmt::format(m::kMissingCommand, verb.name),
              std::string(m::kExampleRun));
}

Result<void> check_words(const Arguments& args) {
  const Verb& verb = *args.verb;
  if (args.words.size() < verb.words.least)
    return fail(ErrorKind::usage, fmt::format(m::kMissingWord, verb.name, one_of(verb.words.name)),
                verb_hint(verb));
  if (args.words.size() > verb.words.most)
    return fail(ErrorKind::usage,
                fmt::format(m::kTooManyWords, verb.name, shown(args.words[verb.words.most])),
                verb_hint(verb));
  // What follows a choice (files to check) is free.
  if (!args.words.empty())
    if (auto ok = check_choice(verb.words.choices, args.words.front(), verb.words.name); !ok)
      return ok;
  for (const auto& [name, value] : args.flags)
    for (const Flag& flag : verb.flags)
      if (flag.name == name && !flag.value.empty())
        if (auto ok = check_choice(flag.choices, value, name); !ok) return ok;
  if (verb.command && args.command.empty()) return missing_command(verb);
  return {};
}

// CLI11's own sentence without its final stop or line break, for the cases that are left over.
std::string cli11_says(const CLI::Error& error) {
  std::string text = error.what();
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  return shown(text);
}

// CLI11 tells these apart in its sentence only: "--vram: 1 required TEXT missing", "json was
// given a disallowed flag override", "--vram: At most 1 required but received 2".
Failure mismatch(const Verb& verb, std::string_view text) {
  std::string flag(text.substr(0, text.find_first_of(": ")));
  if (!flag.starts_with('-')) flag.insert(0, "--");  // the form with "override" has no dashes
  std::string_view sentence = m::kFlagTwice;
  if (text.find("missing") != std::string_view::npos) sentence = m::kFlagNeedsValue;
  if (text.find("override") != std::string_view::npos) sentence = m::kFlagTakesNone;
  return fail(ErrorKind::usage, fmt::format(fmt::runtime(sentence), shown(flag)), verb_hint(verb));
}

struct Slot {
  std::string_view name;
  std::string value;
  std::vector<std::string> values;  // of a flag that repeats
  CLI::Option* option = nullptr;
};

void declare(CLI::App& app, const Verb& verb, std::deque<Slot>& slots, Arguments& args) {
  app.set_help_flag();
  app.allow_extras();
  for (const Flag& flag : verb.flags) {
    Slot& slot = slots.emplace_back(Slot{flag.name, {}, {}, nullptr});
    std::string names(flag.name);
    if (!flag.letter.empty()) names += fmt::format(",{}", flag.letter);
    if (flag.value.empty()) {
      slot.option = app.add_flag(names)->disable_flag_override();
    } else if (flag.repeats) {
      slot.option = app.add_option(names, slot.values)->allow_extra_args(false);
    } else {
      slot.option = app.add_option(names, slot.value);
      if (flag.optional_value) slot.option->expected(0, 1);
    }
  }
  app.add_flag("-h,--help", args.wants_help);
  if (verb.words.most > 0) app.add_option("words", args.words)->expected(0, 1 << 20);
}

Result<void> run_cli11(CLI::App& app, const Verb& verb, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch& error) {
    return mismatch(verb, error.what());
  } catch (const CLI::Error& error) {
    return fail(ErrorKind::usage, cli11_says(error), verb_hint(verb));
  }
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra[0] == '-') return unknown_flag(verb, extra);
    if (verb.command && verb.words.most == 0) return missing_command(verb);
    return fail(ErrorKind::usage, fmt::format(m::kTooManyWords, verb.name, shown(extra)),
                verb_hint(verb));
  }
  return {};
}

Result<void> parse_verb(Arguments& args, std::span<const std::string> words) {
  const Verb& verb = *args.verb;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes != words.end()) args.command.assign(dashes + 1, words.end());
  if (!verb.command && !args.command.empty())
    return fail(ErrorKind::usage, fmt::format(m::kStrayCommand, verb.name), verb_hint(verb));
  CLI::App app;
  std::deque<Slot> slots;
  declare(app, verb, slots, args);
  if (auto ok = run_cli11(app, verb, {words.begin(), dashes}); !ok) return ok;
  for (Slot& slot : slots) {
    for (std::string& value : slot.values) args.flags.emplace_back(slot.name, std::move(value));
    const bool is_single = slot.values.empty() && slot.option->count() > 0;
    if (is_single) args.flags.emplace_back(slot.name, std::move(slot.value));
  }
  if (args.wants_help) return {};
  return check_words(args);
}

}  // namespace

bool Arguments::has(std::string_view flag) const {
  return value(flag).has_value();
}

std::optional<std::string_view> Arguments::value(std::string_view flag) const {
  for (const auto& [name, text] : flags)
    if (name == flag) return text;
  return std::nullopt;
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  std::vector<std::string> all;
  for (const auto& [name, text] : flags)
    if (name == flag) all.push_back(text);
  return all;
}

Result<Arguments> parse_arguments(std::span<const Verb> verbs, std::span<const std::string> words) {
  if (words.empty())
    return fail(ErrorKind::usage, std::string(m::kNoVerb), std::string(m::kUsageHint));
  auto verb = find_verb(verbs, words[0]);
  if (!verb) return Failure(verb.error());
  Arguments args;
  args.verb = *verb;
  try {
    if (auto ok = parse_verb(args, words.subspan(1)); !ok) return Failure(ok.error());
  } catch (const std::exception& error) {  // CLI11 refusing one of our own tables
    return fail(fmt::format(m::kOwnTable, (*verb)->name, error.what()));
  }
  return args;
}

}  // namespace estiva::cli
