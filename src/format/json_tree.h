// JSON text as a tree that is only read, for documents of our own and of other programs: what is
// absent, null or of another type is simply not there. No header of the JSON library is needed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace estiva::format {

// A value in a JsonTree, or nothing; valid as long as the tree is. Cheap to copy.
class JsonNode {
 public:
  JsonNode() = default;

  // A member of an object; nothing where this is no object or has none of that name.
  JsonNode operator[](std::string_view member) const;
  // Elements of an array, or members of an object; 0 for anything else.
  std::size_t size() const;
  // An element of an array, or a member's value by its place; i < size().
  JsonNode at(std::size_t i) const;
  // The name of a member by its place in an object.
  std::string_view name_at(std::size_t i) const;

  explicit operator bool() const { return value_ != nullptr; }
  bool is_null() const;
  bool is_object() const;
  bool is_array() const;
  std::optional<bool> boolean() const;
  std::optional<std::uint64_t> unsigned_number() const;  // a whole one, not below 0
  std::optional<std::int64_t> signed_number() const;     // a whole one
  std::optional<double> number() const;                  // any
  std::optional<std::string_view> text() const;

 private:
  friend class JsonTree;
  explicit JsonNode(const void* value) : value_(value) {}
  const void* value_ = nullptr;
};

class JsonTree {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  // Errors: not JSON (with the place), nested deeper than kMaxDepth, or more after the end.
  static Result<JsonTree> parse(std::string_view text);
  JsonNode root() const;

 private:
  struct Value;
  std::shared_ptr<const Value> value_;
};

}  // namespace estiva::format
