#include "format/json_edit.h"

#include <array>
#include <fmt/format.h>

#include "base/messages/format_json.h"
#include "base/units.h"
#include "format/json_layout.h"
#include "format/json_writer.h"

namespace estiva::format {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";

std::string_view type_name(JsonType type) {
  static constexpr std::array kNames{msg::kJsonIsNull, msg::kJsonIsBoolean, msg::kJsonIsNumber,
                                     msg::kJsonIsText, msg::kJsonIsArray,   msg::kJsonIsObject};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view quoted_name(std::string_view text, const JsonMemberSpan& member) {
  return text.substr(member.key_begin, member.key_end - member.key_begin);
}

// Members of the object at `object`, in their order.
template <class Each>
void for_members(std::string_view text, std::size_t object, Each each) {
  auto member = next_json_member(text, object + 1);
  while (member && each(*member)) member = next_json_member(text, member->value_end);
}

std::optional<JsonMemberSpan> member_called(std::string_view text, std::size_t object,
                                            std::string_view name) {
  std::optional<JsonMemberSpan> found;
  for_members(text, object, [&](const JsonMemberSpan& member) {
    const std::string_view quoted = quoted_name(text, member);
    const std::string_view inside = quoted.substr(1, quoted.size() - 2);
    const bool plain = inside.find('\\') == inside.npos;
    if (plain ? inside == name : unquote_json(quoted) == name) found = member;
    return !found;
  });
  return found;
}

std::optional<JsonMemberSpan> last_member(std::string_view text, std::size_t object) {
  std::optional<JsonMemberSpan> last;
  for_members(text, object, [&](const JsonMemberSpan& member) {
    last = member;
    return true;
  });
  return last;
}

// "name": json, with an object around it for each name of the path before the last.
std::string member_text(const JsonPath& path, std::size_t from, std::string_view json,
                        const JsonLayout& layout) {
  std::string text;
  append_json_string(text, path[from]);
  text += layout.colon;
  if (from + 1 == path.size()) return text += json;
  const JsonLayout inner = layout.inside();
  return text += inner.wrap(member_text(path, from + 1, json, inner));
}

Error says(const std::string& place, const JsonFault& fault, unsigned first_line) {
  std::string what(fault.what);
  if (fault.what == msg::kJsonTwice) what = fmt::format(msg::kJsonTwice, fault.name, first_line);
  if (fault.what == msg::kJsonDeep) what = fmt::format(msg::kJsonDeep, kJsonMostDepth);
  const std::string_view how = fault.what == msg::kJsonTwice ? msg::kJsonTwiceHow : msg::kJsonHow;
  return {ErrorKind::refused, fmt::format(msg::kJsonAt, place, what), std::string(how)};
}

std::string in_words(const JsonPath& path, std::size_t length) {
  if (length == 0) return std::string(msg::kJsonTheFile);
  std::string words = path[0];
  for (std::size_t i = 1; i < length; ++i) words += "." + path[i];
  return words;
}

}  // namespace

std::string in_words(const JsonPath& path) {
  return in_words(path, path.size());
}

// Whether the text is one that the document can hold.
Result<void> JsonEdit::check() const {
  if (text_.size() > kMostBytes)
    return fail(ErrorKind::refused,
                fmt::format(msg::kJsonTooBig, file_, to_text(Bytes{kMostBytes})),
                std::string(msg::kJsonTooBigHow));
  if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF"))
    return fail(ErrorKind::refused, fmt::format(msg::kJsonUtf16, file_),
                std::string(msg::kJsonUtf16How));
  const std::string_view json = std::string_view(text_).substr(start_);
  if (skip_json_blanks(json, 0) == json.size()) return {};
  if (const auto fault = check_json(json)) {
    const unsigned first = place_in(json, fault->first).line;
    return tl::unexpected(says(place(start_ + fault->at), *fault, first));
  }
  return {};
}

Result<JsonEdit> JsonEdit::parse(std::string text, std::string file) {
  const std::size_t start = text.starts_with(kMark) ? kMark.size() : 0;
  JsonEdit doc(std::move(text), std::move(file), start);
  if (auto good = doc.check(); !good) return tl::unexpected(good.error());
  return doc;
}

std::string JsonEdit::place(std::size_t at) const {
  const TextPlace place = place_in(std::string_view(text_).substr(start_), at - start_);
  return fmt::format("{}:{}:{}", file_, place.line, place.column);
}

TextPlace JsonEdit::place_of(const JsonValue& value) const {
  return place_in(std::string_view(text_).substr(start_), value.at - start_);
}

Error JsonEdit::wrong_type(const JsonPath& path, const JsonValue& value,
                           std::string_view wanted) const {
  const std::string what =
      fmt::format(msg::kJsonWrongType, in_words(path), type_name(value.type), wanted);
  return {ErrorKind::refused, fmt::format(msg::kJsonAt, place(value.at), what),
          std::string(msg::kJsonHow)};
}

JsonValue JsonEdit::value_at(std::size_t begin) const {
  const std::size_t end = end_of_json_value(text_, begin);
  return {json_type_at(text_, begin), std::string_view(text_).substr(begin, end - begin), begin};
}

Result<JsonEdit::Trail> JsonEdit::follow(const JsonPath& path) const {
  Trail trail;
  std::size_t at = skip_json_blanks(text_, start_);
  for (std::size_t i = 0; i < path.size() && at < text_.size(); ++i) {
    const JsonType type = json_type_at(text_, at);
    if (type == JsonType::null) break;
    if (type != JsonType::object) {
      const JsonPath above(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i));
      return tl::unexpected(wrong_type(above, value_at(at), msg::kJsonIsObject));
    }
    trail.objects.push_back(at);
    const auto member = member_called(text_, at, path[i]);
    if (!member) break;
    trail.members.push_back(*member);
    at = member->value_begin;
  }
  return trail;
}

Result<std::optional<JsonValue>> JsonEdit::find(const JsonPath& path) const {
  const auto trail = follow(path);
  if (!trail) return tl::unexpected(trail.error());
  if (trail->members.size() < path.size()) return std::nullopt;
  const std::size_t at =
      path.empty() ? skip_json_blanks(text_, start_) : trail->members.back().value_begin;
  if (at == text_.size()) return std::nullopt;
  return value_at(at);
}

Result<std::vector<std::string>> JsonEdit::names(const JsonPath& path) const {
  const auto value = find(path);
  if (!value) return tl::unexpected(value.error());
  std::vector<std::string> names;
  if (!*value || (*value)->type == JsonType::null) return names;
  if ((*value)->type != JsonType::object)
    return tl::unexpected(wrong_type(path, **value, msg::kJsonIsObject));
  for_members(text_, (*value)->at, [&](const JsonMemberSpan& member) {
    names.push_back(unquote_json(quoted_name(text_, member)));
    return true;
  });
  return names;
}

// Of the object that the trail ends in, or of the one that has to be made at its end.
JsonLayout JsonEdit::layout_at(const Trail& trail) const {
  JsonLayout layout = document_layout(std::string_view(text_).substr(start_));
  const std::size_t objects = trail.objects.size();
  for (std::size_t i = 0; i < objects; ++i) {
    const auto example = i < trail.members.size() ? std::optional(trail.members[i])
                                                  : last_member(text_, trail.objects[i]);
    layout = object_layout(layout, text_, trail.objects[i], example);
  }
  return objects > trail.members.size() ? layout : layout.inside();
}

Result<void> JsonEdit::set(const JsonPath& path, std::string_view json) {
  if (path.empty()) return fail(std::string(msg::kJsonNoPath), std::string(msg::kJsonOwnEditHow));
  if (const auto fault = check_json(json))
    return fail(fmt::format(msg::kJsonOwnEdit, file_, fault->what),
                std::string(msg::kJsonOwnEditHow));
  const auto trail = follow(path);
  if (!trail) return tl::unexpected(trail.error());
  const std::size_t found = trail->members.size();
  if (found == path.size()) {
    const JsonMemberSpan& member = trail->members.back();
    text_.replace(member.value_begin, member.value_end - member.value_begin, json);
    return {};
  }
  const JsonLayout layout = layout_at(*trail);
  const std::string member = member_text(path, found, json, layout);
  if (trail->objects.size() > found) {
    insert(trail->objects.back(), layout, member);
  } else {
    replace_null(*trail, layout.wrap(member));
  }
  return {};
}

// As the last member of the object.
void JsonEdit::insert(std::size_t object, const JsonLayout& layout, const std::string& member) {
  if (const auto last = last_member(text_, object)) {
    text_.insert(last->value_end, "," + layout.gap() + member);
  } else {
    const std::size_t closing = skip_json_blanks(text_, object + 1);
    text_.replace(object, closing + 1 - object, layout.wrap(member));
  }
}

// Puts an object where null stands, or nothing but blanks.
void JsonEdit::replace_null(const Trail& trail, const std::string& object) {
  std::size_t at = skip_json_blanks(text_, start_);
  if (!trail.members.empty()) at = trail.members.back().value_begin;
  if (at < text_.size()) {
    text_.replace(at, std::string_view("null").size(), object);
  } else {
    const std::string newline = document_layout(std::string_view(text_).substr(start_)).newline;
    text_.replace(start_, text_.size() - start_, object + newline);
  }
}

Result<bool> JsonEdit::remove(const JsonPath& path) {
  if (path.empty()) return fail(std::string(msg::kJsonNoPath), std::string(msg::kJsonOwnEditHow));
  const auto trail = follow(path);
  if (!trail) return tl::unexpected(trail.error());
  if (trail->members.size() < path.size()) return false;
  const JsonMemberSpan& member = trail->members.back();
  const std::size_t object = trail->objects.back();
  std::size_t begin = member.key_begin, end = member.value_end;
  if (const auto next = next_json_member(text_, member.value_end)) {
    end = next->key_begin;
  } else {
    begin = object + 1;  // the only one: nothing is left between the brackets
    for_members(text_, object, [&](const JsonMemberSpan& before) {
      if (before == member) return false;
      begin = before.value_end;
      return true;
    });
    if (begin == object + 1) end = skip_json_blanks(text_, member.value_end);
  }
  text_.erase(begin, end - begin);
  return true;
}

void JsonEdit::drop_byte_order_mark() {
  text_.erase(0, start_);
  start_ = 0;
}

Result<std::string> JsonEdit::finish() const {
  const auto good = check();
  if (!good)
    return fail(fmt::format(msg::kJsonOwnEdit, file_, good.error().what),
                std::string(msg::kJsonOwnEditHow));
  return text_;
}

}  // namespace estiva::format
