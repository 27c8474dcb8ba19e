// Plans and runs as text for people. Pure; what comes from outside is safe for a terminal.
#pragma once
#include <cstdint>
#include <string>

#include "act/report.h"
#include "cli/style.h"
#include "model/plan.h"

namespace estiva::cli {

enum class NewFiles : std::uint8_t {
  counted,  // how many lines, and the mode
  whole,    // their text, as a difference from nothing
};

// The first digits of a plan's hash: enough for people, and for --plan.
std::string_view short_hash(std::string_view hash);
// Numbered steps, each with its reason, effect, risk, undo and difference; the hash is what `apply
// --plan` takes.
std::string render_plan(const Plan& plan, NewFiles new_files, const Style& style);
// One step as a line of words, "write /etc/docker/daemon.json".
std::string step_words(const Step& step);
// "  2. done        write /etc/docker/daemon.json": also a progress line, step by step.
std::string render_step(std::size_t number, const Step& step, const act::StepResult& result,
                        const Style& style);
// What came of a run, or how it stands; its error is the caller's to show.
std::string render_run(const act::RunReport& report, const Style& style);

}  // namespace estiva::cli
