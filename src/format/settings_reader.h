// Reading typed settings out of a parsed TOML table, with errors that name place, key and what is
// accepted. Private to settings.cpp: this header pulls in toml++.
#pragma once
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

#include "base/error.h"

namespace estiva::format {

// One [section]. The first thing that is wrong is kept in `error`; later reads then do nothing, so
// that the caller reads like a list of settings and checks once.
class SectionReader {
 public:
  // `table` may be null: the section is not in the file, and every read keeps its default.
  SectionReader(std::string_view file, std::string section, const toml::table* table,
                std::span<const std::string_view> known, std::optional<Error>& error);

  // The text of a key; nullopt where it is absent (or something was wrong before).
  std::optional<std::string> text(std::string_view key, std::string_view accepted);
  std::optional<bool> boolean(std::string_view key);
  std::optional<double> number(std::string_view key, double lowest, double highest,
                               std::string_view accepted);
  std::optional<std::vector<std::string>> texts(std::string_view key, std::size_t most,
                                                std::string_view accepted);
  const toml::table* table(std::string_view key);
  const toml::node* node(std::string_view key) const;

  // Stores what `parse` makes of the key's text.
  template <class T, class Parse>
  void parsed(std::string_view key, std::string_view accepted, T& out, Parse parse) {
    const auto words = text(key, accepted);
    if (!words) return;
    auto value = parse(*words);
    if (value) {
      out = std::move(*value);
    } else {
      wrong_value(key, value.error().what, value.error().remedy);
    }
  }

  // Errors at a key, for rules that only the caller knows.
  void wrong_value(std::string_view key, std::string_view what, std::string_view remedy);
  void given_twice(std::string_view key, const toml::node& later, std::string_view earlier_key,
                   const toml::node& earlier);
  void missing(std::string_view key, std::string_view remedy);
  bool failed() const { return error_.has_value(); }
  // "/etc/estiva/estiva.toml:3:9"
  std::string place(const toml::source_region& where) const;

 private:
  void check_keys(std::span<const std::string_view> known);
  void wrong_type(std::string_view key, const toml::node& node, std::string_view accepted);
  std::string full_name(std::string_view key) const;
  void set(std::string what, std::string remedy);

  std::string_view file_;
  std::string section_;
  const toml::table* table_;
  std::optional<Error>& error_;
};

}  // namespace estiva::format
