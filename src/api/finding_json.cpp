#include "api/finding_json.h"

#include <algorithm>
#include <array>

#include "api/plan_json.h"
#include "decide/readiness/rule.h"
#include "format/json_writer.h"

namespace estiva::api {
namespace {

using format::JsonWriter;

void write_strings(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_finding(JsonWriter& json, const Finding& finding, const std::optional<Plan>& plan) {
  json.begin_object().field("id", finding.id).field("severity", to_name(finding.severity));
  json.field("title", finding.title).key("foretells");
  if (finding.foretells.empty())
    json.null();
  else
    json.value(finding.foretells);
  json.key("evidence").begin_array();
  for (const Evidence& one : finding.evidence) {
    json.begin_object().field("source", to_name(one.source)).field("path", one.path).key("line");
    if (one.line == 0)
      json.null();
    else
      json.value(one.line);
    json.field("text", one.text).end_object();
  }
  json.end_array().key("remedy").begin_object().field("text", finding.remedy.text);
  json.field("fix", to_name(finding.remedy.fix));
  json.field("automatic", finding.remedy.fix == Fix::automatic);
  json.field("undo", finding.remedy.undo).key("plan");
  if (plan)
    write_plan(json, *plan);
  else
    json.null();
  json.end_object().end_object();
}

void write_summary(JsonWriter& json, const std::vector<Finding>& findings) {
  std::array<std::size_t, 3> counts{};
  for (const Finding& finding : findings) ++counts[static_cast<std::size_t>(finding.severity)];
  json.key("summary").begin_object();
  for (const Severity severity : {Severity::error, Severity::warning, Severity::info})
    json.field(to_name(severity), counts[static_cast<std::size_t>(severity)]);
  json.end_object();
}

void write_displays(JsonWriter& json, const decide::DisplayReport& display) {
  json.key("displays").begin_array();
  for (const decide::DisplayGpu& gpu : display.gpus) {
    json.begin_object().field("pci", gpu.bus_id).field("name", gpu.name);
    json.field("nvidia", gpu.is_nvidia).field("draws", gpu.draws).field("computes", gpu.computes);
    json.field("power", to_name(gpu.power)).key("screens");
    write_strings(json, gpu.screens);
    json.key("awake_because");
    write_strings(json, gpu.awake_because);
    json.end_object();
  }
  json.end_array().key("desktop_processes").begin_array();
  for (const decide::VramHolder& holder : display.holders) {
    json.begin_object().field("pid", holder.pid).field("name", holder.name);
    json.field("gpu", holder.device).field("used_bytes", holder.bytes).end_object();
  }
  json.end_array().key("advice");
  write_strings(json, display.advice);
}

// SARIF knows "note" where we say info.
std::string_view level_of(Severity severity) {
  return severity == Severity::info ? "note" : to_name(severity);
}

void write_rules(JsonWriter& json, const std::vector<Finding>& findings) {
  std::vector<std::string> ids;
  json.key("rules").begin_array();
  for (const Finding& finding : findings) {
    if (std::find(ids.begin(), ids.end(), finding.id) != ids.end()) continue;
    ids.push_back(finding.id);
    json.begin_object().field("id", finding.id);
    if (const decide::Rule* rule = decide::find_rule(finding.id)) {
      json.key("shortDescription").begin_object().field("text", rule->name).end_object();
      json.key("help").begin_object().field("text", rule->remedy).end_object();
    }
    json.end_object();
  }
  json.end_array();
}

// A file URI keeps unreserved characters and slashes (RFC 3986, RFC 8089).
std::string file_uri(const std::string& path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string uri = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte < 0x80 && std::isalnum(byte) != 0) ||
                          std::string_view("/-._~").find(c) != std::string_view::npos;
    if (is_plain) {
      uri += c;
      continue;
    }
    uri += '%';
    uri += kDigits[byte >> 4];
    uri += kDigits[byte & 15];
  }
  return uri;
}

void write_result(JsonWriter& json, const Finding& finding) {
  json.begin_object().field("ruleId", finding.id).field("level", level_of(finding.severity));
  json.key("message").begin_object();
  json.field("text", finding.title + ". " + finding.remedy.text).end_object();
  json.key("locations").begin_array();
  for (const Evidence& one : finding.evidence) {
    if (one.source != Evidence::Source::file || !one.path.starts_with('/')) continue;
    json.begin_object().key("physicalLocation").begin_object();
    json.key("artifactLocation").begin_object().field("uri", file_uri(one.path)).end_object();
    if (one.line != 0) json.key("region").begin_object().field("startLine", one.line).end_object();
    json.end_object().end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string doctor_json(const DoctorReport& report) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/doctor/1").key("findings").begin_array();
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    write_finding(json, report.findings[i],
                  i < report.plans.size() ? report.plans[i] : std::nullopt);
  json.end_array();
  write_summary(json, report.findings);
  write_displays(json, report.display);
  json.key("not_seen");
  write_strings(json, report.not_seen);
  json.end_object();
  return text;
}

std::string findings_sarif(const std::vector<Finding>& findings, const std::string& version) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
  json.field("version", "2.1.0").key("runs").begin_array().begin_object();
  json.key("tool").begin_object().key("driver").begin_object().field("name", "estiva");
  json.field("version", version);
  write_rules(json, findings);
  json.end_object().end_object().key("results").begin_array();
  for (const Finding& finding : findings) write_result(json, finding);
  json.end_array().end_object().end_array().end_object();
  return text;
}

}  // namespace estiva::api
