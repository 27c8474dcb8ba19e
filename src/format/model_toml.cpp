#include "format/model_toml.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "base/messages/format.h"
#include "format/settings_reader.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::format {
namespace {

bool may_stand_in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("._-:/").find(c) != std::string_view::npos;
}

// A basic string; escapes of TOML 1.0.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string key_of(std::string_view name) {
  const bool is_bare = std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
  return is_bare ? std::string(name) : quoted(name);
}

void add_text(std::string& out, std::string_view key, std::string_view value) {
  if (!value.empty()) out += fmt::format("{} = {}\n", key, quoted(value));
}

void add_texts(std::string& out, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  std::string list;
  for (const std::string& value : values)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", quoted(value));
  out += fmt::format("{} = [{}]\n", key, list);
}

// A remark is one line, whatever is in it.
std::string remark(std::string_view text) {
  return fmt::format("# {}\n", escape_for_terminal(text));
}

std::string text_of(const toml::table& table, std::string_view key) {
  return table[key].value_or(std::string());
}

ModelIdentity identity_of(std::string_view name, const toml::table& table) {
  ModelIdentity one{std::string(name),
                    text_of(table, "engine"),
                    text_of(table, "file"),
                    text_of(table, "model"),
                    text_of(table, "url"),
                    text_of(table, "container"),
                    {}};
  if (const toml::array* words = table["command"].as_array())
    for (const toml::node& word : *words) one.command.push_back(word.value_or(std::string()));
  return one;
}

}  // namespace

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, may_stand_in_name) &&
         name.front() != '-' && name.front() != '.';
}

std::string to_model_name(std::string_view text) {
  constexpr std::size_t kLongest = 100;  // "-12" may come behind it
  std::string name;
  for (const char c : text.substr(0, kLongest))
    name +=
        may_stand_in_name(c) ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '-';
  while (!name.empty() && !is_model_name(name)) name.erase(0, 1);
  return name.empty() ? "model" : name;
}

std::string format_model_table(const ModelTable& table) {
  const ModelSpec& spec = table.spec;
  std::string out;
  for (const std::string& line : table.remarks) out += remark(line);
  out += fmt::format("[models.{}]\n", key_of(spec.name));
  add_text(out, "engine", to_name(spec.engine));
  add_texts(out, "aliases", spec.aliases);
  add_texts(out, "command", spec.command);
  add_text(out, "file", spec.file);
  add_text(out, "container", spec.container);
  add_text(out, "url", spec.url);
  add_text(out, "model", spec.model);
  add_text(out, "ready", spec.ready);
  const std::string behind = table.vram_remark.empty() ? "\n" : "  " + remark(table.vram_remark);
  if (spec.vram) {
    out += fmt::format("vram = {}{}", quoted(format_size(*spec.vram)), behind);
  } else if (!table.vram_remark.empty()) {
    out += "# vram = \"4GiB\"" + behind;
  }
  return out;
}

Result<std::vector<ModelIdentity>> parse_model_identities(std::string_view text,
                                                          std::string_view file) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    const auto place = parsed.error().source().begin;
    return fail(
        ErrorKind::usage,
        fmt::format(msg::kSettingsSyntax, fmt::format("{}:{}:{}", file, place.line, place.column),
                    escape_for_terminal(parsed.error().description().substr(0, 256))),
        std::string(msg::kSettingsSyntaxHow));
  }
  std::vector<ModelIdentity> models;
  const toml::table* tables = parsed.table()["models"].as_table();
  if (tables == nullptr) return models;
  for (const auto& [name, node] : *tables)
    if (const toml::table* table = node.as_table())
      models.push_back(identity_of(name.str(), *table));
  return models;
}

}  // namespace estiva::format
