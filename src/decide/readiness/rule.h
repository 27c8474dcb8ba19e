// One row a signature of what breaks GPUs in containers: what it means, what a person is told, and
// the pure function that finds it. The table is explicit, so that one more rule is one row, one
// function, one fixture and one page of docs/doctor/.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/readiness.h"

namespace estiva::decide {

// What a rule has found: where, and what differs from one machine to the next. Empty: nothing.
struct Hit {
  std::string title = {};  // the sentence for this machine
  std::vector<Evidence> evidence = {};
  std::string remedy = {};     // empty: the row's
  std::string foretells = {};  // the exact text that a user will meet; empty: the row's symptom
  std::optional<Severity> severity = {};  // where it is another than the row's
  std::optional<Fix> fix = {};            // the same
};

struct Rule {
  std::string_view id;  // "D3"
  Severity severity = Severity::error;
  std::string_view name;     // a few words: "driver/library version mismatch"
  std::string_view symptom;  // the text that users meet and paste
  std::string_view reads;    // what is looked at, in words
  std::string_view remedy;   // a sentence or two
  Fix fix = Fix::guide;
  std::string_view undo;    // empty where there is nothing to undo
  std::string_view source;  // where it is known from: a project and its issue's number
  // Null: only known by its text in a log (explain_error).
  std::vector<Hit> (*find)(const ReadinessFacts& facts) = nullptr;
};

// By family: driver and kernel (D), engine and toolkit (K), CDI (C), Compose and application (P),
// and what only a log shows (T).
std::span<const Rule> driver_rules();
std::span<const Rule> engine_rules();
std::span<const Rule> cdi_rules();
std::span<const Rule> application_rules();
std::span<const Rule> text_rules();
// All of them in the order of the ladder, lowest rung first.
const std::vector<const Rule*>& all_rules();
const Rule* find_rule(std::string_view id);
// Automatic is only what estiva does by itself today (fixes.h); all else is a person's to do.
Fix fix_of(const Rule& rule);

// Runs every rule. Findings in the order of the ladder: what stands first causes what follows.
std::vector<Finding> judge_readiness(const ReadinessFacts& facts);

// Names the causes of errors in a pasted log. Line wraps, journald and Compose prefixes, colours,
// other paths, versions and UUIDs don't matter. A healthy log names nothing.
struct Explained {
  std::string rule;   // id
  unsigned line = 0;  // of the log, from 1: where the error begins
  std::string text;   // as it stands there, without its prefix
  // Other rules whose text is the same: the log alone can't tell them apart from `rule`.
  std::vector<std::string> also;
};
std::vector<Explained> explain_log(std::string_view log);

}  // namespace estiva::decide
