#include "cli/stress.h"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

#include "base/clock.h"
#include "base/messages/cli_models.h"
#include "base/units.h"
#include "format/json_writer.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

// What others take and free meanwhile is not ours to judge.
constexpr std::uint64_t kSlack = 64ULL << 20;

double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(steady_now() - start).count();
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double largest_of(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

struct Counts {
  std::uint64_t starts = 0, ooms = 0;
};

Result<std::map<std::string, Counts>> counts(const StressMachine& machine) {
  const auto document = machine.models();
  if (!document) return Failure(document.error());
  std::map<std::string, Counts> all;
  for (const ModelRow& row : document->models) all[row.name] = {row.starts, row.ooms};
  return all;
}

Result<void> unload_all(const std::vector<std::string>& models, const StressMachine& machine) {
  for (const std::string& model : models) {
    if (auto done = machine.unload(model); !done) return done;
  }
  return {};
}

// One request, and what it cost. `before`: how often each was loaded.
Result<void> ask(const std::string& model, const StressMachine& machine, StressReport& report,
                 std::map<std::string, Counts>& before) {
  StressedModel& figures = report.models[model];
  const SteadyTime start = steady_now();
  const auto answered = machine.request(model);
  const double took = seconds_since(start);
  ++figures.requests;
  if (!answered) {
    ++figures.errors;
    if (figures.first_error.empty()) figures.first_error = answered.error().sentence();
  }
  const auto used = machine.used_vram();
  if (!used) return Failure(used.error());
  report.vram_peak = std::max(report.vram_peak, *used);
  auto now = counts(machine);
  if (!now) return Failure(now.error());
  if (answered && (*now)[model].starts > before[model].starts) figures.swaps.push_back(took);
  figures.ooms += (*now)[model].ooms - std::min(before[model].ooms, (*now)[model].ooms);
  before = std::move(*now);
  return {};
}

Result<void> settle(StressReport& report, const StressMachine& machine,
                    std::chrono::milliseconds patience) {
  const SteadyTime start = steady_now();
  do {
    const auto used = machine.used_vram();
    if (!used) return Failure(used.error());
    report.vram_after = *used;
    report.has_returned = *used <= report.vram_before + kSlack;
    if (report.has_returned) return {};
    std::this_thread::sleep_for(100ms);
  } while (steady_now() - start < patience);
  return {};
}

}  // namespace

bool StressReport::is_clean() const {
  return has_returned && std::all_of(models.begin(), models.end(), [](const auto& item) {
           return item.second.errors == 0 && item.second.ooms == 0 && item.second.requests > 0;
         });
}

Result<StressReport> stress(const std::vector<std::string>& models, const StressMachine& machine,
                            std::chrono::milliseconds patience) {
  StressReport report;
  if (auto done = unload_all(models, machine); !done) return Failure(done.error());
  const auto used = machine.used_vram();
  if (!used) return Failure(used.error());
  report.vram_before = report.vram_peak = *used;
  auto before = counts(machine);
  if (!before) return Failure(before.error());
  const SteadyTime start = steady_now();
  // At least one round, however short the time.
  do {
    for (const std::string& model : models) {
      if (auto done = ask(model, machine, report, *before); !done) return Failure(done.error());
    }
  } while (!machine.is_over());
  report.seconds = seconds_since(start);
  if (auto done = unload_all(models, machine); !done) return Failure(done.error());
  if (auto done = settle(report, machine, patience); !done) return Failure(done.error());
  return report;
}

std::string stress_page(const StressReport& report) {
  format::Table table({{std::string(m::kModelNameColumn), false, true, 12},
                       {std::string(m::kRequestsColumn), true},
                       {std::string(m::kErrorsColumn), true},
                       {std::string(m::kOomsColumn), true},
                       {std::string(m::kSwapsColumn), true},
                       {std::string(m::kSwapMedianColumn), true},
                       {std::string(m::kSwapMostColumn), true}});
  std::string troubles;
  for (const auto& [name, model] : report.models) {
    const bool has_swaps = !model.swaps.empty();
    table.add_row({name, std::to_string(model.requests), std::to_string(model.errors),
                   std::to_string(model.ooms), std::to_string(model.swaps.size()),
                   has_swaps ? time_cell(median_of(model.swaps)) : "-",
                   has_swaps ? time_cell(largest_of(model.swaps)) : "-"});
    if (!model.first_error.empty()) {
      troubles += fmt::format(m::kModelReason, format::escape_for_terminal(name),
                              format::escape_for_terminal(model.first_error));
    }
  }
  return table.text() + troubles +
         fmt::format(m::kStressVram, to_text(Bytes{report.vram_before}),
                     to_text(Bytes{report.vram_peak}), to_text(Bytes{report.vram_after}),
                     report.has_returned ? m::kVramReturned : m::kVramStays);
}

std::string stress_json(const StressReport& report) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/stress/1")
      .field("clean", report.is_clean())
      .field("seconds", report.seconds)
      .key("models")
      .begin_array();
  for (const auto& [name, model] : report.models) {
    json.begin_object()
        .field("name", name)
        .field("requests", model.requests)
        .field("errors", model.errors)
        .field("ooms", model.ooms)
        .field("first_error", model.first_error)
        .key("swap_seconds")
        .begin_array();
    for (const double swap : model.swaps) json.value(swap);
    json.end_array().end_object();
  }
  json.end_array()
      .key("vram_bytes")
      .begin_object()
      .field("before", report.vram_before)
      .field("peak", report.vram_peak)
      .field("after", report.vram_after)
      .field("returned", report.has_returned)
      .end_object()
      .end_object();
  return text + "\n";
}

}  // namespace estiva::cli
