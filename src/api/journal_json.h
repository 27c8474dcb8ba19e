// Records of the journal as JSON, and which of them are asked for. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/target.h"
#include "store/record.h"

namespace estiva::api {

struct JournalFilter {
  std::optional<WallTime> since;  // not older
  std::string grep;               // part of kind, subject or text, whatever its case; empty: all
  std::size_t limit = 100;        // the newest so many
  std::uint64_t after = 0;        // positions behind this one only
  std::uint64_t before = UINT64_MAX;  // positions before this one only
  bool decisions = false;             // only decisions, with all that they rest on
};
inline constexpr std::size_t kMostRecords = 10'000;

// ?since_seconds=7200&grep=xid&limit=500&after=17&before=90&decisions=true. Errors: usage, naming
// what is wrong.
Result<JournalFilter> parse_journal_filter(const net::Target& target, WallTime now);
// Beside `limit` and `after`, which are the reader's.
bool matches(const JournalFilter& filter, const store::JournalRecord& record);

// What a decision came to, or why something was done.
std::string_view record_text(const store::JournalRecord& record);
// "assigned", "refused": what a record is called.
std::string_view record_name(store::RecordKind kind);
// {"position":..,"at":..,"kind":..,"subject":..,"text":..,"gpus":[..],"vram_bytes":..}
std::string record_json(const store::JournalRecord& record);
// The same with "decision":{"request":..,"readings":..,"shares":[..]}: what replay needs. Where the
// readings are those of `before`, the record in front of it, "readings" is "same".
std::string decision_json(const store::JournalRecord& record, const store::JournalRecord* before);
// What of a record counts against the size of an answer with decisions.
std::size_t decision_size(const store::JournalRecord& record);

}  // namespace estiva::api
