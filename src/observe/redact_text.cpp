#include "observe/redact_text.h"

#include <algorithm>
#include <array>

#include "format/json_tree.h"
#include "format/json_writer.h"

namespace estiva::observe {
namespace {

using format::JsonNode;
using format::JsonWriter;

// Words that a setting of ours may have as its value.
constexpr std::array<std::string_view, 16> kWords = {
    "true",    "false", "off",   "on",   "auto",  "pack",    "least-utilized", "info",
    "warning", "error", "debug", "ntfy", "slack", "discord", "json",           "warn"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

// 12, 0.5, 12GiB, "10 s", 80%
bool is_amount(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && ((text[i] >= '0' && text[i] <= '9') || text[i] == '.')) ++i;
  if (i == 0) return false;
  const std::string_view unit = trimmed(text.substr(i));
  return unit.size() <= 3 && std::all_of(unit.begin(), unit.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%';
         });
}

bool is_harmless(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  return is_amount(value) || std::find(kWords.begin(), kWords.end(), value) != kWords.end();
}

std::string setting_line(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with('[') && line.ends_with(']')) {
    const std::string_view section = trimmed(line.substr(1, line.size() - 2));
    return is_key(section) ? "[" + std::string(section) + "]\n" : "[(replaced)]\n";
  }
  const std::size_t equals = line.find('=');
  if (line.starts_with('#') || equals == line.npos) return {};
  const std::string_view key = trimmed(line.substr(0, equals));
  std::string_view value = trimmed(line.substr(equals + 1));
  if (const std::size_t comment = value.find(" #"); comment != value.npos) {
    value = trimmed(value.substr(0, comment));
  }
  if (!is_key(key)) return "(replaced)\n";
  return std::string(key) + " = " +
         (is_harmless(value) ? std::string(value) : std::string("\"(replaced)\"")) + "\n";
}

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or(std::string_view()));
}

std::string subject_of(const std::string& subject, std::string_view kind, Redactor& redactor) {
  if (subject.starts_with("GPU-") || subject.starts_with("MIG-")) return redactor.uuid(subject);
  if (subject.starts_with("PCI:") || subject == "driver") return subject;
  return redactor.name(kind == "event" ? "subject" : "model", subject);
}

void write_gpus(JsonWriter& json, JsonNode gpus, Redactor& redactor) {
  json.key("gpus").begin_array();
  for (std::size_t i = 0; i < (gpus.is_array() ? gpus.size() : 0); ++i) {
    json.value(redactor.uuid(text_of(gpus.at(i))));
  }
  json.end_array();
}

void write_number(JsonWriter& json, std::string_view name, JsonNode number) {
  json.key(name);
  if (const auto value = number.unsigned_number()) {
    json.value(*value);
  } else {
    json.null();
  }
}

// Of a member that holds one of our own words or a time: letters, digits and a few marks.
void write_word(JsonWriter& json, std::string_view name, JsonNode node) {
  const std::string text = text_of(node);
  const bool is_plain = text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' ||
                                 c == '-' || c == '.' || c == 'T' || c == 'Z' || c == '_';
                        });
  json.field(name, is_plain ? text : std::string());
}

template <class Each>
std::string rewrite(std::string_view text, std::string_view schema, std::string_view list,
                    Each each) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree || tree->root()["schema"].text() != schema) return {};
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("schema", schema).key(list).begin_array();
  const JsonNode rows = tree->root()[list];
  for (std::size_t i = 0; i < (rows.is_array() ? rows.size() : 0); ++i) each(json, rows.at(i));
  json.end_array().end_object();
  return out + "\n";
}

}  // namespace

std::string redact_settings(std::string_view toml, Redactor& redactor) {
  if (redactor.keeps_names()) return std::string(toml);
  std::string out;
  while (!toml.empty()) {
    const std::size_t end = std::min(toml.find('\n'), toml.size());
    out += setting_line(toml.substr(0, end));
    toml.remove_prefix(std::min(end + 1, toml.size()));
  }
  return out;
}

std::string redact_journal(std::string_view text, Redactor& redactor) {
  if (redactor.keeps_names()) return std::string(text);
  const auto record = [&](JsonWriter& json, JsonNode row) {
    json.begin_object();
    write_number(json, "position", row["position"]);
    write_word(json, "at", row["at"]);
    write_word(json, "kind", row["kind"]);
    write_number(json, "boot_epoch", row["boot_epoch"]);
    json.field("subject", subject_of(text_of(row["subject"]), text_of(row["kind"]), redactor));
    write_gpus(json, row["gpus"], redactor);
    write_number(json, "vram_bytes", row["vram_bytes"]);
    json.end_object();
  };
  return rewrite(text, "estiva/journal/1", "records", record);
}

std::string redact_leases(std::string_view text, Redactor& redactor) {
  if (redactor.keeps_names()) return std::string(text);
  const auto lease = [&](JsonWriter& json, JsonNode row) {
    json.begin_object();
    write_word(json, "id", row["id"]);
    json.field("model", redactor.name("model", text_of(row["model"])));
    write_word(json, "state", row["state"]);
    write_word(json, "granted_at", row["granted_at"]);
    write_gpus(json, row["gpus"], redactor);
    write_number(json, "vram_bytes", row["vram_bytes"]);
    write_number(json, "pid", row["pid"]);
    json.end_object();
  };
  return rewrite(text, "estiva/leases/1", "leases", lease);
}

}  // namespace estiva::observe
