#include "observe/redact_text.h"

#include <algorithm>
#include <array>

#include "format/json_tree.h"
#include "format/json_writer.h"
#include "model/xid.h"
#include "observe/allow_list.h"

namespace estiva::observe {
namespace {

using format::JsonNode;
using format::JsonWriter;

// Words that a setting of ours may have as its value.
constexpr std::array<std::string_view, 28> kWords = {
    "true",      "false",        "off",   "on",      "auto",   "pack",    "least-utilized",
    "info",      "warning",      "error", "debug",   "notice", "warn",    "degraded",
    "unhealthy", "ntfy",         "slack", "discord", "json",   "process", "container",
    "ollama",    "llama-server", "vllm",  "lease",   "remote", "keep",    "swap"};
constexpr std::array<std::string_view, 18> kUnits = {"",    "%",   "ns",  "us", "ms", "s",
                                                     "m",   "h",   "d",   "B",  "C",  "KiB",
                                                     "MiB", "GiB", "TiB", "kB", "MB", "GB"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

constexpr std::array<std::string_view, 9> kSections = {
    "daemon", "placement", "health", "paths", "docker", "events", "notify", "leases", "models"};
constexpr std::array<std::string_view, 26> kKeys = {"interval",
                                                    "gpu_monitoring_interval_seconds",
                                                    "history",
                                                    "listen",
                                                    "log_level",
                                                    "policy",
                                                    "margin",
                                                    "context_allowance",
                                                    "foreign_window",
                                                    "desktop_window",
                                                    "desktop_reserve",
                                                    "max_temperature",
                                                    "state_dir",
                                                    "runtime_dir",
                                                    "docker_root",
                                                    "model_folders",
                                                    "host",
                                                    "file",
                                                    "max_size",
                                                    "keep",
                                                    "url",
                                                    "shape",
                                                    "command",
                                                    "from",
                                                    "per_hour",
                                                    "per_client"};
constexpr std::array<std::string_view, 3> kModelKeys = {"engine", "vram", "ready"};

// 12, 0.5, 12GiB, "10 s", 80%
bool is_amount(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && ((text[i] >= '0' && text[i] <= '9') || text[i] == '.')) ++i;
  if (i == 0) return false;
  return is_one_of(kUnits, trimmed(text.substr(i)));
}

// A number, or in quotes a number with its unit or a word of ours.
bool is_harmless(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                         value.back() == value.front();
  if (is_quoted) value = value.substr(1, value.size() - 2);
  if (std::find(kWords.begin(), kWords.end(), value) != kWords.end()) return true;
  if (!is_amount(value)) return false;
  const bool has_unit = value.find_first_not_of("0123456789.") != value.npos;
  const bool is_plain = std::count(value.begin(), value.end(), '.') <= 1;
  return is_plain && has_unit == is_quoted;
}

// "[models.NAME]" names a model; any other section that we do not know is replaced.
std::string section_line(std::string_view section, Redactor& redactor) {
  constexpr std::string_view kModels = "models.";
  if (is_one_of(kSections, section)) return "[" + std::string(section) + "]\n";
  if (!section.starts_with(kModels)) return "[(replaced)]\n";
  std::string_view model = section.substr(kModels.size());
  if (model.size() >= 2 && model.front() == '"') model = model.substr(1, model.size() - 2);
  return "[models." + redactor.name("model", std::string(model)) + "]\n";
}

std::string setting_line(std::string_view line, Redactor& redactor) {
  line = trimmed(line);
  if (line.starts_with('[') && line.ends_with(']')) {
    return section_line(trimmed(line.substr(1, line.size() - 2)), redactor);
  }
  const std::size_t equals = line.find('=');
  if (line.starts_with('#') || equals == line.npos) return {};
  const std::string_view key = trimmed(line.substr(0, equals));
  std::string_view value = trimmed(line.substr(equals + 1));
  if (const std::size_t comment = value.find(" #"); comment != value.npos) {
    value = trimmed(value.substr(0, comment));
  }
  if (!is_one_of(kKeys, key) && !is_one_of(kModelKeys, key)) return "(replaced)\n";
  return std::string(key) + " = " +
         (is_harmless(value) ? std::string(value) : std::string("\"(replaced)\"")) + "\n";
}

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or(std::string_view()));
}

std::string subject_of(const std::string& subject, std::string_view kind, Redactor& redactor) {
  if (subject.starts_with("GPU-") || subject.starts_with("MIG-")) return redactor.uuid(subject);
  const bool is_slot =
      subject.starts_with("PCI:") && subject.substr(4) == pci_slot(subject.substr(4));
  if ((is_slot && subject.size() > 4) || subject == "driver") return subject;
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
  // Their lines are no settings, and what they hold nobody can know.
  if (toml.find("\"\"\"") != toml.npos || toml.find("'''") != toml.npos) return "(replaced)\n";
  std::string out;
  while (!toml.empty()) {
    const std::size_t end = std::min(toml.find('\n'), toml.size());
    out += setting_line(toml.substr(0, end), redactor);
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
