#include "format/json_tree.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/messages/format.h"

namespace estiva::format {
namespace {

namespace json = boost::json;

const json::value* as_value(const void* value) {
  return static_cast<const json::value*>(value);
}

}  // namespace

struct JsonTree::Value {
  json::value value;
};

JsonNode JsonNode::operator[](std::string_view member) const {
  if (!is_object()) return {};
  const json::value* found = as_value(value_)->get_object().if_contains(member);
  return found == nullptr || found->is_null() ? JsonNode() : JsonNode(found);
}

std::size_t JsonNode::size() const {
  if (is_object()) return as_value(value_)->get_object().size();
  return is_array() ? as_value(value_)->get_array().size() : 0;
}

JsonNode JsonNode::at(std::size_t i) const {
  if (is_object()) return JsonNode(&(as_value(value_)->get_object().begin() + i)->value());
  return JsonNode(&as_value(value_)->get_array()[i]);
}

std::string_view JsonNode::name_at(std::size_t i) const {
  const json::string_view key = (as_value(value_)->get_object().begin() + i)->key();
  return {key.data(), key.size()};
}

bool JsonNode::is_null() const {
  return value_ != nullptr && as_value(value_)->is_null();
}

bool JsonNode::is_object() const {
  return value_ != nullptr && as_value(value_)->is_object();
}

bool JsonNode::is_array() const {
  return value_ != nullptr && as_value(value_)->is_array();
}

std::optional<bool> JsonNode::boolean() const {
  if (value_ == nullptr || !as_value(value_)->is_bool()) return std::nullopt;
  return as_value(value_)->get_bool();
}

std::optional<std::uint64_t> JsonNode::unsigned_number() const {
  if (value_ == nullptr) return std::nullopt;
  if (as_value(value_)->is_uint64()) return as_value(value_)->get_uint64();
  if (!as_value(value_)->is_int64() || as_value(value_)->get_int64() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(as_value(value_)->get_int64());
}

std::optional<std::int64_t> JsonNode::signed_number() const {
  if (value_ == nullptr || !as_value(value_)->is_int64()) return std::nullopt;
  return as_value(value_)->get_int64();
}

std::optional<double> JsonNode::number() const {
  if (value_ == nullptr || !as_value(value_)->is_number()) return std::nullopt;
  return as_value(value_)->to_number<double>();
}

std::optional<std::string_view> JsonNode::text() const {
  if (value_ == nullptr || !as_value(value_)->is_string()) return std::nullopt;
  const json::string& text = as_value(value_)->get_string();
  return std::string_view(text.data(), text.size());
}

Result<JsonTree> JsonTree::parse(std::string_view text) {
  json::stream_parser parser({}, {.max_depth = kMaxDepth});
  boost::system::error_code error;
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  const std::size_t rest = error ? used : text.find_first_not_of(" \t\r\n", used);
  if (error || rest != text.npos) return fail(fmt::format(msg::kNotJson, error ? used : rest));
  JsonTree tree;
  tree.value_ = std::make_shared<const Value>(Value{parser.release()});
  return tree;
}

JsonNode JsonTree::root() const {
  return value_ ? JsonNode(&value_->value) : JsonNode();
}

}  // namespace estiva::format
