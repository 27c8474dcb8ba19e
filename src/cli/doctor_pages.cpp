#include "cli/doctor_pages.h"

#include <fmt/format.h>

#include "base/messages/cli_doctor.h"
#include "decide/readiness/fixes.h"
#include "host/files.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

std::string words_of(const decide::Rule& rule) {
  const Fix fix = fix_of(rule);
  if (fix == Fix::automatic) return std::string(m::kPageAutomatic);
  if (fix == Fix::guide) return std::string(m::kPageGuide);
  if (decide::has_fix(rule.id)) return std::string(m::kPageAfterYes);
  const std::string_view command = decide::command_for(rule.id);
  return command.empty() ? std::string(m::kPageAsks) : fmt::format(m::kPageCommand, command);
}

// What --fix did has one way back.
std::string_view undo_of(const decide::Rule& rule) {
  if (fix_of(rule) == Fix::automatic) return m::kPageUndoFix;
  return fix_of(rule) == Fix::guide ? std::string_view() : rule.undo;
}

// Inside a table a bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string doctor_page(const decide::Rule& rule) {
  return fmt::format("{}\n\n{}", m::kPageMade, doctor_text(rule));
}

std::string doctor_text(const decide::Rule& rule) {
  std::string page = fmt::format("# {}: {}\n\n", rule.id, rule.name);
  page += fmt::format("{}: {}.\n\n", m::kPageSeverity, to_name(rule.severity));
  page += fmt::format("## {}\n\n```\n{}\n```\n\n", m::kPageSymptom, rule.symptom);
  page += fmt::format("## {}\n\n{}\n\n", m::kPageReads, rule.reads);
  page += fmt::format("## {}\n\n{}\n\n{}\n", m::kPageRemedy, rule.remedy, words_of(rule));
  if (const auto undo = undo_of(rule); !undo.empty())
    page += fmt::format("\n{}: {}\n", m::kPageUndo, undo);
  if (rule.find == nullptr) page += fmt::format("\n{}\n", m::kPageTextOnly);
  page += fmt::format("\n## {}\n\n{}\n", m::kPageSource, rule.source);
  return page;
}

std::string doctor_index() {
  std::string page =
      fmt::format("{}\n\n# {}\n\n{}\n\n", m::kPageMade, m::kIndexTitle, m::kIndexIntro);
  page += fmt::format("{}\n|---|---|---|---|\n", m::kIndexHead);
  for (const decide::Rule* rule : decide::all_rules())
    page += fmt::format("| [{0}]({0}.md) | {1} | {2} | {3} |\n", rule->id, cell(rule->name),
                        to_name(rule->severity), to_name(fix_of(*rule)));
  return page;
}

Result<void> write_doctor_pages(const std::string& folder) {
  if (auto ok = host::ensure_named_dir(folder, 0755); !ok) return ok;
  for (const decide::Rule* rule : decide::all_rules()) {
    const std::string path = fmt::format("{}/{}.md", folder, rule->id);
    if (auto ok = host::write_file_atomic(path, doctor_page(*rule)); !ok) return ok;
  }
  return host::write_file_atomic(folder + "/README.md", doctor_index());
}

}  // namespace estiva::cli
