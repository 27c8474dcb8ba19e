// How text for people is dressed: colours on a terminal, nothing in a pipe.
#pragma once
#include <string>
#include <string_view>

namespace estiva::cli {

enum class Colour { plain, bold, dim, green, yellow, red };

struct Style {
  bool colour = false;
  bool terminal = false;  // stdout is one: a live report may redraw it
};

// `text` in that colour, or as it is where the style has none.
std::string paint(const Style& style, Colour colour, std::string_view text);
// Green for OK, yellow for WARN and DEGRADED, red for the rest.
Colour colour_of_state(std::string_view state);
// The style of a stream: NO_COLOR (any value but empty) and TERM=dumb are honoured.
Style style_of(int fd);

}  // namespace estiva::cli
