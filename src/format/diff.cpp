// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy form, between
// the common beginning and the common end of the two texts.
#include "format/diff.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <unordered_map>
#include <vector>

namespace estiva::format {
namespace {

constexpr std::size_t kContext = 3;  // equal lines around a change, as `diff -u`

using Lines = std::vector<std::string_view>;  // each with its newline, but perhaps the last

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

// Lines of both texts as numbers: equal lines have equal numbers.
struct Numbered {
  std::vector<std::uint32_t> before, after;
};

Numbered number_lines(const Lines& before, const Lines& after) {
  std::unordered_map<std::string_view, std::uint32_t> known;
  const auto numbers = [&](const Lines& lines) {
    std::vector<std::uint32_t> out;
    out.reserve(lines.size());
    for (const std::string_view line : lines) {
      out.push_back(known.emplace(line, static_cast<std::uint32_t>(known.size())).first->second);
    }
    return out;
  };
  return {numbers(before), numbers(after)};
}

// Which lines are gone and which are new.
struct Marks {
  std::vector<bool> removed, added;
};

// The part of both texts between their common beginning and end.
struct Middle {
  std::size_t from = 0, before_end = 0, after_end = 0;
  std::ptrdiff_t n() const { return static_cast<std::ptrdiff_t>(before_end - from); }
  std::ptrdiff_t m() const { return static_cast<std::ptrdiff_t>(after_end - from); }
};

Middle middle_of(const Numbered& text) {
  Middle middle{0, text.before.size(), text.after.size()};
  const std::size_t shorter = std::min(middle.before_end, middle.after_end);
  while (middle.from < shorter && text.before[middle.from] == text.after[middle.from]) {
    ++middle.from;
  }
  while (middle.before_end > middle.from && middle.after_end > middle.from &&
         text.before[middle.before_end - 1] == text.after[middle.after_end - 1]) {
    --middle.before_end;
    --middle.after_end;
  }
  return middle;
}

// reach[d][k + d]: how far into `before` d edits get on diagonal k = x - y.
using Reach = std::vector<std::vector<std::int32_t>>;

std::ptrdiff_t start_on(const Reach& reach, std::ptrdiff_t d, std::ptrdiff_t k) {
  if (d == 0) return 0;
  const auto at = [&](std::ptrdiff_t diagonal) { return reach[d - 1][diagonal + d - 1]; };
  const bool comes_down = k == -d || (k != d && at(k - 1) < at(k + 1));
  return comes_down ? at(k + 1) : at(k - 1) + 1;
}

// Fills `reach` until the end is reached; the number of edits, or nothing beyond the bound.
std::optional<std::ptrdiff_t> search(const Numbered& text, const Middle& middle, Reach& reach) {
  const auto most = static_cast<std::ptrdiff_t>(kMostEdits);
  for (std::ptrdiff_t d = 0; d <= most; ++d) {
    reach.emplace_back(2 * d + 1, 0);
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      std::ptrdiff_t x = start_on(reach, d, k), y = x - k;
      while (x < middle.n() && y < middle.m() &&
             text.before[middle.from + x] == text.after[middle.from + y]) {
        ++x, ++y;
      }
      reach[d][k + d] = static_cast<std::int32_t>(x);
      if (x >= middle.n() && y >= middle.m()) return d;
    }
  }
  return std::nullopt;
}

void mark_path(const Middle& middle, const Reach& reach, std::ptrdiff_t edits, Marks& marks) {
  std::ptrdiff_t x = middle.n(), y = middle.m();
  for (std::ptrdiff_t d = edits; d > 0; --d) {
    const std::ptrdiff_t k = x - y, begun = start_on(reach, d, k);
    const auto at = [&](std::ptrdiff_t diagonal) { return reach[d - 1][diagonal + d - 1]; };
    const bool came_down = k == -d || (k != d && at(k - 1) < at(k + 1));
    if (came_down) {
      marks.added[middle.from + (begun - k) - 1] = true;
      x = begun, y = begun - k - 1;
    } else {
      marks.removed[middle.from + begun - 1] = true;
      x = begun - 1, y = begun - k;
    }
  }
}

Marks compare(const Numbered& text) {
  Marks marks{std::vector<bool>(text.before.size()), std::vector<bool>(text.after.size())};
  const Middle middle = middle_of(text);
  Reach reach;
  if (const auto edits = search(text, middle, reach)) {
    mark_path(middle, reach, *edits, marks);
    return marks;
  }
  std::fill(marks.removed.begin() + middle.from, marks.removed.begin() + middle.before_end, true);
  std::fill(marks.added.begin() + middle.from, marks.added.begin() + middle.after_end, true);
  return marks;
}

struct Line {
  char sign;  // ' ', '-', '+'
  std::string_view text;
};

// Both texts as one list of lines, what is gone before what is new.
std::vector<Line> merge(const Lines& before, const Lines& after, const Marks& marks) {
  std::vector<Line> merged;
  std::size_t i = 0, j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && marks.removed[i]) {
      merged.push_back({'-', before[i++]});
    } else if (j < after.size() && marks.added[j]) {
      merged.push_back({'+', after[j++]});
    } else {
      merged.push_back({' ', before[i++]});
      ++j;
    }
  }
  return merged;
}

// "12,3"; a single line has no count, an empty range names the line before it.
std::string range(std::size_t from, std::size_t count) {
  if (count == 1) return fmt::format("{}", from + 1);
  return fmt::format("{},{}", count == 0 ? from : from + 1, count);
}

struct Hunk {
  std::size_t begin = 0, end = 0;  // of the merged lines
};

std::vector<Hunk> hunks_of(const std::vector<Line>& merged) {
  std::vector<Hunk> hunks;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (merged[i].sign == ' ') continue;
    const std::size_t begin = i > kContext ? i - kContext : 0;
    const std::size_t end = std::min(merged.size(), i + kContext + 1);
    if (!hunks.empty() && begin <= hunks.back().end) {
      hunks.back().end = end;
    } else {
      hunks.push_back({begin, end});
    }
  }
  return hunks;
}

// A name as `diff` writes it: quoted where a byte of it would break the line.
std::string header_name(std::string_view name) {
  const auto is_odd = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\';
  };
  if (std::none_of(name.begin(), name.end(), is_odd)) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') {
      out += fmt::format("\\{}", c);
    } else if (is_odd(c)) {
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

void append_hunk(std::string& out, const std::vector<Line>& merged, const Hunk& hunk,
                 std::size_t before_from, std::size_t after_from) {
  const auto count = [&](char other) {
    return static_cast<std::size_t>(
        std::count_if(merged.begin() + hunk.begin, merged.begin() + hunk.end,
                      [&](const Line& line) { return line.sign != other; }));
  };
  out +=
      fmt::format("@@ -{} +{} @@\n", range(before_from, count('+')), range(after_from, count('-')));
  for (std::size_t i = hunk.begin; i < hunk.end; ++i) {
    out += merged[i].sign;
    out += merged[i].text;
    if (!merged[i].text.ends_with('\n')) out += "\n\\ No newline at end of file\n";
  }
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, DiffNames names) {
  if (before == after) return {};
  const auto old_name = header_name(names.before), new_name = header_name(names.after);
  if (before.find('\0') != before.npos || after.find('\0') != after.npos) {
    return fmt::format("Binary files {} and {} differ\n", old_name, new_name);
  }
  const Lines old_lines = lines_of(before), new_lines = lines_of(after);
  const auto merged = merge(old_lines, new_lines, compare(number_lines(old_lines, new_lines)));
  std::string out = fmt::format("--- {}\n+++ {}\n", old_name, new_name);
  std::size_t at = 0, i = 0, j = 0;
  for (const Hunk& hunk : hunks_of(merged)) {
    for (; at < hunk.begin; ++at) {
      if (merged[at].sign != '+') ++i;
      if (merged[at].sign != '-') ++j;
    }
    append_hunk(out, merged, hunk, i, j);
  }
  return out;
}

}  // namespace estiva::format
