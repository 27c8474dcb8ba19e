#include "cli/render_top.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/messages/cli_top.h"
#include "base/units.h"
#include "cli/render_parts.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

// Coloured after it was cut to the screen's width.
struct Line {
  std::string text;
  Colour colour = Colour::plain;
};
using Lines = std::vector<Line>;

void add_text(Lines& lines, std::string_view text, Colour colour = Colour::plain) {
  std::string_view line;
  while (format::next_line(text, line)) lines.push_back({std::string(line), colour});
}

// The titles bold, the rows in the colours given.
void add_table(Lines& lines, const format::Table& table, std::size_t columns,
               const std::vector<Colour>& colours = {}) {
  const std::string text = table.text(columns);
  std::string_view rest = text, line;
  for (std::size_t row = 0; format::next_line(rest, line); ++row) {
    const Colour of_row = row > 0 && row <= colours.size() ? colours[row - 1] : Colour::plain;
    lines.push_back({std::string(line), row == 0 ? Colour::bold : of_row});
  }
}

std::string throttle_cell(const GpuRow& gpu) {
  if (!gpu.clock_events) return std::string(m::kUnknown);
  for (const auto& [name, word] : m::kThrottles) {
    for (const std::string& event : *gpu.clock_events)
      if (event == name) return std::string(word);
  }
  return "-";
}

void add_gpus(Lines& lines, const std::vector<GpuRow>& gpus, std::size_t columns) {
  format::Table table({{m::kGpuColumn, true},
                       {m::kNameColumn, false, true, 8},
                       {m::kHealthColumn},
                       {m::kUtilColumn, true},
                       {m::kVramOfColumn, true},
                       {m::kTempColumn, true},
                       {m::kPowerColumn, true},
                       {m::kThrottleColumn}});
  std::vector<Colour> colours;
  for (const GpuRow& gpu : gpus) {
    const std::string health = gpu.health.empty() ? "UNKNOWN" : gpu.health;
    table.add_row({std::to_string(gpu.index), gpu.name, health, ratio_cell(gpu.utilization),
                   fmt::format("{} / {}", bytes_cell(gpu.used_bytes), bytes_cell(gpu.total_bytes)),
                   gpu.celsius ? to_text(Celsius{*gpu.celsius}) : std::string(m::kUnknown),
                   gpu.watts ? to_text(Watts{*gpu.watts}) : std::string(m::kUnknown),
                   throttle_cell(gpu)});
    colours.push_back(health == "OK" ? Colour::plain : colour_of_state(health));
  }
  if (!table.empty()) add_table(lines, table, columns, colours);
}

// Where the driver does not tell a GPU's processes, none is not what it means.
void add_untold(Lines& lines, const std::vector<GpuRow>& gpus) {
  for (const GpuRow& gpu : gpus) {
    for (const auto& [what, why] : gpu.missing) {
      if (what == "processes")
        add_text(lines, fmt::format(m::kMissing, gpu.index, words_of(what), words_of(why)));
    }
  }
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

void add_processes(Lines& lines, const std::vector<TopProcess>& processes, std::size_t count,
                   std::size_t columns) {
  format::Table table({{m::kGpuColumn, true},
                       {m::kPidColumn, true},
                       {m::kVramColumn, true},
                       {m::kSmColumn, true},
                       {m::kCpuColumn, true},
                       {m::kTopRamColumn, true},
                       {m::kModelColumn, false, true, 6},
                       {m::kContainerColumn, false, true, 9},
                       {m::kProcessColumn, false, true, 7}});
  for (std::size_t i = 0; i < count; ++i) {
    const TopProcess& process = processes[i];
    const ProcessRow& row = process.row;
    table.add_row({std::to_string(process.gpu), std::to_string(row.pid), bytes_cell(row.used_bytes),
                   ratio_cell(row.sm), process.cpu_cores ? to_text(Ratio{*process.cpu_cores}) : "-",
                   process.resident_bytes ? to_text(Bytes{*process.resident_bytes}) : "-",
                   or_dash(row.model), or_dash(whose(row)),
                   row.name.empty() ? std::string(m::kUnknown) : row.name});
  }
  add_table(lines, table, columns);
}

std::string memory_text(const HostRow& host) {
  if (!host.memory_total || !host.memory_available || *host.memory_total == 0)
    return std::string(m::kTopRamUnknown);
  const std::uint64_t used =
      *host.memory_total - std::min(*host.memory_total, *host.memory_available);
  const double ratio = static_cast<double>(used) / static_cast<double>(*host.memory_total);
  return fmt::format(m::kTopRam, to_text(Bytes{used}), to_text(Bytes{*host.memory_total}),
                     to_text(Ratio{ratio}));
}

std::string host_text(const HostRow& host) {
  const std::string swap =
      host.swap_total.value_or(0) == 0
          ? std::string(m::kTopNoSwap)
          : fmt::format(m::kTopSwap, bytes_cell(host.swap_used), bytes_cell(host.swap_total));
  return fmt::format("{}   {}   ", memory_text(host), swap) +
         fmt::format(m::kTopPressure, ratio_cell(host.memory_some), ratio_cell(host.memory_full),
                     ratio_cell(host.cpu_some), ratio_cell(host.io_some));
}

// How many processes have room beside `taken` lines, and whether a line must say how many have not.
struct Room {
  std::size_t rows = 0;
  bool says_more = false;
};

Room room_for(std::size_t processes, std::size_t taken, const TopScreen& screen) {
  const std::size_t wanted = std::min(processes, screen.processes.value_or(processes));
  const std::size_t left = screen.lines > taken ? screen.lines - taken : 0;
  if (screen.lines == 0 || wanted + (wanted < processes) <= left)
    return {wanted, wanted < processes};
  return {left > 0 ? left - 1 : 0, left > 0};
}

std::string dressed(const Lines& lines, const Style& style, const TopScreen& screen) {
  std::string out;
  for (std::size_t i = 0; i < lines.size() && (screen.lines == 0 || i < screen.lines); ++i) {
    const std::string& text = lines[i].text;
    out += paint(style, lines[i].colour,
                 screen.columns == 0 ? text : format::cut_to_width(text, screen.columns));
    out += "\n";
  }
  return out;
}

Lines head_lines(const TopView& view, const RenderOptions& options, const TopScreen& screen) {
  RenderOptions plain = options;
  plain.style = {};  // colours come at the end
  Lines lines;
  if (!screen.title.empty()) add_text(lines, screen.title, Colour::dim);
  if (!screen.note.empty()) add_text(lines, screen.note, Colour::red);
  add_text(lines, banner(view.gpu, plain), view.gpu.stale ? Colour::red : Colour::yellow);
  if (options.no_daemon) add_text(lines, m::kNoDaemonNote);
  add_text(lines, driver_lines(view.gpu, plain), Colour::red);
  add_gpus(lines, view.gpu.gpus, screen.columns);
  add_untold(lines, view.gpu.gpus);
  return lines;
}

}  // namespace

std::string render_top(const TopView& view, const RenderOptions& options, const TopScreen& screen) {
  Lines lines = head_lines(view, options, screen);
  const Line host{host_text(view.host)};
  if (view.processes.empty()) {
    if (!view.gpu.gpus.empty()) add_text(lines, m::kTopNoProcess);
    lines.push_back(host);
    return dressed(lines, options.style, screen);
  }
  lines.push_back({});
  const Room room = room_for(view.processes.size(), lines.size() + 2, screen);  // titles, machine
  add_processes(lines, view.processes, room.rows, screen.columns);
  if (room.says_more)
    add_text(lines, fmt::format(m::kTopMore, view.processes.size() - room.rows), Colour::dim);
  // On a small screen the machine's line is worth more than the last of the others.
  if (screen.lines > 3 && lines.size() >= screen.lines) lines.resize(screen.lines - 1);
  lines.push_back(host);
  return dressed(lines, options.style, screen);
}

}  // namespace estiva::cli
