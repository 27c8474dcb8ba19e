// JSON text by its bytes: whether it is JSON at all (RFC 8259, and no name twice in one object),
// and where its parts begin and end. Nothing is converted: a number is its digits, a text its
// escapes. The rooms use json_edit.h, which stands on this.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/text_place.h"

namespace estiva::format {

enum class JsonType : std::uint8_t { null, boolean, number, text, array, object };

// Brackets in brackets. No configuration comes near it; JsonTree has the same limit.
inline constexpr int kJsonMostDepth = 64;

// What is wrong, and at which byte. `first` is where a name that stands twice stood before.
struct JsonFault {
  std::size_t at = 0;
  std::string_view what;  // of messages/format_json.h
  std::string name;
  std::size_t first = 0;
};
// Nothing: `text` is one JSON value between blanks. Names are compared as what they mean, so "a"
// and "\u0061" are the same. One pass; memory grows with the members of the objects that are open,
// 16 bytes each. At most 4 GiB of text.
std::optional<JsonFault> check_json(std::string_view text);

// Line and column of byte `at`, both known.
TextPlace place_in(std::string_view text, std::size_t at);

// Of text that check_json found good: no error is possible, and none is looked for.
std::size_t skip_json_blanks(std::string_view text, std::size_t at);
std::size_t end_of_json_string(std::string_view text, std::size_t at);  // at: its opening quote
std::size_t end_of_json_value(std::string_view text, std::size_t at);   // at: its first byte
JsonType json_type_at(std::string_view text, std::size_t at);
// A text as what it means; `quoted` has its quotes (what is no text of JSON ends early, and no
// byte beyond it is read). Half of a surrogate pair becomes U+FFFD, as it
// does in Go.
std::string unquote_json(std::string_view quoted);

// A member of an object, as byte offsets.
struct JsonMemberSpan {
  std::size_t key_begin = 0, key_end = 0;  // with its quotes
  std::size_t value_begin = 0, value_end = 0;
  friend bool operator==(const JsonMemberSpan&, const JsonMemberSpan&) = default;
};
// The first member at or after `at`, which is behind '{' or behind a member; nothing: '}' follows.
std::optional<JsonMemberSpan> next_json_member(std::string_view text, std::size_t at);

}  // namespace estiva::format
