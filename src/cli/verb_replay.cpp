#include "cli/verb_replay.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>

#include "api/json.h"
#include "api/past_decisions.h"
#include "base/messages/cli.h"
#include "cli/daemon_client.h"
#include "cli/recorded_world.h"
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
  text += fmt::format(m::kReplaySum, format::counted(report.decisions, m::kDecisionNoun),
                      report.again, format::counted(report.differences.size(), m::kDifferenceNoun));
  text += "\n";
  if (report.not_kept > 0) text += fmt::format(m::kReplayNotKept, report.not_kept) + "\n";
  if (report.no_chain > 0) text += fmt::format(m::kReplayNoChain, report.no_chain) + "\n";
  return text;
}

bool is_folder(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

// "+2.0 s  GPU 0  63 %  3.2 GiB of 12.0 GiB  71 C  103 W", and what is wrong with it.
std::string reading_text(const World& world, SteadyTime first) {
  const double at = static_cast<double>((world.gpus_read_at - first).count()) / 1e9;
  std::string text;
  for (std::size_t i = 0; i < world.gpus.size(); ++i) {
    const GpuSample& sample = world.gpus[i].sample;
    const auto shown = [](const auto& reading) {
      return reading ? to_text(*reading) : std::string("-");
    };
    text +=
        fmt::format(m::kReplayReading, at, world.gpus[i].identity.index, shown(sample.utilization),
                    sample.memory ? to_text(sample.memory->used) : std::string("-"),
                    sample.memory ? to_text(sample.memory->total) : std::string("-"),
                    shown(sample.temperature), shown(sample.power)) +
        "\n";
  }
  if (world.gpus.empty()) {
    text +=
        fmt::format(m::kReplayNoGpu, at, to_name(world.driver.state), world.driver.reason) + "\n";
  }
  for (const GpuHealth& health : world.health) {
    for (const Condition& condition : health.conditions) {
      text +=
          format::escape_for_terminal(fmt::format("          {} {}: {}", to_name(condition.state),
                                                  condition.id, condition.reason)) +
          "\n";
    }
  }
  return text;
}

// A recorded machine: a World a line, or a line a reading for a person.
Result<int> replay_machine(Session& session, const Arguments& args) {
  const auto recording = observe::read_machine(args.words[0]);
  if (!recording) return Failure(recording.error());
  Result<void> written;
  const SteadyTime first = recording->gpus.readings.front().at;
  const bool json = args.has("--json");
  replay_worlds(*recording, [&](const World& world) {
    written = session.out.write(json ? api::status_json(world) + "\n" : reading_text(world, first));
    return written && !session.out.closed();
  });
  if (!written) return Failure(written.error());
  return 0;
}

}  // namespace

Result<int> run_replay(Session& session, const Arguments& args) {
  std::string text;
  if (!args.words.empty() && is_folder(args.words[0])) return replay_machine(session, args);
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
  if (!past) return Failure(args.words.empty() ? past.error() : past.error().in(args.words[0]));
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
