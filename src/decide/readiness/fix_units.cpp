// Fixes by systemd's units: K4, K6.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_fixes.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/fix_parts.h"
#include "decide/readiness/unit_look.h"
#include "decide/setup/unit_graph.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kUnitFolder = "/etc/systemd/system/";

// Docker notes why a container did not start. Only those are started, and only where their policy
// wants them to run: whoever stopped one finds it stopped.
constexpr std::string_view kRestartText = R"UNIT(# Written by estiva doctor --fix.
[Unit]
Description=Start the GPU containers that Docker before 28.2 could not start
Documentation=https://github.com/moby/moby/issues/49989
Requires=docker.service
After=docker.service

[Service]
Type=oneshot
TimeoutStartSec=300
ExecStart=/bin/sh -c 'for one in $$(docker ps --all --quiet); do \
  case "$$(docker inspect --format "{{.State.Running}} {{.HostConfig.RestartPolicy.Name}} {{.State.Error}}" "$$one")" in \
    "false always "*"select device driver \\"cdi\\""* | "false unless-stopped "*"select device driver \\"cdi\\""*) docker start "$$one" ;; \
  esac; \
done'

[Install]
WantedBy=docker.service
)UNIT";

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// `line` without a word of its value, and without the blank before it.
std::string without_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || is_blank(line[at - 1]) || line[at - 1] == '=';
    const bool ends = end == line.size() || is_blank(line[end]) || line[end] == '\\';
    if (!begins || !ends) continue;
    const bool takes_before = at > 0 && is_blank(line[at - 1]);
    const bool takes_after = !takes_before && end < line.size() && is_blank(line[end]);
    return fmt::format("{}{}", line.substr(0, takes_before ? at - 1 : at),
                       line.substr(takes_after ? end + 1 : end));
  }
  return std::string(line);
}

// The unit's text without `word` in its "key=" lines; every other byte stays. A line that has
// nothing left goes.
std::string without_setting(std::string_view text, std::string_view key, std::string_view word) {
  std::string out;
  bool goes_on = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::string_view newline = text.substr(end, 1);
    text.remove_prefix(end + newline.size());
    const std::size_t sign = line.find('=');
    const bool is_key = sign != line.npos && format::trim(line.substr(0, sign)) == key;
    const bool concerns = is_key || goes_on;
    goes_on = concerns && line.ends_with('\\');
    const std::string kept = concerns ? without_word(line, word) : std::string(line);
    if (kept != line && format::trim(kept).ends_with('=')) continue;
    out += fmt::format("{}{}", kept, newline);
  }
  return out;
}

bool has_word(const UnitFact& unit, std::string_view key, std::string_view word) {
  const std::vector<std::string> words = unit_words(unit, key);
  return std::ranges::find(words, word) != words.end();
}

// A target starts after what it wants. A unit that a target wants and that waits for this very
// target can't have been meant so: the one line that is surely wrong.
bool waits_for_its_target(const UnitFact& unit, std::string_view target) {
  return target.ends_with(".target") && has_word(unit, "After", target) &&
         (has_word(unit, "WantedBy", target) || has_word(unit, "RequiredBy", target));
}

std::size_t cycles_with(const std::vector<UnitFact>& units) {
  return find_unit_cycles(build_unit_graph(units)).size();
}

}  // namespace

Steps start_what_docker_left(const Fixing& fix) {
  if (fix.facts.engine.is_rootless) return {};  // its unit is its user's
  const std::string path = fmt::format("{}{}", kUnitFolder, kCdiRestartUnit);
  const std::string reason(msg::kFixLeft);
  return {write_step(path, std::string(kRestartText), reason), reload_step(),
          make_step(StepKind::enable_unit, std::string(kCdiRestartUnit), reason,
                    fmt::format(msg::kFixEnableEffect, kCdiRestartUnit), msg::kFixUnitUndo)};
}

// A unit of a package stays as it is: one of its name in /etc takes its place. With drop-ins it is
// not known which file has the line. Nothing is proposed that does not make one cycle less.
Steps break_cycle(const Fixing& fix) {
  constexpr std::string_view kAfter = "After=";
  for (const Evidence& one : fix.finding.evidence) {
    if (!one.text.starts_with(kAfter)) continue;
    const std::string target = one.text.substr(kAfter.size());
    std::vector<UnitFact> units = fix.facts.units;
    const auto unit = std::ranges::find(units, one.path, &UnitFact::path);
    if (unit == units.end() || !unit->drop_ins.empty() || !waits_for_its_target(*unit, target))
      continue;
    unit->text = without_setting(unit->text, "After", target);
    if (cycles_with(units) >= cycles_with(fix.facts.units)) continue;
    const bool is_local = unit->path.starts_with(kUnitFolder);
    const std::string path = is_local ? unit->path : fmt::format("{}{}", kUnitFolder, unit->name);
    return {write_step(path, unit->text, fmt::format(msg::kFixCycle, unit->name, target)),
            reload_step()};
  }
  return {};
}

}  // namespace estiva::decide
