#include "decide/readiness/unit_look.h"

#include <algorithm>

#include "format/text.h"

namespace estiva::decide {
namespace {

// Calls `use` with the value of each "key=" line; lines that end in '\' go on in the next.
template <class Use>
void each_value(const UnitFact& unit, std::string_view key, Use use) {
  std::string_view rest = unit.text, part;
  std::string line;
  while (format::next_line(rest, part)) {
    line += part;
    if (line.ends_with('\\')) {
      line.back() = ' ';
      continue;
    }
    const std::string_view whole = format::trim(line);
    const std::size_t sign = whole.find('=');
    if (sign != whole.npos && !whole.starts_with('#') && !whole.starts_with(';') &&
        format::trim(whole.substr(0, sign)) == key)
      use(format::trim(whole.substr(sign + 1)));
    line.clear();
  }
}

}  // namespace

std::vector<std::string> unit_words(const UnitFact& unit, std::string_view key) {
  std::vector<std::string> words;
  each_value(unit, key, [&](std::string_view value) {
    std::string_view word;
    while (format::next_word(value, word)) words.emplace_back(word);
  });
  return words;
}

std::vector<std::string> unit_commands(const UnitFact& unit, std::string_view key) {
  std::vector<std::string> values;
  each_value(unit, key, [&](std::string_view value) {
    if (value.empty()) {
      values.clear();
    } else {
      values.emplace_back(value);
    }
  });
  return values;
}

const UnitFact* find_unit(const std::vector<UnitFact>& units, std::string_view name) {
  const auto found = std::ranges::find(units, name, &UnitFact::name);
  return found == units.end() ? nullptr : &*found;
}

bool is_ordered_before(const UnitFact& first, const UnitFact* second,
                       std::string_view second_name) {
  const std::vector<std::string> before = unit_words(first, "Before");
  if (std::ranges::find(before, second_name) != before.end()) return true;
  if (second == nullptr) return false;
  const std::vector<std::string> after = unit_words(*second, "After");
  return std::ranges::find(after, first.name) != after.end();
}

}  // namespace estiva::decide
