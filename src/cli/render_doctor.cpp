#include "cli/render_doctor.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli_doctor.h"
#include "decide/readiness/fixes.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

constexpr std::size_t kEvidenceShown = 4;  // the rest is in --json
constexpr char kIndent[] = "              ";

Colour colour_of(Severity severity) {
  if (severity == Severity::error) return Colour::red;
  return severity == Severity::warning ? Colour::yellow : Colour::dim;
}

Colour colour_of(decide::RungState state) {
  switch (state) {
    case decide::RungState::passed:
      return Colour::green;
    case decide::RungState::warned:
      return Colour::yellow;
    case decide::RungState::failed:
      return Colour::red;
    case decide::RungState::skipped:
      return Colour::dim;
  }
  return Colour::plain;
}

std::string indented(std::string_view text) {
  return fmt::format("{}{}\n", kIndent, escape_for_terminal(text));
}

std::string evidence_line(const Evidence& one) {
  std::string at = one.path;
  if (one.line != 0) at += fmt::format(":{}", one.line);
  return indented(one.text.empty() ? at : fmt::format("{}: {}", at, one.text));
}

// Of what is never done unasked: how to ask for it.
std::string who_does(std::string_view rule) {
  if (decide::has_fix(rule)) return std::string(m::kFixAfterYes);
  const std::string_view command = decide::command_for(rule);
  return command.empty() ? std::string(m::kFixAsks) : fmt::format(m::kFixByCommand, command);
}

std::string render_finding(const Finding& finding, const Style& style) {
  const std::string label = fmt::format("{:<8}", to_name(finding.severity));
  std::string out =
      fmt::format("{} {:<4} {}\n", paint(style, colour_of(finding.severity), label), finding.id,
                  paint(style, Colour::bold, escape_for_terminal(finding.title)));
  for (std::size_t i = 0; i < std::min(finding.evidence.size(), kEvidenceShown); ++i)
    out += evidence_line(finding.evidence[i]);
  if (!finding.foretells.empty()) out += indented(fmt::format(m::kForetells, finding.foretells));
  out += indented(fmt::format(m::kDoIt, finding.remedy.text));
  if (finding.remedy.fix == Fix::automatic)
    out += indented(fmt::format(m::kFixAutomatic, finding.remedy.undo));
  else if (finding.remedy.fix == Fix::asks)
    out += indented(who_does(finding.id));
  return out;
}

std::string what_it_does(const decide::DisplayGpu& gpu) {
  std::vector<std::string> parts;
  if (gpu.draws)
    parts.push_back(gpu.screens.empty() ? std::string(m::kDrawsUnnamed)
                                        : fmt::format(m::kDraws, fmt::join(gpu.screens, ", ")));
  if (gpu.computes) parts.emplace_back(m::kComputes);
  if (parts.empty()) parts.emplace_back(m::kIdleGpu);
  if (gpu.power == decide::GpuPower::asleep) parts.emplace_back(to_name(gpu.power));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Only where there are two makers' GPUs is there something to choose.
std::string render_displays(const decide::DisplayReport& display) {
  if (!display.is_hybrid && display.advice.empty()) return {};
  std::string out = fmt::format("\n{}\n", m::kDisplaysTitle);
  for (const decide::DisplayGpu& gpu : display.gpus) {
    out += fmt::format(m::kDisplayLine, gpu.bus_id, escape_for_terminal(gpu.name),
                       escape_for_terminal(what_it_does(gpu))) +
           "\n";
    for (const std::string& why : gpu.awake_because)
      out += fmt::format(m::kAwakeBecause, escape_for_terminal(why)) + "\n";
  }
  for (const std::string& advice : display.advice)
    out += fmt::format("  {}\n", escape_for_terminal(advice));
  return out;
}

std::string summary_line(const api::DoctorReport& report) {
  const auto& findings = report.findings;
  const std::string_view nothing = report.not_seen.empty() ? m::kNothingFound : m::kNothingSeen;
  if (findings.empty())
    return fmt::format(fmt::runtime(nothing),
                       decide::all_rules().size() - decide::text_rules().size()) +
           "\n";
  std::array<std::size_t, 3> counts{};
  for (const Finding& finding : findings) ++counts[static_cast<std::size_t>(finding.severity)];
  const auto counted = [](std::size_t n, const auto& words) {
    return fmt::format("{} {}", n, words[n == 1 ? 0 : 1]);
  };
  return fmt::format(m::kFoundSome, counted(counts[2], m::kErrors),
                     counted(counts[1], m::kWarnings), counted(counts[0], m::kNotes)) +
         "\n";
}

}  // namespace

std::string render_doctor(const api::DoctorReport& report, const Style& style) {
  std::string out;
  for (const Finding& finding : report.findings) out += render_finding(finding, style) + "\n";
  out += summary_line(report);
  out += render_displays(report.display);
  if (report.not_seen.empty()) return out;
  out += fmt::format("\n{}\n", m::kNotSeenTitle);
  for (const std::string& one : report.not_seen)
    out += fmt::format("  {}\n", escape_for_terminal(one));
  return out;
}

std::string render_rules(const Style& style) {
  std::string out;
  for (const decide::Rule* rule : decide::all_rules())
    out += fmt::format(
        "{} {:<4} {}\n",
        paint(style, colour_of(rule->severity), fmt::format("{:<8}", to_name(rule->severity))),
        rule->id, rule->name);
  return out;
}

std::string render_explained(const std::vector<decide::Explained>& causes, const Style& style) {
  if (causes.empty()) return fmt::format(m::kNoCause, decide::all_rules().size()) + "\n";
  std::string out;
  for (const decide::Explained& cause : causes) {
    const decide::Rule* rule = decide::find_rule(cause.rule);
    if (rule == nullptr) continue;
    out += fmt::format("{:<4} {}\n", rule->id, paint(style, Colour::bold, rule->name));
    out += fmt::format("     {}\n",
                       fmt::format(m::kCauseAt, cause.line, escape_for_terminal(cause.text)));
    out += fmt::format("     {}\n", fmt::format(m::kDoIt, rule->remedy));
    for (const std::string& id : cause.also)
      if (const decide::Rule* other = decide::find_rule(id))
        out += fmt::format("     {}\n", fmt::format(m::kCouldAlsoBe, id, other->name));
    out += "\n";
  }
  return out;
}

std::string render_ladder(const decide::Ladder& ladder, const Style& style) {
  std::string out;
  for (const decide::Rung& rung : ladder.rungs) {
    const std::string state = fmt::format("{:<8}", to_name(rung.state));
    out += fmt::format("{} {:<22} {}\n", paint(style, colour_of(rung.state), state), rung.name,
                       escape_for_terminal(rung.seen));
    const bool is_wrong =
        rung.state == decide::RungState::failed || rung.state == decide::RungState::warned;
    if (is_wrong && !rung.remedy.empty())
      out += fmt::format("{:>32}{}{}\n", "", rung.rule.empty() ? "" : rung.rule + ": ",
                         escape_for_terminal(rung.remedy));
  }
  return out + "\n" + paint(style, Colour::bold, escape_for_terminal(ladder.summary)) + ".\n";
}

}  // namespace estiva::cli
