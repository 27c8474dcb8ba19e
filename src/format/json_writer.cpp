#include "format/json_writer.h"

#include <cassert>
#include <charconv>
#include <cmath>

#include "format/text.h"

namespace estiva::format {
namespace {

void append_escaped(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHex[(c >> 4) & 0xF];
  out += kHex[c & 0xF];
}

bool needs_escape(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

template <class Number>
void append_with_to_chars(std::string& out, Number number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;  // start of the run that is copied as it is
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length != 0 && !needs_escape(text[at])) {
      at += length;
      continue;
    }
    out.append(text, from, at - from);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      append_escaped(out, text[at]);
    }
    from = ++at;
  }
  out.append(text, from);
  out += '"';
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  append_with_to_chars(out, number);
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (depth_ == 0) return;
  if (has_items_[depth_ - 1]) out_ += ',';
  has_items_[depth_ - 1] = true;
}

JsonWriter& JsonWriter::begin_object() {
  before_value();
  assert(depth_ < kMaxDepth);
  has_items_[depth_++] = false;
  out_ += '{';
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  assert(depth_ > 0 && !after_key_);
  --depth_;
  out_ += '}';
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  before_value();
  assert(depth_ < kMaxDepth);
  has_items_[depth_++] = false;
  out_ += '[';
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  assert(depth_ > 0 && !after_key_);
  --depth_;
  out_ += ']';
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  assert(depth_ > 0 && !after_key_);
  before_value();
  append_json_string(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::value(std::string_view text) {
  before_value();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool yes) {
  return raw(yes ? "true" : "false");
}

JsonWriter& JsonWriter::value(double number) {
  before_value();
  append_json_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::write_signed(std::int64_t number) {
  before_value();
  append_with_to_chars(out_, number);
  return *this;
}

JsonWriter& JsonWriter::write_unsigned(std::uint64_t number) {
  before_value();
  append_with_to_chars(out_, number);
  return *this;
}

}  // namespace estiva::format
