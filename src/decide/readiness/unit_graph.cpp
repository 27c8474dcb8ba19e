#include "decide/readiness/unit_graph.h"

#include <algorithm>
#include <map>
#include <set>

#include "format/text.h"

namespace estiva::decide {
namespace {

// Who starts after whom.
using Order = std::map<std::string, std::set<std::string>>;

// bootup(7): what the standard targets wait for.
constexpr std::pair<std::string_view, std::string_view> kTargets[] = {
    {"graphical.target", "multi-user.target"},   {"multi-user.target", "basic.target"},
    {"basic.target", "sysinit.target"},          {"sysinit.target", "local-fs.target"},
    {"network-online.target", "network.target"},
};

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

bool has_default_order(const UnitFact& unit) {
  bool has = true;
  each_value(unit, "DefaultDependencies",
             [&](std::string_view value) { has = value != "no" && value != "false"; });
  return has;
}

std::vector<std::string> words_of(const UnitFact& unit,
                                  std::initializer_list<std::string_view> keys) {
  std::vector<std::string> all;
  for (const std::string_view key : keys) {
    for (std::string& one : unit_words(unit, key)) all.push_back(std::move(one));
  }
  return all;
}

// The enabled ones, and what they want or require, as long as there are more.
std::vector<const UnitFact*> started_at_boot(const std::vector<UnitFact>& units) {
  std::vector<const UnitFact*> started;
  for (const UnitFact& one : units) {
    if (one.is_enabled) started.push_back(&one);
  }
  for (std::size_t i = 0; i < started.size(); ++i) {
    for (const std::string& name : words_of(*started[i], {"Wants", "Requires", "BindsTo"})) {
      const UnitFact* pulled = find_unit(units, name);
      if (pulled != nullptr && std::ranges::find(started, pulled) == started.end())
        started.push_back(pulled);
    }
  }
  return started;
}

void add_unit(Order& after, const UnitFact& unit) {
  const std::vector<std::string> own = unit_words(unit, "After");
  after[unit.name].insert(own.begin(), own.end());
  for (const std::string& one : unit_words(unit, "Before")) after[one].insert(unit.name);
  if (!has_default_order(unit)) return;
  if (unit.name.ends_with(".service")) after[unit.name].insert("basic.target");
  if (!unit.is_enabled) return;
  for (const std::string& target : words_of(unit, {"WantedBy", "RequiredBy"})) {
    // systemd makes no ring of two: unit_add_default_target_dependency().
    if (target.ends_with(".target") && std::ranges::find(own, target) == own.end())
      after[target].insert(unit.name);
  }
}

// Takes away what can start, again and again: what stays is in a ring, or waits for one.
void drop_startable(Order& after) {
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (auto it = after.begin(); it != after.end();) {
      std::erase_if(it->second, [&](const std::string& name) { return !after.contains(name); });
      dropped = dropped || it->second.empty();
      it = it->second.empty() ? after.erase(it) : std::next(it);
    }
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

std::vector<std::string> find_ordering_cycle(const std::vector<UnitFact>& units) {
  Order after;
  for (const auto& [target, earlier] : kTargets)
    after[std::string(target)].insert(std::string(earlier));
  for (const UnitFact* one : started_at_boot(units)) add_unit(after, *one);
  drop_startable(after);
  if (after.empty()) return {};
  std::vector<std::string> path = {after.begin()->first};
  for (;;) {
    const std::string& next = *after[path.back()].begin();
    const auto seen = std::ranges::find(path, next);
    if (seen != path.end()) return {seen, path.end()};
    path.push_back(next);
  }
}

}  // namespace estiva::decide
