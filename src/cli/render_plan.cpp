#include "cli/render_plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli.h"
#include "base/messages/cli_plan.h"
#include "base/messages/decide_plans.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

Colour colour_of_line(std::string_view line) {
  if (line.starts_with("+++") || line.starts_with("---")) return Colour::bold;
  if (line.starts_with('+')) return Colour::green;
  if (line.starts_with('-')) return Colour::red;
  return line.starts_with("@@") ? Colour::dim : Colour::plain;
}

std::string render_diff(const std::string& diff, const Style& style) {
  std::string out;
  for (std::string_view rest = diff, line; format::next_line(rest, line);) {
    std::string safe;
    // Tabs indent files; they are nothing that a terminal has to be kept from.
    for (std::string_view part = line; !part.empty();) {
      const auto tab = std::min(part.find('\t'), part.size());
      safe += escape_for_terminal(part.substr(0, tab));
      if (tab < part.size()) safe += '\t';
      part.remove_prefix(std::min(tab + 1, part.size()));
    }
    out += "     " + paint(style, colour_of_line(line), safe) + "\n";
  }
  return out;
}

// prepare() compares with this where there is no file yet.
bool is_new_file(const Step& step) {
  return step.diff.starts_with("--- /dev/null\n");
}

// "New: 36 lines, mode 0644".
std::string count_line(const Step& step) {
  std::size_t lines = 0;
  for (std::string_view rest = step.diff, line; format::next_line(rest, line);)
    if (line.starts_with('+')) ++lines;
  constexpr std::size_t kHeader = 1;  // "+++ PATH"
  return fmt::format(m::kPlanNewFile, format::counted(lines - std::min(lines, kHeader), "line"),
                     step.mode.value_or(0644)) +
         "\n";
}

void append_sentence(std::string& out, std::string_view form, const std::string& text) {
  if (text.empty()) return;
  out += fmt::format(fmt::runtime(form), escape_for_terminal(text)) + "\n";
}

std::string risk_lines(const Step& step, const Style& style) {
  std::string line;
  if (!step.stops.empty()) {
    line = fmt::format(m::kPlanStops,
                       escape_for_terminal(fmt::format("{}", fmt::join(step.stops, ", "))));
  } else if (step.risk == Risk::interrupts) {
    line = m::kPlanInterrupts;
  }
  std::string out = line.empty() ? "" : paint(style, Colour::yellow, line) + "\n";
  if (step.risk == Risk::reboot) out += paint(style, Colour::yellow, m::kPlanReboot) + "\n";
  return out;
}

std::string_view form_of(const Step& step) {
  switch (step.kind) {
    case StepKind::write_file:
      return step.link_to.empty() ? m::kStepWrite : m::kStepLink;
    case StepKind::remove_file:
      return m::kStepRemove;
    case StepKind::enable_unit:
      return m::kStepEnable;
    case StepKind::disable_unit:
      return m::kStepDisable;
    case StepKind::start_unit:
      return m::kStepStart;
    case StepKind::stop_unit:
      return m::kStepStop;
    case StepKind::restart_unit:
      return m::kStepRestart;
    case StepKind::reload_units:
      return m::kStepReload;
    case StepKind::load_module:
      return m::kStepLoad;
    case StepKind::unload_module:
      return m::kStepUnload;
    case StepKind::set_sysctl:
      return m::kStepSysctl;
    case StepKind::make_node:
      return m::kStepNode;
    case StepKind::set_mode:
      return m::kStepMode;
    case StepKind::run_generator:
      return m::kStepGenerate;
    case StepKind::set_compute_mode:
      return m::kStepComputeMode;
    case StepKind::set_boolean:
      return m::kStepBoolean;
    case StepKind::reload_unit:
      return m::kStepReloadUnit;
  }
  return m::kStepWrite;
}

// The second thing that a line names.
std::string second_word(const Step& step) {
  if (step.kind == StepKind::set_mode) return fmt::format("{:04o}", step.mode.value_or(0));
  if (step.kind == StepKind::write_file) return step.link_to;
  return step.content;
}

struct Shown {
  std::string_view words;
  Colour colour;
};

Shown shown(act::StepState state) {
  switch (state) {
    case act::StepState::pending:
      return {m::kStatePending, Colour::dim};
    case act::StepState::done:
      return {m::kStateDone, Colour::green};
    case act::StepState::unchanged:
      return {m::kStateUnchanged, Colour::plain};
    case act::StepState::failed:
      return {m::kStateFailed, Colour::red};
    case act::StepState::stands:
      return {m::kStateStands, Colour::green};
    case act::StepState::drifted:
      return {m::kStateDrifted, Colour::yellow};
    case act::StepState::undone:
      return {m::kStateUndone, Colour::green};
    case act::StepState::left_alone:
      return {m::kStateLeftAlone, Colour::yellow};
    case act::StepState::kept:
      return {m::kStateKept, Colour::yellow};
  }
  return {m::kStatePending, Colour::dim};
}

// What the title says already is not said twice.
bool says_more(const Step& step) {
  return step.kind != StepKind::write_file ||
         step.effect != fmt::format(msg::kEffectWritten, step.target);
}

// Its undo is exact by nature.
bool is_undone_exactly(const Step& step) {
  return step.kind == StepKind::write_file || step.kind == StepKind::remove_file ||
         step.kind == StepKind::enable_unit || step.kind == StepKind::disable_unit;
}

}  // namespace

std::string step_words(const Step& step) {
  return fmt::format(fmt::runtime(form_of(step)), escape_for_terminal(step.target),
                     escape_for_terminal(second_word(step)));
}

std::string_view short_hash(std::string_view hash) {
  return hash.substr(0, 12);
}

std::string render_plan(const Plan& plan, NewFiles new_files, const Style& style) {
  if (plan.steps.empty()) return fmt::format("{}\n", m::kPlanEmpty);
  const auto title = fmt::format(m::kPlanTitle, escape_for_terminal(plan.id),
                                 format::counted(plan.steps.size(), "step"), short_hash(plan.hash));
  std::string out = paint(style, Colour::bold, title) + "\n";
  std::size_t number = 0;
  bool is_short = false, has_exact = false;
  for (const Step& step : plan.steps) {
    out += fmt::format("{:>3}. {}\n", ++number, paint(style, Colour::bold, step_words(step)));
    append_sentence(out, m::kPlanWhy, step.reason);
    if (says_more(step)) append_sentence(out, m::kPlanEffect, step.effect);
    if (!is_undone_exactly(step)) append_sentence(out, m::kPlanUndo, step.undo);
    has_exact |= is_undone_exactly(step);
    out += risk_lines(step, style);
    const bool counts = new_files == NewFiles::counted && is_new_file(step);
    out += counts ? count_line(step) : render_diff(step.diff, style);
    is_short |= counts;
  }
  if (is_short) out += paint(style, Colour::dim, m::kPlanNewFilesHow) + "\n";
  if (has_exact) out += paint(style, Colour::dim, m::kPlanExactUndo) + "\n";
  return out;
}

std::string render_step(std::size_t number, const Step& step, const act::StepResult& result,
                        const Style& style) {
  const auto [words, colour] = shown(result.state);
  std::string out =
      fmt::format("{:>3}. {} {}\n", number, paint(style, colour, fmt::format("{:<11}", words)),
                  step_words(step));
  if (!result.text.empty()) out += fmt::format("     {}\n", escape_for_terminal(result.text));
  return out;
}

std::string render_run(const act::RunReport& report, const Style& style) {
  if (report.run.empty()) return fmt::format("{}\n", m::kPlanEmpty);
  const auto title = fmt::format(m::kRunTitle, report.run, escape_for_terminal(report.plan.id));
  std::string out = paint(style, Colour::bold, title) + "\n";
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    out += render_step(i + 1, report.plan.steps[i], report.steps[i], style);
  }
  return out;
}

}  // namespace estiva::cli
