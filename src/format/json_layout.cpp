#include "format/json_layout.h"

namespace estiva::format {
namespace {

// The blanks before a member, back to the bracket or comma in front of it.
std::string_view gap_before(std::string_view text, const JsonMemberSpan& member) {
  std::size_t from = member.key_begin;
  while (text[from - 1] != '{' && text[from - 1] != ',') --from;
  return text.substr(from, member.key_begin - from);
}

// The last end of a line in it, "\n" or "\r\n"; empty: there is none.
std::string_view newline_in(std::string_view blanks) {
  const std::size_t end = blanks.rfind('\n');
  if (end == blanks.npos) return {};
  return end > 0 && blanks[end - 1] == '\r' ? "\r\n" : "\n";
}

void take_lines(JsonLayout& layout, std::string_view gap) {
  layout.lines = true;
  layout.newline = newline_in(gap);
  layout.indent = gap.substr(gap.rfind('\n') + 1);
  const bool is_deeper =
      layout.indent.size() > layout.outer.size() && layout.indent.starts_with(layout.outer);
  if (is_deeper) layout.unit = layout.indent.substr(layout.outer.size());
}

void take_one_line(JsonLayout& layout, std::string_view text, std::size_t object,
                   std::string_view gap) {
  layout.lines = false;
  layout.indent = layout.outer;
  const auto first = next_json_member(text, object + 1);
  const std::string_view pad = gap_before(text, *first);
  layout.pad = newline_in(pad).empty() ? pad : "";
  const bool is_first = gap.data() == pad.data();
  layout.between = gap;
  if (is_first && layout.colon.size() > 1) layout.between = " ";
}

}  // namespace

JsonLayout JsonLayout::inside() const {
  JsonLayout inner = *this;
  inner.outer = indent;
  inner.indent += unit;
  return inner;
}

std::string JsonLayout::wrap(std::string_view member) const {
  std::string text = "{";
  text += lines ? newline + indent : pad;
  text += member;
  text += lines ? newline + outer : pad;
  return text + "}";
}

JsonLayout document_layout(std::string_view text) {
  JsonLayout layout;
  const std::size_t end = text.find('\n');
  if (end != text.npos) layout.newline = newline_in(text.substr(0, end + 1));
  return layout;
}

JsonLayout object_layout(const JsonLayout& around, std::string_view text, std::size_t object,
                         const std::optional<JsonMemberSpan>& example) {
  JsonLayout layout = around.inside();
  if (!example) return layout;
  const std::string_view colon =
      text.substr(example->key_end, example->value_begin - example->key_end);
  if (newline_in(colon).empty()) layout.colon = colon;
  const std::string_view gap = gap_before(text, *example);
  if (newline_in(gap).empty()) {
    take_one_line(layout, text, object, gap);
  } else {
    take_lines(layout, gap);
  }
  return layout;
}

}  // namespace estiva::format
