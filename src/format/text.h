// Small tools on text that come from outside: numbers with limits, lines, UTF-8, escaping for a
// terminal, and the nearest known name. Pure; nothing here allocates more than its input's size.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace estiva::format {

// Decimal digits only, the whole text, no sign, no blank; nullopt on anything else or overflow.
std::optional<std::uint64_t> parse_u64(std::string_view text);
// The same with an optional leading '-'.
std::optional<std::int64_t> parse_i64(std::string_view text);

std::string_view trim(std::string_view text);  // blanks, tabs, CR and LF on both sides
// Takes the first line off `rest` (without its newline); false when nothing is left.
bool next_line(std::string_view& rest, std::string_view& line);
// Takes the first word off `rest`, separated by blanks and tabs; false when nothing is left.
bool next_word(std::string_view& rest, std::string_view& word);

// "00ff": two lower-case digits a byte.
std::string to_hex(std::span<const std::uint8_t> bytes);
// The other way; false, with the bytes in no known state, where `text` is not exactly that many
// bytes in lower-case digits.
bool from_hex(std::string_view text, std::span<std::uint8_t> bytes);

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);
// Bytes of the character that starts at text[at]; 0 where it is not valid UTF-8 there.
std::size_t utf8_length(std::string_view text, std::size_t at);
// Every byte that is not part of valid UTF-8 becomes U+FFFD.
std::string to_valid_utf8(std::string_view text);

// What may be printed on a terminal: control characters (C0, DEL, C1), invalid bytes and
// characters that reorder or hide text (bidi controls, zero width) become \xNN or \u{NNNN}.
// A name cannot move the cursor, colour the screen or forge a line.
std::string escape_for_terminal(std::string_view text);
// Text as it may stand in HTML, in an element or in a quoted attribute.
std::string escape_for_html(std::string_view text);
// Columns on a terminal: combining marks 0, wide East Asian and emoji 2, others 1.
std::size_t display_width(std::string_view text);

// Damerau-Levenshtein distance (adjacent swaps count one), case-insensitive for ASCII. Inputs are
// cut at 64 bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The nearest of `known`, if it is near enough to be meant: at most a third of the longer name's
// length, rounded up, and at most 3. Ties: the first.
std::optional<std::string_view> nearest_name(std::string_view wrong,
                                             std::span<const std::string_view> known);

// "1 reading", "3 readings": for nouns whose plural has an s.
std::string counted(std::uint64_t n, std::string_view noun);

}  // namespace estiva::format
