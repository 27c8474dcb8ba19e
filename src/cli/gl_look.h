// Which GPU draws: a small OpenGL program run with and without the offload variables.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace estiva::cli {

struct Drawn {
  enum class State { drawn, nothing_to_draw_on, failed };
  State state = State::failed;
  std::string vendor, renderer, version;  // OpenGL's own words
  std::vector<std::string> devices;       // nodes that it had open while it drew
  std::string reason;                     // where nothing was drawn
  bool is_nvidia() const;
};

// What estiva-glprobe printed.
Drawn parse_drawn(std::string_view text, int exit_code);

struct GraphicsLook {
  Drawn plain, offloaded;
};
// Blocking: at most 10 s each. Errors: the program is missing.
Result<GraphicsLook> look_at_graphics();

// What the two mean, as a sentence, and the exit code.
struct GraphicsVerdict {
  std::string sentence;
  int exit_code = 0;
};
GraphicsVerdict judge_graphics(const GraphicsLook& look);

}  // namespace estiva::cli
