#include "cli/top_view.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

using format::JsonWriter;

constexpr std::string_view kNotLargest = "not_among_the_largest";

const TopRow* find_row(const std::vector<TopRow>& rows, std::int64_t pid) {
  for (const TopRow& row : rows)
    if (row.pid == pid) return &row;
  return nullptr;
}

void add_machine_use(TopProcess& process, const HostRow& host) {
  const TopRow* row = find_row(host.top_cpu, process.row.pid);
  if (row == nullptr) row = find_row(host.top_memory, process.row.pid);
  if (row == nullptr) return;
  process.cpu_cores = row->cpu;
  process.resident_bytes = row->resident_bytes;
}

// Ties keep one order from screen to screen.
bool in_place(const TopProcess& a, const TopProcess& b) {
  return std::tie(a.gpu, a.row.pid) < std::tie(b.gpu, b.row.pid);
}

// The largest first, the unknown last.
template <class Figure>
bool is_larger(const TopProcess& a, const TopProcess& b, Figure figure) {
  return figure(a) != figure(b) ? figure(a) > figure(b) : in_place(a, b);
}

bool is_named_before(const std::string& a, const std::string& b, bool otherwise) {
  if (a == b) return otherwise;
  return a.empty() || b.empty() ? b.empty() : a < b;
}

bool comes_before(std::string_view sort, const TopProcess& a, const TopProcess& b) {
  if (sort == "sm") return is_larger(a, b, [](const TopProcess& one) { return one.row.sm; });
  if (sort == "pid") return std::tie(a.row.pid, a.gpu) < std::tie(b.row.pid, b.gpu);
  if (sort == "model") return is_named_before(a.row.model, b.row.model, in_place(a, b));
  if (sort == "container") return is_named_before(whose(a.row), whose(b.row), in_place(a, b));
  return is_larger(a, b, [](const TopProcess& one) { return one.row.used_bytes; });
}

bool is_wanted(const GpuRow& gpu, std::string_view wanted) {
  if (wanted.empty() || gpu.uuid == wanted) return true;
  const auto index = format::parse_u64(wanted);
  return index && *index == gpu.index;
}

template <class T>
void write(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_text(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void write_missing(JsonWriter& json, const MissingReasons& missing) {
  if (missing.empty()) return;
  json.key("missing").begin_object();
  for (const auto& [what, why] : missing) json.field(what, why);
  json.end_object();
}

void write_gpu(JsonWriter& json, const GpuRow& gpu) {
  json.begin_object().field("index", gpu.index).field("uuid", gpu.uuid).field("name", gpu.name);
  json.field("health", gpu.health);
  write(json, "utilization_ratio", gpu.utilization);
  write(json, "used_bytes", gpu.used_bytes);
  write(json, "total_bytes", gpu.total_bytes);
  write(json, "temperature_celsius", gpu.celsius);
  write(json, "power_watts", gpu.watts);
  json.key("clock_event_reasons");
  if (gpu.clock_events) {
    json.begin_array();
    for (const std::string& name : *gpu.clock_events) json.value(name);
    json.end_array();
  } else {
    json.null();
  }
  write_missing(json, gpu.missing);
  json.end_object();
}

void write_process(JsonWriter& json, const TopProcess& process) {
  const ProcessRow& row = process.row;
  MissingReasons missing = row.missing;
  if (!process.cpu_cores) missing.emplace_back("cpu_cores", kNotLargest);
  if (!process.resident_bytes) missing.emplace_back("resident_bytes", kNotLargest);
  json.begin_object().field("gpu", process.gpu).field("pid", row.pid).field("name", row.name);
  write_text(json, "container", row.container);
  write_text(json, "project", row.project);
  write_text(json, "service", row.service);
  write_text(json, "model", row.model);
  write(json, "used_bytes", row.used_bytes);
  write(json, "sm_utilization_ratio", row.sm);
  write(json, "cpu_cores", process.cpu_cores);
  write(json, "resident_bytes", process.resident_bytes);
  write_missing(json, missing);
  json.end_object();
}

void write_host(JsonWriter& json, const HostRow& host) {
  json.begin_object().field("cores", host.cores);
  write(json, "cpu_ratio", host.cpu);
  write(json, "memory_total_bytes", host.memory_total);
  write(json, "memory_available_bytes", host.memory_available);
  write(json, "swap_total_bytes", host.swap_total);
  write(json, "swap_used_bytes", host.swap_used);
  write(json, "memory_pressure_some_ratio", host.memory_some);
  write(json, "memory_pressure_full_ratio", host.memory_full);
  write(json, "cpu_pressure_some_ratio", host.cpu_some);
  write(json, "io_pressure_some_ratio", host.io_some);
  write_missing(json, host.missing);
  json.end_object();
}

}  // namespace

std::string whose(const ProcessRow& row) {
  if (row.project.empty() || row.service.empty()) return row.container;
  return row.project + "/" + row.service;
}

TopView top_of(StatusDocument document, std::string_view sort, std::string_view gpu) {
  TopView view{std::move(document.gpu), {}, std::move(document.host)};
  std::erase_if(view.gpu.gpus, [gpu](const GpuRow& row) { return !is_wanted(row, gpu); });
  for (GpuRow& row : view.gpu.gpus) {
    for (ProcessRow& process : row.processes) {
      view.processes.push_back({row.index, std::move(process), {}, {}});
      add_machine_use(view.processes.back(), view.host);
    }
    row.processes.clear();
  }
  std::sort(view.processes.begin(), view.processes.end(),
            [sort](const TopProcess& a, const TopProcess& b) { return comes_before(sort, a, b); });
  return view;
}

std::string top_json(const TopView& view) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/top/1").field("simulated", view.gpu.simulated);
  json.field("source", view.gpu.source).field("sampled_at", view.gpu.sampled_at);
  write(json, "sampled_age_seconds", view.gpu.age_seconds);
  json.field("stale", view.gpu.stale).key("driver").begin_object();
  json.field("version", view.gpu.driver.version).field("state", view.gpu.driver.state);
  json.field("reason", view.gpu.driver.reason).field("remedy", view.gpu.driver.remedy);
  json.end_object().key("gpus").begin_array();
  for (const GpuRow& gpu : view.gpu.gpus) write_gpu(json, gpu);
  json.end_array().key("processes").begin_array();
  for (const TopProcess& process : view.processes) write_process(json, process);
  json.end_array().key("host");
  write_host(json, view.host);
  json.end_object();
  return text;
}

}  // namespace estiva::cli
