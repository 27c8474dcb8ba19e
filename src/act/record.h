// The lines of a run's journal. Each is on the disk before what it announces happens.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "act/state.h"
#include "base/error.h"

namespace estiva::act {

enum class RecordKind : std::uint8_t {
  intent,         // a step is about to be done: what was there, what will be
  done,           // it is done; `after` as it turned out
  failed,         // it was tried; `text` says why it failed
  finished,       // all steps are done
  undo_begun,     // nothing is done any more, only undone
  undone,         // a step is as it was before; with a `path`: it was left alone, for `text`
  undo_finished,  // nothing is left to undo
};

struct Record {
  RecordKind kind = RecordKind::intent;
  std::uint32_t step = 0;         // index in the plan
  std::int64_t at_ns = 0;         // wall clock, for people
  std::string path;               // where it acts, links followed
  std::string temp;               // a file beside it that may be left over from a crash
  std::vector<std::string> made;  // folders that were not there, the uppermost first
  std::string saved;              // the file in saved/ with what was there
  State before, after;
  std::string text;
  friend bool operator==(const Record&, const Record&) = default;
};

std::string_view to_name(RecordKind kind);

// A line with its newline: sixteen digits of the SHA-256 over the JSON after them.
std::string record_to_line(const Record& record);
// Without the newline. nullopt where the line is torn or changed.
std::optional<Record> record_from_line(std::string_view line);

}  // namespace estiva::act
