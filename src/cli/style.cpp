#include "cli/style.h"

#include <cstdlib>
#include <unistd.h>

namespace estiva::cli {
namespace {

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::plain:
      return "";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::red:
      return "\x1b[31m";
  }
  return "";
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

std::string paint(const Style& style, Colour colour, std::string_view text) {
  if (!style.colour || colour == Colour::plain) return std::string(text);
  return std::string(code_of(colour)).append(text).append("\x1b[0m");
}

Colour colour_of_state(std::string_view state) {
  if (state == "OK") return Colour::green;
  if (state == "WARN" || state == "DEGRADED" || state == "WARNING") return Colour::yellow;
  return Colour::red;
}

Style style_of(int fd) {
  const bool terminal = ::isatty(fd) == 1;
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return Style{terminal && !dumb && !is_set("NO_COLOR"), terminal && !dumb};
}

}  // namespace estiva::cli
