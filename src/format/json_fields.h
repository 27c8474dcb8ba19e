// Plain values as JSON and back, from one list of their members, so that what is written can be
// read again:
//
//   template <class Io> void fields(Io& io, Share& share) {
//     io("gpu", share.device);
//     io("bytes", share.bytes);
//   }
//   write_fields(json, share);                 // {"gpu":..,"bytes":..}
//   auto problem = read_fields(node, share);   // empty: all is well
//
// A member that has its default value is not written; one that is absent is left as it is. A
// Reading without a value is {"missing":"not_supported"}. Numbers are in the unit of their type.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "model/reading.h"

namespace estiva::format {

namespace detail {

template <class T>
concept Quantity =
    std::is_same_v<T, Bytes> || std::is_same_v<T, Hertz> || std::is_same_v<T, Ratio> ||
    std::is_same_v<T, Celsius> || std::is_same_v<T, Watts>;
template <class T>
concept Time = std::is_same_v<T, SteadyTime> || std::is_same_v<T, WallTime>;
template <class T>
concept Duration = std::is_same_v<T, Nanoseconds>;

// The reason that is called so; nothing for a name that is none.
std::optional<Missing> missing_called(std::string_view name);

}  // namespace detail

class FieldWriter {
 public:
  explicit FieldWriter(JsonWriter& json) : json_(json) {}

  template <class T>
  void operator()(std::string_view name, const T& value, const T& usual = T{}) {
    if (value == usual) return;
    json_.key(name);
    write(value);
  }
  // A value of an enumeration, by its name.
  template <class E>
  void named(std::string_view name, const E& value, E /*last*/) {
    json_.field(name, to_name(value));
  }
  // Members that can't be compared with their default.
  template <class T>
  void list(std::string_view name, const std::vector<T>& values) {
    if (values.empty()) return;
    json_.key(name);
    write(values);
  }

  template <class T>
  void write(const T& value) {
    if constexpr (detail::Time<T>) {
      json_.value(value.ns);
    } else if constexpr (detail::Duration<T>) {
      json_.value(value.count());
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string> ||
                         detail::Quantity<T>) {
      json_.value(value);
    } else {
      json_.begin_object();
      fields(*this, const_cast<T&>(value));
      json_.end_object();
    }
  }
  template <class T>
  void write(const Reading<T>& reading) {
    if (reading) return write(*reading);
    json_.begin_object().field("missing", to_name(reading.why())).end_object();
  }
  template <class T>
  void write(const std::optional<T>& value) {
    if (value) return write(*value);
    json_.null();
  }
  template <class T>
  void write(const std::vector<T>& values) {
    json_.begin_array();
    for (const T& value : values) write(value);
    json_.end_array();
  }

 private:
  JsonWriter& json_;
};

class FieldReader {
 public:
  explicit FieldReader(JsonNode object, std::size_t most = 65'536) : node_(object), most_(most) {}

  template <class T>
  void operator()(std::string_view name, T& value, const T& usual = T{}) {
    const JsonNode node = node_[name];
    if (!node) {
      value = usual;
    } else if (problem_.empty() && !read(node, value)) {
      note(name);
    }
  }
  template <class E>
  void named(std::string_view name, E& value, E last) {
    const auto text = node_[name].text();
    bool found = false;
    for (int i = 0; text && i <= static_cast<int>(last); ++i) {
      if (to_name(static_cast<E>(i)) != *text) continue;
      value = static_cast<E>(i);
      found = true;
    }
    if (!found) note(name);
  }
  template <class T>
  void list(std::string_view name, std::vector<T>& values) {
    const JsonNode node = node_[name];
    if (node && problem_.empty() && !read(node, values)) note(name);
  }

  // The member that is not what it should be, "gpus.sample.power"; empty: none.
  const std::string& problem() const { return problem_; }

  template <class T>
  bool read(JsonNode node, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return take(node.boolean(), value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return take(node.number(), value);
    } else if constexpr (std::is_unsigned_v<T>) {
      return take(node.unsigned_number(), value);
    } else if constexpr (std::is_integral_v<T>) {
      return take(node.signed_number(), value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return take(node.text(), value);
    } else if constexpr (detail::Quantity<T>) {
      return read(node, value.value);
    } else if constexpr (detail::Time<T>) {
      return read(node, value.ns);
    } else if constexpr (detail::Duration<T>) {
      const auto count = node.signed_number();
      value = Nanoseconds(count.value_or(0));
      return count.has_value();
    } else {
      if (!node.is_object()) return false;
      FieldReader inner(node, most_);
      fields(inner, value);
      problem_ = inner.problem_;
      return problem_.empty();
    }
  }
  template <class T>
  bool read(JsonNode node, Reading<T>& reading) {
    if (const auto name = node["missing"].text()) {
      const auto why = detail::missing_called(*name);
      if (why) reading = *why;
      return why.has_value();
    }
    T value{};
    if (!read(node, value)) return false;
    reading = std::move(value);
    return true;
  }
  template <class T>
  bool read(JsonNode node, std::optional<T>& value) {
    if (node.is_null()) return true;
    return read(node, value.emplace());
  }
  template <class T>
  bool read(JsonNode node, std::vector<T>& values) {
    if (!node.is_array() || node.size() > most_) return false;
    values.resize(node.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!read(node.at(i), values[i])) return false;
    }
    return true;
  }

 private:
  template <class From, class T>
  static bool take(const std::optional<From>& from, T& to) {
    if (!from) return false;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (!std::in_range<T>(*from)) return false;
    }
    to = static_cast<T>(*from);
    return true;
  }
  void note(std::string_view name) {
    problem_ = problem_.empty() ? std::string(name) : std::string(name) + "." + problem_;
  }

  JsonNode node_;
  std::size_t most_;
  std::string problem_;
};

// An object's value.
template <class T>
void write_fields(JsonWriter& json, const T& value) {
  FieldWriter(json).write(value);
}

// The member that is wrong; empty: none. `value` is then partly changed.
template <class T>
std::string read_fields(JsonNode node, T& value) {
  FieldReader reader(node);
  if (!node.is_object()) return "{";
  fields(reader, value);
  return reader.problem();
}

}  // namespace estiva::format
