#include "format/exposition.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::format {
namespace {

std::string_view type_name(MetricType type, Exposition::Form form) {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::info:
      return form == Exposition::Form::open_metrics ? "info" : "gauge";
    case MetricType::unknown:
      return form == Exposition::Form::open_metrics ? "unknown" : "untyped";
    case MetricType::gauge:
      break;
  }
  return "gauge";
}

std::string_view suffix(MetricType type) {
  if (type == MetricType::counter) return "_total";
  return type == MetricType::info ? "_info" : "";
}

// Printable ASCII that stands for itself.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Labels& Labels::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += ',';
  text_.append(name).append("=\"");
  // Nearly every value is plain from end to end.
  const auto plain = std::find_if_not(value.begin(), value.end(), is_plain);
  text_.append(value.begin(), plain);
  value.remove_prefix(static_cast<std::size_t>(plain - value.begin()));
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t length = utf8_length(value, at);
    const char c = value[at];
    if (length == 0 || is_control(c))
      text_ += '?';
    else if (c == '"' || c == '\\')
      text_.append("\\").append(1, c);
    else
      text_.append(value.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  text_ += '"';
  return *this;
}

void Exposition::family(MetricType type, std::string_view name, std::string_view help,
                        std::string_view unit) {
  assert(unit.empty() || name.ends_with(unit));
  type_ = type;
  name_ = name;
  sample_name_.assign(name).append(suffix(type));
  help_ = help;
  unit_ = unit;
  is_open_ = false;
}

void Exposition::begin_sample(const Labels& labels) {
  auto out = std::back_inserter(out_);
  if (!is_open_) {
    // In OpenMetrics the family has a name of its own; in the text form it is that of its samples.
    const std::string& head = form_ == Form::open_metrics ? name_ : sample_name_;
    fmt::format_to(out, "# TYPE {} {}\n", head, type_name(type_, form_));
    if (form_ == Form::open_metrics && !unit_.empty())
      fmt::format_to(out, "# UNIT {} {}\n", head, unit_);
    fmt::format_to(out, "# HELP {} {}\n", head, help_);
    is_open_ = true;
  }
  out_.append(sample_name_);
  if (!labels.text().empty()) out_.append("{").append(labels.text()).append("}");
  out_ += ' ';
}

void Exposition::sample(const Labels& labels, double value) {
  begin_sample(labels);
  if (std::isfinite(value))
    append_json_number(out_, value);
  else
    out_ += "NaN";
  out_ += '\n';
}

void Exposition::sample(const Labels& labels, std::uint64_t value) {
  begin_sample(labels);
  char digits[24];
  char* const end = std::to_chars(digits, digits + sizeof digits - 1, value).ptr;
  *end = '\n';
  out_.append(digits, end + 1);
}

void Exposition::end() {
  if (form_ == Form::open_metrics) out_ += "# EOF\n";
}

}  // namespace estiva::format
