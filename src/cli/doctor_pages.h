// docs/doctor/: a page about each signature, made of the table, so that they can't disagree.
#pragma once
#include <string>

#include "base/error.h"
#include "decide/readiness/rule.h"

namespace estiva::cli {

// Markdown. Pure.
std::string doctor_page(const decide::Rule& rule);
// The same without the note that it is made, for a terminal.
std::string doctor_text(const decide::Rule& rule);
// The list of all, with links. Pure.
std::string doctor_index();
// Writes D1.md and so on, and README.md, into the folder, which is made where it is missing.
Result<void> write_doctor_pages(const std::string& folder);

}  // namespace estiva::cli
