#include "api/journal_json.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/api.h"
#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::api {
namespace {

constexpr std::uint64_t kLongestAge = std::uint64_t{10} * 365 * 24 * 3600;  // seconds
constexpr std::size_t kLongestGrep = 256;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

Result<void> read_number(const net::Target& target, std::string_view name, std::uint64_t most,
                         std::uint64_t& out) {
  const auto given = target.find(name);
  if (!given) return {};
  const auto number = format::parse_u64(*given);
  if (!number || *number > most) {
    return fail(ErrorKind::usage, fmt::format(msg::kJournalNumber, name, most));
  }
  out = *number;
  return {};
}

}  // namespace

Result<JournalFilter> parse_journal_filter(const net::Target& target, WallTime now) {
  JournalFilter filter;
  std::uint64_t age = UINT64_MAX, limit = filter.limit;
  if (auto ok = read_number(target, "since_seconds", kLongestAge, age); !ok) {
    return Failure(ok.error());
  }
  if (auto ok = read_number(target, "limit", kMostRecords, limit); !ok) return Failure(ok.error());
  if (auto ok = read_number(target, "after", INT64_MAX, filter.after); !ok) {
    return Failure(ok.error());
  }
  if (auto ok = read_number(target, "before", UINT64_MAX, filter.before); !ok) {
    return Failure(ok.error());
  }
  if (const auto decisions = target.find("decisions"); decisions && *decisions != "false") {
    if (*decisions != "true") return fail(ErrorKind::usage, msg::kJournalDecisions);
    filter.decisions = true;
  }
  filter.limit = limit;
  if (age != UINT64_MAX) {
    filter.since = WallTime{now.ns - static_cast<std::int64_t>(age) * 1'000'000'000};
  }
  filter.grep = target.find("grep").value_or("");
  if (filter.grep.size() > kLongestGrep) {
    return fail(ErrorKind::usage, fmt::format(msg::kJournalGrep, kLongestGrep));
  }
  return filter;
}

bool matches(const JournalFilter& filter, const store::JournalRecord& record) {
  if (filter.decisions && !record.decision) return false;
  if (filter.since && record.wall < *filter.since) return false;
  return filter.grep.empty() || contains(record_name(record.kind), filter.grep) ||
         contains(record.subject, filter.grep) || contains(record_text(record), filter.grep);
}

std::string_view record_text(const store::JournalRecord& record) {
  if (!record.text.empty() || !record.decision) return record.text;
  return record.decision->outcome;
}

std::string_view record_name(store::RecordKind kind) {
  switch (kind) {
    case store::RecordKind::grant:
      return "assigned";
    case store::RecordKind::change:
      return "changed";
    case store::RecordKind::release:
      return "released";
    case store::RecordKind::voided:
      return "voided";
    case store::RecordKind::decision:
      return "refused";
    default:
      return store::to_name(kind);
  }
}

namespace {

// The members of an object that stays open.
void write_record(format::JsonWriter& json, const store::JournalRecord& record) {
  json.begin_object()
      .field("position", record.position)
      .field("at", to_rfc3339(record.wall))
      .field("kind", record_name(record.kind))
      .field("boot_epoch", record.boot_epoch)
      .field("intact", record.intact)
      .field("subject", record.subject)
      .field("text", record_text(record));
  json.key("gpus").begin_array();
  std::uint64_t bytes = 0;
  if (record.lease) {
    for (const Share& share : record.lease->shares) {
      json.value(share.device.key());
      bytes += share.bytes.value;
    }
  }
  json.end_array().key("vram_bytes");
  if (record.lease) {
    json.value(bytes);
  } else {
    json.null();
  }
}

bool has_same_readings(const store::JournalRecord& record, const store::JournalRecord* before) {
  return before != nullptr && before->decision && before->decision->readings &&
         record.decision->readings && *record.decision->readings == *before->decision->readings;
}

void write_decision(format::JsonWriter& json, const store::JournalRecord& record,
                    const store::JournalRecord* before) {
  const store::Decision& decision = *record.decision;
  json.begin_object().key("request").raw(decision.request.empty() ? "null" : decision.request);
  json.key("readings");
  if (has_same_readings(record, before)) {
    json.value("same");
  } else if (decision.readings && !decision.readings->empty()) {
    json.raw(*decision.readings);
  } else {
    json.null();
  }
  json.key("shares").begin_array();
  for (const Share& share : record.lease ? record.lease->shares : std::vector<Share>{}) {
    json.begin_object().field("gpu", share.device.key()).field("bytes", share.bytes).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string record_json(const store::JournalRecord& record) {
  std::string text;
  format::JsonWriter json(text);
  write_record(json, record);
  json.end_object();
  return text;
}

std::string decision_json(const store::JournalRecord& record, const store::JournalRecord* before) {
  std::string text;
  format::JsonWriter json(text);
  write_record(json, record);
  json.key("decision");
  if (record.decision) {
    write_decision(json, record, before);
  } else {
    json.null();
  }
  json.end_object();
  return text;
}

std::size_t decision_size(const store::JournalRecord& record) {
  if (!record.decision) return 0;
  return record.decision->request.size() +
         (record.decision->readings ? record.decision->readings->size() : 0);
}

}  // namespace estiva::api
