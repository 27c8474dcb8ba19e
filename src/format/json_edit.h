// A JSON file of another program, changed without a loss: what is not edited keeps every byte.
// Order, spacing, indentation, the ends of lines, escapes and the digits of numbers stay as they
// are; what is new is laid out as its neighbours are. No tree is built, nothing is printed anew.
//
//   auto doc = JsonEdit::parse(text, "/etc/docker/daemon.json");
//   doc->set({"features", "cdi"}, "true");
//   doc->remove({"default-runtime"});
//   auto changed = doc->finish();
//
// Refused, with line and column: what is not JSON by RFC 8259 (comments, a comma too many, text
// after the end), a name that stands twice in one object, and a member on the way to an edited one
// that is no object. An empty file, and one of blanks only, counts as {}, as dockerd sees it; null
// where an object is wanted counts as absent. A UTF-8 byte order mark is kept.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/json_scan.h"

namespace estiva::format {

// Names from the outermost object inwards, as they are meant, without escapes.
using JsonPath = std::vector<std::string>;
// "runtimes.nvidia.path"; the empty path is "the whole file".
std::string in_words(const JsonPath& path);

// A value where it stands; valid until the document is changed.
struct JsonValue {
  JsonType type = JsonType::null;
  std::string_view text;  // its bytes: "\"a\"", "12345678901234567890", "{ ... }"
  std::size_t at = 0;     // offset of its first byte in the document's text
};

struct JsonLayout;

class JsonEdit {
 public:
  // A 50 MB file is still taken; what is larger is no configuration.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

  // `file` is only its name, for errors.
  static Result<JsonEdit> parse(std::string text, std::string file);

  // Nothing where it or an object above it is absent. The empty path is the whole document. Each
  // call reads from the beginning up to the value.
  Result<std::optional<JsonValue>> find(const JsonPath& path) const;
  // The names of an object's members in their order; none where it is absent.
  Result<std::vector<std::string>> names(const JsonPath& path) const;
  TextPlace place_of(const JsonValue& value) const;

  // Makes the value at `path` the JSON text `json`, and objects on the way where they are missing.
  // A value that is there is replaced, whatever it is; a new member comes last in its object.
  Result<void> set(const JsonPath& path, std::string_view json);
  // Takes the member away with its comma; false where it is not there. The object around it stays,
  // also when it is empty then.
  Result<bool> remove(const JsonPath& path);

  bool has_byte_order_mark() const { return start_ != 0; }
  void drop_byte_order_mark();

  // The text as it is now, checked once more.
  Result<std::string> finish() const;
  const std::string& text() const { return text_; }

  // The error that a value is not of the type that the caller needs; `wanted` is a word of
  // messages/format_json.h.
  Error wrong_type(const JsonPath& path, const JsonValue& value, std::string_view wanted) const;

 private:
  // How far a path leads: the objects that were entered and the members that were found in them.
  // There is one object more than members where the last object lacks the next name, and as many of
  // both where null stands instead of an object, or the path ends.
  struct Trail {
    std::vector<std::size_t> objects;  // offsets of their '{', outermost first
    std::vector<JsonMemberSpan> members;
  };

  JsonEdit(std::string text, std::string file, std::size_t start)
      : text_(std::move(text)), file_(std::move(file)), start_(start) {}
  Result<void> check() const;
  Result<Trail> follow(const JsonPath& path) const;
  JsonValue value_at(std::size_t begin) const;
  JsonLayout layout_at(const Trail& trail) const;
  void insert(std::size_t object, const JsonLayout& layout, const std::string& member);
  void replace_null(const Trail& trail, const std::string& object);
  std::string place(std::size_t at) const;

  std::string text_;
  std::string file_;
  std::size_t start_ = 0;  // behind the byte order mark
};

}  // namespace estiva::format
