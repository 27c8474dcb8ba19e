// Leaves are a line or a cell each; the public functions at the end put them in order.
#include "cli/render.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/units.h"
#include "cli/render_models.h"
#include "cli/render_parts.h"
#include "format/size.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

constexpr std::size_t kTopShown = 5;  // of the 20 that the JSON has

// The largest request that would be granted; only a daemon knows what was promised already.
std::string room_cell(const GpuRow& gpu) {
  return gpu.admissible_bytes ? to_text(Bytes{*gpu.admissible_bytes}) : std::string("-");
}
std::string memory_cell(const GpuRow& gpu) {
  return fmt::format("{} / {}", bytes_cell(gpu.used_bytes), bytes_cell(gpu.total_bytes));
}

// The last cell of each line is a state: colour it in place (a cell itself can hold no colour).
std::string colour_tails(const std::string& table, const std::vector<std::string>& states,
                         const Style& style) {
  if (!style.colour) return table;
  std::string out;
  std::string_view rest = table;
  std::string_view line;
  for (std::size_t row = 0; format::next_line(rest, line); ++row) {
    if (row == 0) {
      out += paint(style, Colour::bold, line);
    } else if (row <= states.size() && line.ends_with(states[row - 1])) {
      const std::string& state = states[row - 1];
      out.append(line.substr(0, line.size() - state.size()));
      out += paint(style, colour_of_state(state), state);
    } else {
      out.append(line);
    }
    out += "\n";
  }
  return out;
}

std::string gpu_table(const std::vector<GpuRow>& gpus, const Style& style) {
  format::Table table({{m::kGpuColumn, true},
                       {m::kNameColumn, false, true, 12},
                       {m::kVramOfColumn, true},
                       {m::kFreeColumn, true},
                       {m::kCanPlaceColumn, true},
                       {m::kUtilColumn, true},
                       {m::kTempColumn, true},
                       {m::kPowerColumn, true},
                       {m::kHealthColumn}});
  std::vector<std::string> states;
  for (const GpuRow& gpu : gpus) {
    const std::string celsius =
        gpu.celsius ? to_text(Celsius{*gpu.celsius}) : std::string(m::kUnknown);
    const std::string watts = gpu.watts ? to_text(Watts{*gpu.watts}) : std::string(m::kUnknown);
    states.push_back(gpu.health.empty() ? "UNKNOWN" : gpu.health);
    table.add_row({std::to_string(gpu.index), gpu.name, memory_cell(gpu),
                   bytes_cell(gpu.free_bytes), room_cell(gpu), ratio_cell(gpu.utilization), celsius,
                   watts, states.back()});
  }
  return colour_tails(table.text(), states, style);
}

std::string identity_lines(const std::vector<GpuRow>& gpus) {
  std::string out;
  for (const GpuRow& gpu : gpus)
    out += fmt::format(m::kIdentityLine, gpu.index, escape_for_terminal(gpu.uuid),
                       escape_for_terminal(gpu.pci));
  return out;
}

// The page explains the n/a of its own columns; the JSON explains every one.
bool is_shown(std::string_view member) {
  constexpr std::string_view kShown[] = {"memory", "utilization_ratio", "temperature_celsius",
                                         "power_watts", "processes"};
  return std::find(std::begin(kShown), std::end(kShown), member) != std::end(kShown);
}

// "3h" and not "3h12m7s": how long something has been so.
std::chrono::seconds rounded(std::chrono::seconds span) {
  using namespace std::chrono_literals;
  if (span >= 48h) return span / 24h * 24h;
  if (span >= 2h) return span / 1h * 1h;
  return span >= 2min ? span / 1min * 1min : span;
}

std::string condition_text(const std::string& who, const ConditionRow& condition) {
  std::string out = fmt::format(m::kConditionLine, who, sentence(condition.reason));
  if (condition.since_seconds && *condition.since_seconds >= 1) {
    const auto span = std::chrono::seconds(static_cast<std::int64_t>(*condition.since_seconds));
    out += fmt::format(m::kConditionSince, format::format_duration(rounded(span)));
  }
  out += "\n";
  if (!condition.remedy.empty()) {
    out += fmt::format(m::kConditionRemedy, sentence(condition.remedy));
  }
  return out;
}

std::string condition_lines(const GpuDocument& document) {
  std::string out;
  for (const GpuRow& gpu : document.gpus) {
    for (const ConditionRow& condition : gpu.conditions) {
      out += condition_text(fmt::format(m::kGpuNumber, gpu.index), condition);
    }
    for (const auto& [what, why] : gpu.missing)
      if (is_shown(what))
        out += fmt::format(m::kMissing, gpu.index, words_of(what), words_of(why)) + "\n";
  }
  for (const NotListedRow& gone : document.not_listed) {
    for (const ConditionRow& condition : gone.conditions) {
      out += condition_text(escape_for_terminal(gone.device), condition);
    }
  }
  return out;
}

std::string process_table(const std::vector<GpuRow>& gpus) {
  const bool has_containers = std::any_of(gpus.begin(), gpus.end(), [](const GpuRow& gpu) {
    return std::any_of(gpu.processes.begin(), gpu.processes.end(),
                       [](const ProcessRow& process) { return !process.container.empty(); });
  });
  std::vector<format::Column> columns = {{m::kGpuColumn, true},
                                         {m::kPidColumn, true},
                                         {m::kVramColumn, true},
                                         {m::kProcessColumn, false, true}};
  if (has_containers) columns.push_back({m::kContainerColumn, false, true});
  columns.push_back({m::kModelColumn, false, true});
  format::Table table(std::move(columns));
  for (const GpuRow& gpu : gpus) {
    for (const ProcessRow& process : gpu.processes) {
      std::vector<std::string> cells = {
          std::to_string(gpu.index), std::to_string(process.pid), bytes_cell(process.used_bytes),
          process.name.empty() ? std::string(m::kUnknown) : process.name};
      if (has_containers) cells.push_back(process.container);
      cells.push_back(process.model);
      table.add_row(std::move(cells));
    }
  }
  return table.empty() ? std::string() : "\n" + table.text();
}

// Nothing where nobody asks an engine, or the machine has none.
std::string engine_line(const EngineRow& engine) {
  if (engine.state.empty() || engine.state == "absent" || engine.state == "connecting") return {};
  if (engine.state != "ready") {
    return fmt::format(m::kEngineTrouble, sentence(engine.reason)) +
           fmt::format(m::kConditionRemedy, sentence(engine.remedy));
  }
  return fmt::format(m::kEngineLine, engine.running, engine.containers,
                     escape_for_terminal(engine.name), escape_for_terminal(engine.version));
}

std::string check_lines(const std::vector<CheckRow>& checks, const RenderOptions& options) {
  std::string out;
  for (const CheckRow& check : checks) {
    // Of the machine's own figures only what is wrong is news.
    if (check.name == "host_status" && check.state == "OK") continue;
    out += words_of(check.name) + ": ";
    out += paint(options.style, colour_of_state(check.state), escape_for_terminal(check.state));
    if (!check.reason.empty()) out += " (" + sentence(check.reason) + ")";
    out += "\n";
  }
  return out;
}

std::string disk_line(const DiskRow& disk) {
  return fmt::format(m::kDiskLine, escape_for_terminal(disk.role), to_text(Bytes{disk.used_bytes}),
                     to_text(Bytes{disk.total_bytes}), ratio_cell(disk.used_ratio),
                     escape_for_terminal(disk.path));
}

std::string memory_line(const HostRow& host) {
  if (!host.memory_total || !host.memory_available) return std::string(m::kRamUnknown);
  const Bytes total{*host.memory_total};
  const Bytes used = total - Bytes{*host.memory_available};
  const double ratio =
      total.value == 0 ? 0 : static_cast<double>(used.value) / static_cast<double>(total.value);
  return fmt::format(m::kRamLine, to_text(used), to_text(total), to_text(Ratio{ratio}));
}

std::string swap_line(const HostRow& host) {
  if (!host.swap_total || *host.swap_total == 0) return std::string(m::kNoSwap);
  const Bytes total{*host.swap_total};
  return fmt::format(m::kSwapLine, to_text(Bytes{host.swap_used.value_or(0)}), to_text(total));
}

std::string top_table(const HostRow& host) {
  format::Table table({{m::kCpuColumn, true},
                       {m::kPidColumn, true},
                       {m::kProcessColumn, false, true},
                       {m::kRamColumn, true},
                       {m::kPidColumn, true},
                       {m::kProcessColumn, false, true}});
  const std::size_t rows =
      std::min(kTopShown, std::max(host.top_cpu.size(), host.top_memory.size()));
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<std::string> cells(6);
    if (i < host.top_cpu.size()) {
      cells[0] = ratio_cell(host.top_cpu[i].cpu);
      cells[1] = std::to_string(host.top_cpu[i].pid);
      cells[2] = host.top_cpu[i].name;
    }
    if (i < host.top_memory.size()) {
      cells[3] = to_text(Bytes{host.top_memory[i].resident_bytes});
      cells[4] = std::to_string(host.top_memory[i].pid);
      cells[5] = host.top_memory[i].name;
    }
    table.add_row(std::move(cells));
  }
  return table.empty() ? std::string() : fmt::format("\n{}\n{}", m::kLargest, table.text());
}

// "0", or "?" for a GPU that is gone meanwhile.
std::string index_of(const std::string& uuid, const std::vector<GpuRow>& gpus) {
  for (const GpuRow& gpu : gpus)
    if (gpu.uuid == uuid) return std::to_string(gpu.index);
  return "?";
}

std::string place_of(const std::string& uuid, const std::vector<GpuRow>& gpus) {
  for (const GpuRow& gpu : gpus)
    if (gpu.uuid == uuid)
      return fmt::format(m::kOnGpu, gpu.index, escape_for_terminal(gpu.name),
                         escape_for_terminal(uuid));
  return escape_for_terminal(uuid);
}

std::string places_of(const LeaseRow& lease, const std::vector<GpuRow>& gpus) {
  std::string out;
  for (const std::string& uuid : lease.gpus)
    out += (out.empty() ? "" : ", ") + place_of(uuid, gpus);
  return out;
}

std::string holder_cell(const LeaseRow& lease) {
  return lease.pid ? fmt::format(m::kHeldByProcess, *lease.pid) : std::string(m::kHeldByName);
}

}  // namespace

bool is_whole(const GpuDocument& document) {
  return is_ready(document.driver) && !document.gpus.empty() && !document.stale;
}

std::string render_gpu(const GpuDocument& document, const RenderOptions& options) {
  std::string out = banner(document, options) + driver_lines(document, options);
  if (!document.gpus.empty()) {
    out += gpu_table(document.gpus, options.style);
    out += identity_lines(document.gpus);
  }
  out += condition_lines(document);
  return out + process_table(document.gpus);
}

std::string render_host(const HostRow& host, const RenderOptions&) {
  std::string out = fmt::format(m::kCpuLine, ratio_cell(host.cpu), host.cores,
                                host.cores == 1 ? m::kCore : m::kCores);
  out += memory_line(host) + swap_line(host);
  for (const DiskRow& disk : host.disks) out += disk_line(disk);
  return out;
}

std::string render_status(const StatusDocument& document, const RenderOptions& options) {
  std::string out = banner(document.gpu, options);
  if (options.no_daemon && document.gpu.source != "recorded") {
    out += std::string(m::kNoDaemonNote) + "\n";
  }
  out += check_lines(document.checks, options);
  out += driver_lines(document.gpu, options);
  out += render_host(document.host, options) + engine_line(document.engine);
  if (!document.gpu.gpus.empty()) {
    out += "\n" + gpu_table(document.gpu.gpus, options.style);
  }
  out += condition_lines(document.gpu);
  out += process_table(document.gpu.gpus);
  out += models_in_status(document);
  if (!document.leases.empty()) out += "\n" + render_leases(document.leases, options);
  return out + top_table(document.host);
}

std::string render_leases(const std::vector<LeaseRow>& leases, const RenderOptions&) {
  if (leases.empty()) return std::string(m::kNoLeases) + "\n";
  format::Table table({{m::kLeaseColumn},
                       {m::kModelColumn, false, true},
                       {m::kVramColumn, true},
                       {m::kStateColumn},
                       {m::kHeldByColumn},
                       {m::kGpuColumn, false, true, 10}});
  for (const LeaseRow& lease : leases) {
    std::string gpus;
    for (const std::string& gpu : lease.gpus) gpus += (gpus.empty() ? "" : ", ") + gpu;
    table.add_row({lease.id, lease.model, to_text(Bytes{lease.vram_bytes}), lease.state,
                   holder_cell(lease), gpus});
  }
  return table.text();
}

std::string render_assignment(const Assignment& assignment, const std::vector<GpuRow>& gpus,
                              const RenderOptions&) {
  const LeaseRow& lease = assignment.lease;
  const std::string_view form = assignment.already_assigned ? m::kAlready : m::kAssigned;
  std::string out = fmt::format(fmt::runtime(form), escape_for_terminal(lease.model),
                                places_of(lease, gpus), to_text(Bytes{lease.vram_bytes}),
                                lease.vram_bytes, escape_for_terminal(lease.id));
  out += ".";
  if (!assignment.why.empty()) out += " " + fmt::format(m::kWhy, sentence(assignment.why));
  return out + "\n";
}

std::string render_refusal(const std::string& model, const Refusal& refusal,
                           const std::vector<GpuRow>& gpus, const RenderOptions&) {
  std::string out =
      fmt::format(
          fmt::runtime(refusal.kind == ErrorKind::no_room && !refusal.gpus.empty() ? m::kNoRoom
                                                                                   : m::kNotPlaced),
          escape_for_terminal(model), sentence(refusal.reason)) +
      ".\n";
  for (const GpuShortage& room : refusal.gpus) {
    const std::string index = room.index ? std::to_string(*room.index) : index_of(room.uuid, gpus);
    const std::string note = room.why.empty() ? std::string() : " (" + sentence(room.why) + ")";
    out += fmt::format(m::kGpuRoom, index, bytes_cell(room.free_bytes),
                       bytes_cell(room.missing_bytes), note);
    out += "\n";
  }
  if (!refusal.would_fit_if.empty()) out += std::string(m::kWouldFit) + "\n";
  for (const std::string& way : refusal.would_fit_if) out += fmt::format(m::kWay, sentence(way));
  return out + remedy_line(refusal.remedy);
}

}  // namespace estiva::cli
