// The screen of `estiva top`. Pure: a view in, lines out; names from outside can't move the cursor,
// forge a line or shift a column.
#pragma once
#include <string>

#include "cli/render.h"
#include "cli/top_view.h"

namespace estiva::cli {

struct TopScreen {
  std::size_t columns = 0;               // 0: as wide as it needs to be
  std::size_t lines = 0;                 // 0: as many as it needs
  std::optional<std::size_t> processes;  // at most so many; else what has room
  std::string_view title;                // above all; empty: none
  std::string note;                      // what is wrong with the source itself; empty: nothing
};

// Lines, each with its end. With `lines` at most so many, and the machine's line is among them
// wherever there is room for four.
std::string render_top(const TopView& view, const RenderOptions& options, const TopScreen& screen);

}  // namespace estiva::cli
