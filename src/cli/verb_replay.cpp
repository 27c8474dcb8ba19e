#include "cli/verb_replay.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/past_decisions.h"
#include "base/messages/cli.h"
#include "cli/daemon_client.h"
#include "cli/session.h"
#include "format/json_tree.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

constexpr std::size_t kLargestFile = 512U << 20;
// A page of the journal is at most 4 MiB and one decision; the journal has 50,000 records.
constexpr std::size_t kMostPages = 50'000;

// The journal's documents, the oldest decisions first.
Result<std::vector<std::string>> from_daemon(const Session& session) {
  std::vector<std::string> pages;
  std::string before;
  while (pages.size() < kMostPages) {
    auto page = get(session, "/api/v1/journal?decisions=true&limit=10000" + before);
    if (!page) return Failure(page.error());
    const auto tree = format::JsonTree::parse(*page);
    if (!tree) return Failure(tree.error());
    const format::JsonNode records = tree->root()["records"];
    if (records.size() == 0) break;
    const auto oldest = records.at(0)["position"].unsigned_number().value_or(0);
    pages.push_back(std::move(*page));
    if (oldest <= 1) break;
    before = fmt::format("&before={}", oldest);
  }
  std::reverse(pages.begin(), pages.end());
  return pages;
}

// One document a line, as --save writes them; or one that goes over several lines.
std::vector<std::string_view> documents_in(std::string_view text) {
  std::vector<std::string_view> documents;
  while (!text.empty()) {
    std::size_t end = text.find("\n{");
    end = end == text.npos ? text.size() : end + 1;
    if (text.substr(0, end).find_first_not_of(" \t\r\n") != text.npos) {
      documents.push_back(text.substr(0, end));
    }
    text.remove_prefix(end);
  }
  return documents;
}

Result<std::vector<decide::PastDecision>> decisions_in(std::string_view text) {
  std::vector<decide::PastDecision> past;
  for (const std::string_view document : documents_in(text)) {
    auto some = api::parse_past_decisions(document);
    if (!some) return Failure(some.error());
    std::move(some->begin(), some->end(), std::back_inserter(past));
  }
  return past;
}

std::string outcome_text(const decide::Outcome& outcome) {
  std::string text(outcome.granted ? m::kReplayGranted : m::kReplayRefused);
  for (std::size_t i = 0; i < outcome.shares.size(); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? " " : ", ", to_text(outcome.shares[i].bytes),
                        outcome.shares[i].device);
  }
  return text + ": " + outcome.words;
}

std::string report_text(const api::ReplayReport& report) {
  std::string text;
  for (const decide::Difference& one : report.differences) {
    text += format::escape_for_terminal(
                fmt::format(m::kReplayDifference, one.position, one.model, to_name(one.what))) +
            "\n";
    text += "  " +
            format::escape_for_terminal(fmt::format(m::kReplayThen, outcome_text(one.then))) + "\n";
    text += "  " + format::escape_for_terminal(fmt::format(m::kReplayNow, outcome_text(one.now))) +
            "\n";
  }
  text += fmt::format(m::kReplaySum, report.decisions, report.again, report.differences.size());
  text += "\n";
  if (report.not_kept > 0) text += fmt::format(m::kReplayNotKept, report.not_kept) + "\n";
  if (report.no_chain > 0) text += fmt::format(m::kReplayNoChain, report.no_chain) + "\n";
  return text;
}

}  // namespace

Result<int> run_replay(Session& session, const Arguments& args) {
  std::string text;
  if (!args.words.empty()) {
    auto file = host::read_local_file(args.words[0], kLargestFile);
    if (!file) return Failure(file.error());
    text = std::move(*file);
  } else {
    auto pages = from_daemon(session);
    if (!pages) return Failure(pages.error());
    for (const std::string& page : *pages) text += one_line_end(page);
  }
  const auto past = decisions_in(text);
  if (!past) return Failure(past.error());
  if (const auto file = args.value("--save")) {
    if (auto saved = host::write_file_atomic(std::string(*file), text, 0600); !saved) {
      return Failure(saved.error());
    }
  }
  const api::ReplayReport report = api::replay(*past);
  const std::string out =
      args.has("--json") ? api::replay_json(report) + "\n" : report_text(report);
  if (auto ok = session.out.write(out); !ok) return Failure(ok.error());
  return report.changed() > 0 ? 1 : 0;
}

}  // namespace estiva::cli
