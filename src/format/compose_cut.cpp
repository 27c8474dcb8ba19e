#include "format/compose_cut.h"

#include <algorithm>
#include <fmt/format.h>

#include "format/yaml_look.h"

namespace estiva::format {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kMark = "\xEF\xBB\xBF";

// A name with a colon (an instance of MIG) is quoted, so that no reader takes it for a mapping.
std::string quoted(const std::string& name, bool always) {
  const bool is_odd = name.find(':') != name.npos;
  return always || is_odd ? fmt::format("\"{}\"", name) : name;
}

std::string in_flow(const std::vector<std::string>& names, bool always) {
  std::string out;
  for (const std::string& name : names) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", quoted(name, always));
  }
  return out;
}

}  // namespace

std::size_t ComposeCut::line_start(std::size_t at) const {
  const std::size_t before = at == 0 ? text_.npos : text_.rfind('\n', at - 1);
  if (before != text_.npos) return before + 1;
  return text_.starts_with(kMark) ? kMark.size() : 0;
}

std::size_t ComposeCut::line_end(std::size_t at) const {
  const std::size_t found = text_.find('\n', at);
  return found == text_.npos ? text_.size() : found + 1;
}

bool ComposeCut::is_first_on_line(std::size_t at) const {
  const std::size_t start = line_start(at);
  return text_.substr(start, at - start).find_first_not_of(' ') == text_.npos;
}

// Nothing but a comment stands behind it.
bool ComposeCut::is_last_on_line(std::size_t at) const {
  const std::string_view rest = text_.substr(at, line_end(at) - at);
  const std::size_t first = rest.find_first_not_of(kBlanks);
  return first == rest.npos || (rest[first] == '#' && first > 0);
}

// A value that is not written ends with the colon behind its key.
std::size_t ComposeCut::end_of_entry(std::uint32_t key, std::uint32_t value) const {
  if (tree_[value].end > tree_[key].end) return tree_[value].end;
  const std::size_t colon = text_.find_first_not_of(" \t", tree_[key].end);
  return colon != text_.npos && text_[colon] == ':' ? colon + 1 : tree_[key].end;
}

std::string_view ComposeCut::line_break(std::size_t at) const {
  std::size_t end = line_end(at);
  if (end == 0 || text_[end - 1] != '\n') end = text_.find('\n') + 1;  // 0 where there is none
  return end >= 2 && text_[end - 2] == '\r' ? "\r\n" : "\n";
}

bool ComposeCut::remove_lines(std::uint32_t node, std::size_t begin, std::size_t end) {
  if (!is_first_on_line(begin) || !is_last_on_line(end)) return fail(node);
  cuts_.push_back({line_start(begin), line_end(end), {}});
  return true;
}

std::size_t ComposeCut::skip_blanks(std::size_t at) const {
  return std::min(text_.find_first_not_of(kBlanks, at), text_.size());
}

// With the comma behind it, else with the one before it.
bool ComposeCut::remove_in_flow(std::uint32_t node, std::size_t begin, std::size_t end) {
  const std::size_t next = skip_blanks(end);
  if (next == text_.size()) return fail(node);
  if (text_[next] == ',') {
    // What follows on another line keeps its own blanks.
    std::size_t after = text_.find_first_not_of(' ', next + 1);
    if (after == text_.npos || text_[after] == '\n' || text_[after] == '\r') after = next + 1;
    cuts_.push_back({begin, after, {}});
    return true;
  }
  if (text_[next] != '}' && text_[next] != ']') return fail(node);
  const std::size_t before = begin == 0 ? text_.npos : text_.find_last_not_of(kBlanks, begin - 1);
  if (before == text_.npos) return fail(node);
  if (text_[before] == ',') {
    cuts_.push_back({before, end, {}});
    return true;
  }
  if (text_[before] != '{' && text_[before] != '[') return fail(node);
  cuts_.push_back({begin, end, {}});
  return true;
}

bool ComposeCut::remove_entry(std::uint32_t mapping, std::size_t key) {
  const std::uint32_t name = tree_[mapping].children[key];
  const std::size_t end = end_of_entry(name, tree_[mapping].children[key + 1]);
  if (tree_[mapping].is_flow) return remove_in_flow(name, tree_[name].begin, end);
  return remove_lines(name, tree_[name].begin, end);
}

// The dash before an item of a block sequence, where nothing but blanks stands between.
std::optional<std::size_t> ComposeCut::dash_of(std::uint32_t item) const {
  const std::size_t begin = tree_[item].begin;
  const std::size_t at = begin == 0 ? text_.npos : text_.find_last_not_of(kBlanks, begin - 1);
  return at != text_.npos && text_[at] == '-' ? std::optional(at) : std::nullopt;
}

bool ComposeCut::remove_items(std::uint32_t sequence, const std::vector<std::uint32_t>& items) {
  for (const std::uint32_t item : items) {
    const YamlNode& node = tree_[item];
    if (tree_[sequence].is_flow) {
      if (!remove_in_flow(item, node.begin, node.end)) return false;
      continue;
    }
    const auto dash = dash_of(item);
    if (!dash) return fail(item);
    if (!remove_lines(item, *dash, node.end)) return false;
  }
  return true;
}

bool ComposeCut::add_list(std::uint32_t mapping, std::size_t key, bool goes,
                          const std::vector<std::string>& names, std::size_t step) {
  const std::uint32_t name = tree_[mapping].children[key];
  const std::size_t begin = tree_[name].begin;
  if (tree_[mapping].is_flow) {
    const bool is_json = !tree_[name].is_plain;
    const std::string list =
        fmt::format("{}: [{}]", is_json ? "\"devices\"" : "devices", in_flow(names, is_json));
    const std::size_t end = end_of_entry(name, tree_[mapping].children[key + 1]);
    cuts_.push_back({begin, goes ? end : begin, goes ? list : list + ", "});
    return true;
  }
  if (!is_first_on_line(begin)) return fail(name);
  const std::size_t start = line_start(begin);
  const std::string indent(begin - start, ' ');
  const std::string_view end = line_break(begin);
  std::string lines = fmt::format("{}devices:{}", indent, end);
  for (const std::string& one : names) {
    lines += fmt::format("{}{}- {}{}", indent, std::string(step, ' '), quoted(one, false), end);
  }
  cuts_.push_back({start, start, std::move(lines)});
  return !goes || remove_entry(mapping, key);
}

bool ComposeCut::add_items(std::uint32_t sequence, const std::vector<std::string>& names) {
  const YamlNode& list = tree_[sequence];
  if (list.is_flow) {
    const bool is_json = text_.substr(list.begin, list.end - list.begin).find('"') != text_.npos;
    if (list.children.empty()) {
      cuts_.push_back({list.begin + 1UL, list.begin + 1UL, in_flow(names, is_json)});
      return true;
    }
    const YamlNode& last = tree_[list.children.back()];
    if (last.end <= list.begin || last.end >= list.end) return fail(sequence);
    cuts_.push_back({last.end, last.end, ", " + in_flow(names, is_json)});
    return true;
  }
  if (list.children.empty() || !is_first_on_line(list.begin) || !is_last_on_line(list.end)) {
    return fail(sequence);
  }
  const std::string indent(list.begin - line_start(list.begin), ' ');
  const std::size_t at = line_end(list.end);
  const std::string_view end = line_break(list.begin);
  const bool is_open = at == 0 || text_[at - 1] != '\n';
  std::string lines;
  for (const std::string& one : names) {
    const std::string line = fmt::format("{}- {}", indent, quoted(one, false));
    lines += is_open ? std::string(end) + line : line + std::string(end);
  }
  cuts_.push_back({at, at, std::move(lines)});
  return true;
}

std::size_t ComposeCut::step_of(std::uint32_t key, std::uint32_t sequence) const {
  const TextPlace from = tree_[key].place, to = tree_[sequence].place;
  const bool is_seen = !tree_[sequence].is_flow && to.line > from.line && to.column >= from.column;
  return is_seen ? std::min<std::size_t>(to.column - from.column, 8) : 2;
}

std::optional<std::string> ComposeCut::finish() {
  std::stable_sort(cuts_.begin(), cuts_.end(),
                   [](const Cut& a, const Cut& b) { return a.begin < b.begin; });
  std::string out;
  std::size_t at = 0;
  bool ends_with_new = false;
  for (const Cut& cut : cuts_) {
    if (cut.begin < at || cut.end < cut.begin) return std::nullopt;
    const std::string_view gone = text_.substr(cut.begin, cut.end - cut.begin);
    met_tab_ = met_tab_ || gone.find('\t') != gone.npos;
    out += text_.substr(at, cut.begin - at);
    out += cut.text;
    ends_with_new = cut.end == text_.size() && (!cut.text.empty() || ends_with_new);
    at = cut.end;
  }
  if (met_tab_) return std::nullopt;
  const std::string_view rest = text_.substr(at);
  out += rest;
  // A file whose last line had no end keeps it so.
  const bool was_open = !text_.empty() && text_.back() != '\n';
  if (rest.empty() && was_open && out.ends_with('\n')) {
    out.pop_back();
    if (out.ends_with('\r')) out.pop_back();
  }
  return out;
}

}  // namespace estiva::format
