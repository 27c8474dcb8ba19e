#include "format/table.h"

#include <algorithm>
#include <numeric>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kGap = 2;

std::size_t total_width(const std::vector<std::size_t>& widths) {
  if (widths.empty()) return 0;
  return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
}

// Takes one column off the widest that may still shrink, until the table fits or none may.
void shrink_to(std::size_t limit, const std::vector<Column>& columns,
               std::vector<std::size_t>& widths) {
  while (total_width(widths) > limit) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool can = columns[i].may_shrink && widths[i] > columns[i].min_width;
      if (can && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) return;
    --widths[widest];
  }
}

void append_line(std::string& out, const std::vector<std::string>& cells,
                 const std::vector<Column>& columns, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string cell = cut_to_width(cells[i], widths[i]);
    const std::size_t pad = widths[i] - std::min(widths[i], display_width(cell));
    if (i > 0) line.append(kGap, ' ');
    if (columns[i].right) line.append(pad, ' ');
    line += cell;
    if (!columns[i].right) line.append(pad, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line;
  out += '\n';
}

}  // namespace

void Table::add_row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (auto& cell : cells) cell = escape_for_terminal(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t width_limit) const {
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (const auto& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(display_width(column.title));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  if (width_limit > 0) shrink_to(width_limit, columns_, widths);
  std::string out;
  append_line(out, titles, columns_, widths);
  for (const auto& row : rows_) append_line(out, row, columns_, widths);
  return out;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  const std::string_view dots =
      std::string_view("...").substr(0, std::min<std::size_t>(columns, 3));
  const std::size_t room = columns - dots.size();
  std::size_t at = 0, used = 0;
  while (at < text.size()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, at), 1);
    const std::size_t width = display_width(text.substr(at, length));
    if (used + width > room) break;
    used += width;
    at += length;
  }
  return std::string(text.substr(0, at)).append(dots);
}

}  // namespace estiva::format
