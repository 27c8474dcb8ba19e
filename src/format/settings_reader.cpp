#include "format/settings_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/format.h"
#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kLongestText = 4096;

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::string shown(std::string_view text) {
  return escape_for_terminal(text.substr(0, 64));
}

}  // namespace

SectionReader::SectionReader(std::string_view file, std::string section, const toml::table* table,
                             std::span<const std::string_view> known, std::optional<Error>& error)
    : file_(file), section_(std::move(section)), table_(table), error_(error) {
  if (table_ != nullptr && !known.empty()) check_keys(known);
}

std::string SectionReader::place(const toml::source_region& where) const {
  return fmt::format("{}:{}:{}", file_, where.begin.line, where.begin.column);
}

std::string SectionReader::full_name(std::string_view key) const {
  return section_.empty() ? shown(key) : fmt::format("{}.{}", shown(section_), shown(key));
}

void SectionReader::set(std::string what, std::string remedy) {
  if (!error_) error_ = Error{ErrorKind::usage, std::move(what), std::move(remedy)};
}

void SectionReader::check_keys(std::span<const std::string_view> known) {
  for (const auto& [key, value] : *table_) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const auto near = nearest_name(key.str(), known);
    return set(fmt::format(msg::kUnknownKey, place(key.source()), full_name(key.str())),
               near ? fmt::format(msg::kUnknownKeyNear, *near) + "? " +
                          fmt::format(msg::kUnknownKeyHow, fmt::join(known, ", "))
                    : fmt::format(msg::kUnknownKeyHow, fmt::join(known, ", ")));
  }
}

const toml::node* SectionReader::node(std::string_view key) const {
  return table_ == nullptr || error_ ? nullptr : table_->get(key);
}

void SectionReader::wrong_type(std::string_view key, const toml::node& node,
                               std::string_view accepted) {
  set(fmt::format(msg::kWrongType, place(node.source()), full_name(key), type_name(node), accepted),
      {});
}

void SectionReader::wrong_value(std::string_view key, std::string_view what,
                                std::string_view remedy) {
  const toml::node* at = node(key);
  if (at == nullptr) return;
  set(fmt::format(msg::kWrongValue, place(at->source()), full_name(key), what),
      std::string(remedy));
}

void SectionReader::given_twice(std::string_view key, const toml::node& later,
                                std::string_view earlier_key, const toml::node& earlier) {
  set(fmt::format(msg::kGivenTwice, place(later.source()), key, earlier_key,
                  earlier.source().begin.line),
      std::string(msg::kGivenTwiceHow));
}

void SectionReader::missing(std::string_view key, std::string_view remedy) {
  if (table_ == nullptr) return;
  set(fmt::format(msg::kMissingKey, place(table_->source()), shown(section_), key),
      std::string(remedy));
}

std::optional<std::string> SectionReader::text(std::string_view key, std::string_view accepted) {
  const toml::node* at = node(key);
  if (at == nullptr) return std::nullopt;
  const auto* string = at->as_string();
  if (string == nullptr) {
    wrong_type(key, *at, accepted);
    return std::nullopt;
  }
  const bool usable =
      (*string)->size() <= kLongestText && (*string)->find('\0') == std::string::npos;
  if (!usable) {
    wrong_value(key, "too long, or with a NUL in it", fmt::format(msg::kAccepted, accepted));
    return std::nullopt;
  }
  return string->get();
}

std::optional<bool> SectionReader::boolean(std::string_view key) {
  const toml::node* at = node(key);
  if (at == nullptr) return std::nullopt;
  if (!at->is_boolean()) {
    wrong_type(key, *at, "true or false");
    return std::nullopt;
  }
  return at->as_boolean()->get();
}

std::optional<double> SectionReader::number(std::string_view key, double lowest, double highest,
                                            std::string_view accepted) {
  const toml::node* at = node(key);
  if (at == nullptr) return std::nullopt;
  if (!at->is_number()) {
    wrong_type(key, *at, accepted);
    return std::nullopt;
  }
  const double value = at->value_or(lowest - 1);
  if (!(value >= lowest && value <= highest)) {  // NaN too
    wrong_value(key, fmt::format(msg::kNotAccepted, value), fmt::format(msg::kAccepted, accepted));
    return std::nullopt;
  }
  return value;
}

std::optional<std::vector<std::string>> SectionReader::texts(std::string_view key, std::size_t most,
                                                             std::string_view accepted) {
  const toml::node* at = node(key);
  if (at == nullptr) return std::nullopt;
  const auto* list = at->as_array();
  if (list == nullptr) {
    wrong_type(key, *at, accepted);
    return std::nullopt;
  }
  if (list->size() > most) {
    wrong_value(key, fmt::format("{} entries", list->size()),
                fmt::format(msg::kAccepted, fmt::format("at most {}", most)));
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& item : *list) {
    const auto* string = item.as_string();
    if (string == nullptr || (*string)->find('\0') != std::string::npos) {
      wrong_type(key, item, accepted);
      return std::nullopt;
    }
    out.push_back(string->get());
  }
  return out;
}

const toml::table* SectionReader::table(std::string_view key) {
  const toml::node* at = node(key);
  if (at == nullptr) return nullptr;
  if (!at->is_table()) wrong_type(key, *at, "a table: a [section] line with settings under it");
  return at->as_table();
}

}  // namespace estiva::format
