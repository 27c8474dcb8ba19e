// A small JSON writer for the documents of api and cli: appends to one string, no tree. Strings are
// always valid JSON and valid UTF-8 whatever comes in (bad bytes become U+FFFD); doubles are in
// their shortest form that reads back the same; NaN and infinity are null.
//
//   JsonWriter json(out);
//   json.begin_object().field("schema", "estiva/gpu/1").key("gpus").begin_array();
//   ... json.end_array().end_object();
#pragma once
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"
#include "model/reading.h"

namespace estiva::format {

// "text" with quotes and escapes, appended to `out`.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double number);

class JsonWriter {
 public:
  static constexpr std::size_t kMaxDepth = 64;  // an assertion beyond: our documents are shallow

  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& null();
  // A value that is JSON text already.
  JsonWriter& raw(std::string_view json);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool yes);
  JsonWriter& value(double number);
  JsonWriter& value(std::integral auto number) {
    if constexpr (std::signed_integral<decltype(number)>) return write_signed(number);
    return write_unsigned(static_cast<std::uint64_t>(number));
  }
  JsonWriter& value(Bytes bytes) { return write_unsigned(bytes.value); }
  JsonWriter& value(Hertz hertz) { return write_unsigned(hertz.value); }
  JsonWriter& value(Ratio ratio) { return value(ratio.value); }
  JsonWriter& value(Celsius celsius) { return value(celsius.value); }
  JsonWriter& value(Watts watts) { return value(watts.value); }
  // What is unknown is null; the caller writes the reason where its schema says.
  template <class T>
  JsonWriter& value(const Reading<T>& reading) {
    return reading ? value(*reading) : null();
  }
  template <class T>
  JsonWriter& field(std::string_view name, const T& any) {
    return key(name).value(any);
  }

 private:
  JsonWriter& write_signed(std::int64_t number);
  JsonWriter& write_unsigned(std::uint64_t number);
  void before_value();

  std::string& out_;
  std::array<bool, kMaxDepth> has_items_{};
  std::size_t depth_ = 0;
  bool after_key_ = false;
};

}  // namespace estiva::format
