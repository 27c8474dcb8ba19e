#include "cli/render_cdi.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli_cdi.h"
#include "format/cdi_spec.h"
#include "format/json_writer.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;
using format::JsonWriter;

void write_strings(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

std::string line_of(const CdiFile& file, std::string_view place) {
  const auto at = format::cdi_place_of(file.text, place);
  return at.line == 0 ? std::string() : fmt::format(":{}", at.line);
}

std::string problem_line(const CheckedSpec& checked, std::string_view place, std::string_view id,
                         std::string_view text, Colour colour, const Style& style) {
  return paint(style, colour,
               escape_for_terminal(fmt::format(m::kCdiProblem, checked.file.path,
                                               line_of(checked.file, place), id, text))) +
         "\n";
}

}  // namespace

bool is_wrong(const CheckedSpec& checked) {
  return !checked.file.error.empty() ||
         std::any_of(checked.violations.begin(), checked.violations.end(),
                     [](const format::CdiViolation& one) { return one.is_refused; }) ||
         std::any_of(checked.problems.begin(), checked.problems.end(),
                     [](const decide::CdiProblem& one) { return one.severity == Severity::error; });
}

std::string render_cdi_list(const decide::CdiEffective& effective,
                            const std::vector<std::string>& dirs, const Style& style) {
  std::string out;
  std::size_t width = 0;
  for (const auto& device : effective.devices) width = std::max(width, device.name.size());
  for (const auto& device : effective.devices) {
    const std::string name = fmt::format("{:<{}}", escape_for_terminal(device.name), width);
    if (device.winner.empty()) {
      const std::string why = fmt::format(m::kCdiLost, fmt::join(device.conflicting, ", "));
      out += fmt::format("{}  {}\n", paint(style, Colour::red, name), escape_for_terminal(why));
      continue;
    }
    out += fmt::format("{}  {}\n", name, escape_for_terminal(device.winner));
    for (const std::string& file : device.shadowed)
      out += fmt::format("{:{}}  {}\n", "", width,
                         escape_for_terminal(fmt::format(m::kCdiShadowed, file)));
  }
  if (effective.devices.empty()) out += fmt::format(m::kCdiNoDevices, fmt::join(dirs, ", ")) + "\n";
  for (const auto& file : effective.unused)
    out += paint(style, Colour::yellow,
                 escape_for_terminal(
                     fmt::format(m::kCdiUnused, file.path, to_name(file.why), file.text))) +
           "\n";
  return out;
}

std::string cdi_list_json(const decide::CdiEffective& effective,
                          const std::vector<std::string>& dirs) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/cdi-list/1");
  write_strings(json, "dirs", dirs);
  json.key("devices").begin_array();
  for (const auto& device : effective.devices) {
    json.begin_object().field("name", device.name).key("file");
    if (device.winner.empty())
      json.null();
    else
      json.value(device.winner);
    write_strings(json, "shadowed", device.shadowed);
    write_strings(json, "conflicting", device.conflicting);
    json.end_object();
  }
  json.end_array().key("unused").begin_array();
  for (const auto& file : effective.unused) {
    json.begin_object().field("path", file.path).field("why", to_name(file.why));
    json.field("text", file.text).key("line");
    if (file.line == 0)
      json.null();
    else
      json.value(file.line);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string render_cdi_check(const std::vector<CheckedSpec>& checked, const Style& style) {
  if (checked.empty()) return std::string(m::kCdiNoFiles) + "\n";
  std::string out;
  for (const CheckedSpec& one : checked) {
    if (!one.file.error.empty() && one.violations.empty()) {
      out += paint(style, Colour::red,
                   escape_for_terminal(fmt::format(m::kCdiBroken, one.file.path, one.file.error))) +
             "\n";
      continue;
    }
    for (const format::CdiViolation& violation : one.violations)
      out += problem_line(one, violation.place, violation.place, violation.text,
                          violation.is_refused ? Colour::red : Colour::yellow, style);
    for (const decide::CdiProblem& problem : one.problems)
      out +=
          problem_line(one, problem.place, problem.id, problem.text,
                       problem.severity == Severity::error ? Colour::red : Colour::yellow, style);
    if (one.violations.empty() && one.problems.empty())
      out += paint(style, Colour::green,
                   escape_for_terminal(
                       fmt::format(m::kCdiHealthy, one.file.path, one.file.spec.devices.size()))) +
             "\n";
  }
  return out;
}

std::string cdi_check_json(const std::vector<CheckedSpec>& checked) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/cdi-check/1").key("files").begin_array();
  for (const CheckedSpec& one : checked) {
    json.begin_object().field("path", one.file.path).field("kind", one.file.spec.kind);
    json.field("version", one.file.spec.version).field("wrong", is_wrong(one)).key("error");
    if (one.file.error.empty())
      json.null();
    else
      json.value(one.file.error);
    json.key("violations").begin_array();
    for (const format::CdiViolation& violation : one.violations)
      json.begin_object()
          .field("place", violation.place)
          .field("line", format::cdi_place_of(one.file.text, violation.place).line)
          .field("text", violation.text)
          .field("refused", violation.is_refused)
          .end_object();
    json.end_array().key("problems").begin_array();
    for (const decide::CdiProblem& problem : one.problems)
      json.begin_object()
          .field("id", problem.id)
          .field("severity", to_name(problem.severity))
          .field("device", problem.device)
          .field("place", problem.place)
          .field("line", format::cdi_place_of(one.file.text, problem.place).line)
          .field("path", problem.path)
          .field("text", problem.text)
          .end_object();
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text;
}

}  // namespace estiva::cli
