// Metrics as text for Prometheus, in either of its two forms. Pure: appends to one string.
//   OpenMetrics 1.0 (the specification in prometheus/OpenMetrics): a counter's family is named
//   without "_total", info is a type, the text ends with "# EOF".
//   Text format 0.0.4: the same samples; info is a gauge.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "model/reading.h"

namespace estiva::format {

enum class MetricType : std::uint8_t { gauge, counter, info, unknown };

// {name="value",...}, made once and used for many samples. Values are escaped; control characters
// and bytes that are no UTF-8 become "?".
class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
    for (const auto& [name, value] : pairs) add(name, value);
  }
  Labels& add(std::string_view name, std::string_view value);
  // Without the braces; empty where there are none.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Exposition {
 public:
  enum class Form : std::uint8_t { open_metrics, text };
  static constexpr std::string_view content_type(Form form) {
    return form == Form::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                      : "text/plain; version=0.0.4; charset=utf-8";
  }

  // Appends to `out`, which must outlive it.
  Exposition(std::string& out, Form form) : out_(out), form_(form) {}

  // Begins a family; all its samples follow before the next one. `name` has no "_total" or "_info";
  // a `unit` other than "" must be the end of the name ("bytes"). A family without samples is not
  // written: what is unknown is absent, never zero.
  void family(MetricType type, std::string_view name, std::string_view help,
              std::string_view unit = {});
  void sample(const Labels& labels, double value);
  void sample(const Labels& labels, std::uint64_t value);
  void sample(const Labels& labels, Bytes bytes) { sample(labels, bytes.value); }
  void sample(const Labels& labels, Ratio ratio) { sample(labels, ratio.value); }
  void sample(const Labels& labels, Celsius celsius) { sample(labels, celsius.value); }
  void sample(const Labels& labels, Watts watts) { sample(labels, watts.value); }
  void sample(const Labels& labels, Hertz hertz) { sample(labels, hertz.value); }
  void sample(const Labels& labels, unsigned value) { sample(labels, std::uint64_t{value}); }
  // Nothing where the reading is unknown.
  template <class T>
  void sample(const Labels& labels, const Reading<T>& reading) {
    if (reading) sample(labels, *reading);
  }
  // Ends the text.
  void end();

 private:
  void begin_sample(const Labels& labels);

  std::string& out_;
  Form form_;
  MetricType type_ = MetricType::gauge;
  std::string name_, sample_name_, help_, unit_;
  bool is_open_ = false;  // the family's head was written
};

}  // namespace estiva::format
