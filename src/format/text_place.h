// A place in a text that a person wrote.
#pragma once

namespace estiva::format {

// Where something stands in a text, from 1; 0: not known. Columns count characters.
struct TextPlace {
  unsigned line = 0, column = 0;
  friend bool operator==(const TextPlace&, const TextPlace&) = default;
};

}  // namespace estiva::format
