// Lines up columns for a terminal or a pipe. Cells are escaped (escape_for_terminal), so hostile
// names can be put in as they are; widths are display columns, not bytes.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::format {

struct Column {
  std::string title;
  bool right = false;         // numbers
  bool may_shrink = false;    // gives way first when the table is wider than the limit
  std::size_t min_width = 4;  // of a column that may shrink
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // Missing cells are empty, surplus ones are dropped.
  void add_row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // The table with its title line, two blanks between columns, no blank at the end of a line.
  // width_limit 0: as wide as it needs to be. Cut cells end in "...".
  std::string text(std::size_t width_limit = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // escaped already
};

// Cut to `columns` display columns, with "..." at the end if something was cut.
std::string cut_to_width(std::string_view text, std::size_t columns);

}  // namespace estiva::format
