#include "api/past_decisions.h"

#include <algorithm>

#include "api/decision_record.h"
#include "base/messages/api.h"
#include "format/json_tree.h"
#include "format/json_writer.h"

namespace estiva::api {
namespace {

using decide::Outcome;
using decide::PastDecision;
using format::JsonNode;

constexpr std::string_view kJournalSchema = "estiva/journal/1";

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or(std::string_view()));
}

Outcome outcome_of(JsonNode record) {
  // "refused" is what a decision without a lease is called.
  Outcome outcome{text_of(record["kind"]) != "refused", {}, text_of(record["text"])};
  const JsonNode shares = record["decision"]["shares"];
  for (std::size_t i = 0; i < (shares.is_array() ? shares.size() : 0); ++i) {
    const JsonNode share = shares.at(i);
    outcome.shares.push_back(
        {text_of(share["gpu"]), {share["bytes"].unsigned_number().value_or(0)}});
  }
  return outcome;
}

PastDecision past_of(JsonNode record) {
  PastDecision past;
  past.position = record["position"].unsigned_number().value_or(0);
  past.model = text_of(record["subject"]);
  past.outcome = outcome_of(record);
  const JsonNode decision = record["decision"];
  auto request = read_request_record(decision["request"]);
  const JsonNode readings = decision["readings"];
  if (!request || !readings) return past;
  if (readings.text() != "same") {
    auto state = read_readings_record(readings);
    if (!state) return past;
    past.before = std::make_shared<const decide::LedgerState>(std::move(*state));
  }
  past.sequence = request->sequence;
  past.request = std::move(request->request);
  return past;
}

void write_outcome(format::JsonWriter& json, std::string_view name, const Outcome& outcome) {
  json.key(name).begin_object().field("granted", outcome.granted).key("shares").begin_array();
  for (const decide::Placed& share : outcome.shares) {
    json.begin_object().field("gpu", share.device).field("bytes", share.bytes).end_object();
  }
  json.end_array().field("text", outcome.words).end_object();
}

}  // namespace

Result<std::vector<PastDecision>> parse_past_decisions(std::string_view json) {
  const auto tree = format::JsonTree::parse(json);
  if (!tree) return Failure(tree.error());
  const JsonNode records = tree->root()["records"];
  if (tree->root()["schema"].text() != kJournalSchema || !records.is_array()) {
    return fail(ErrorKind::usage, msg::kNoJournal, msg::kNoJournalRemedy);
  }
  std::vector<PastDecision> past;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records.at(i)["decision"]) past.push_back(past_of(records.at(i)));
  }
  return past;
}

std::size_t ReplayReport::changed() const {
  return static_cast<std::size_t>(std::count_if(
      differences.begin(), differences.end(),
      [](const decide::Difference& one) { return one.what != decide::Differs::words; }));
}

ReplayReport replay(const std::vector<PastDecision>& past) {
  ReplayReport report;
  decide::Replay again;
  for (const PastDecision& one : past) {
    decide::Replay::Step step = again.take(one);
    ++report.decisions;
    report.again += step.skipped == decide::Skipped::no ? 1 : 0;
    report.not_kept += step.skipped == decide::Skipped::not_kept ? 1 : 0;
    report.no_chain += step.skipped == decide::Skipped::no_chain ? 1 : 0;
    if (step.difference) report.differences.push_back(std::move(*step.difference));
  }
  return report;
}

std::string replay_json(const ReplayReport& report) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/replay/1")
      .field("decisions", report.decisions)
      .field("again", report.again)
      .key("skipped")
      .begin_object()
      .field("not_kept", report.not_kept)
      .field("no_chain", report.no_chain)
      .end_object()
      .key("differences")
      .begin_array();
  for (const decide::Difference& one : report.differences) {
    json.begin_object()
        .field("position", one.position)
        .field("model", one.model)
        .field("what", to_name(one.what));
    write_outcome(json, "then", one.then);
    write_outcome(json, "now", one.now);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

}  // namespace estiva::api
