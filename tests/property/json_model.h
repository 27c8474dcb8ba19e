// A JSON document as values, read by another parser than the editor's (Boost.JSON), and the same
// edits on it: the referee of the editor.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace estiva::property {

struct JsonModel {
  enum class Kind { null, scalar, array, object };
  Kind kind = Kind::null;
  std::string scalar;  // of text, numbers and booleans: what kind it is, and its value
  std::vector<std::pair<std::string, JsonModel>> members;  // of an array: without names
  friend bool operator==(const JsonModel&, const JsonModel&) = default;

  JsonModel* member(std::string_view name);
};

// Nothing: it is not JSON. A byte order mark is stepped over; blanks only are null.
std::optional<JsonModel> read_model(std::string_view text);

using Path = std::vector<std::string>;
// Makes what is missing on the way, from null too. False, with nothing changed, where a value on
// the way is neither an object nor null.
bool set_in(JsonModel& root, const Path& path, const JsonModel& value);
// Whether it was there.
bool remove_in(JsonModel& root, const Path& path);
// Null: a name of the path is not there.
const JsonModel* find_in(const JsonModel& root, const Path& path);

}  // namespace estiva::property
