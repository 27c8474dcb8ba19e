// The header fields of a message, in the order and case they came in. All text lies in one buffer
// that is reused from message to message, so that reading a request allocates nothing once warm.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::net {

// Views into a Headers; valid until that Headers changes or moves.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// ASCII case-insensitive comparison, as header names and tokens need it.
bool same_token(std::string_view a, std::string_view b);
// True when `list` ("keep-alive, Upgrade") has `token` as one of its comma-separated members.
bool list_has(std::string_view list, std::string_view token);

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderView> fields);

  // Appends; neither name nor value is checked here (the writer refuses CR, LF and NUL).
  void add(std::string_view name, std::string_view value);
  // Replaces every field of this name by one, at the end.
  void set(std::string_view name, std::string_view value);
  // Removes every field of this name.
  void remove(std::string_view name);
  void clear();

  // The first field of this name, if any. Names compare without case.
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::size_t count(std::string_view name) const;

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  HeaderView operator[](std::size_t i) const { return view(fields_[i]); }

  class Iterator {
   public:
    Iterator(const Headers* of, std::size_t i) : of_(of), i_(i) {}
    HeaderView operator*() const { return (*of_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    bool operator!=(const Iterator& o) const { return i_ != o.i_; }

   private:
    const Headers* of_;
    std::size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, fields_.size()}; }

 private:
  struct Field {
    std::uint32_t at, name_size, value_size;
  };
  HeaderView view(const Field& f) const {
    const std::string_view text(text_);
    return {text.substr(f.at, f.name_size), text.substr(f.at + f.name_size, f.value_size)};
  }
  std::string text_;  // name and value of each field, back to back
  std::vector<Field> fields_;
};

}  // namespace estiva::net
