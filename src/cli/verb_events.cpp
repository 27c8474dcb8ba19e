#include "cli/verb_events.h"

#include <ctime>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/units.h"
#include "cli/daemon_client.h"
#include "cli/documents.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "format/text.h"
#include "net/fetch.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

constexpr std::uint64_t kUsual = 100, kMost = 10'000;

// UUID -> "GPU 0", of those that are listed now.
using Names = std::vector<std::pair<std::string, std::string>>;

Names names_of(const Session& session) {
  Names names;
  const auto body = get_if_running(session, "/api/v1/gpu");
  if (!body || !*body) return names;
  const auto document = read_gpu_document(**body);
  if (!document) return names;
  for (const GpuRow& gpu : document->gpus) {
    names.emplace_back(gpu.uuid, fmt::format(m::kGpuNumber, gpu.index));
  }
  return names;
}

std::string named(const Names& names, const std::string& device) {
  for (const auto& [uuid, name] : names) {
    if (uuid == device) return name;
  }
  return device;
}

// "2026-11-28 07:50:12" where the reader is.
std::string local_time(const std::string& rfc3339) {
  std::tm utc{};
  if (::strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return rfc3339;
  const std::time_t seconds = ::timegm(&utc);
  std::tm local{};
  char text[32];
  if (::localtime_r(&seconds, &local) == nullptr) return rfc3339;
  return std::strftime(text, sizeof text, "%F %T", &local) > 0 ? text : rfc3339;
}

std::string line_of(const RecordRow& record, const Names& names) {
  std::string line = fmt::format("{}  {:<8}  {}", local_time(record.at), record.kind,
                                 named(names, record.subject));
  for (std::size_t i = 0; i < record.gpus.size(); ++i) {
    line += (i == 0 ? "  " : ", ") + named(names, record.gpus[i]);
  }
  if (record.vram_bytes) line += ", " + to_text(Bytes{*record.vram_bytes});
  if (!record.is_intact) line += fmt::format("  {}", m::kRecordDamaged);
  if (!record.text.empty()) line += "  " + record.text;
  return format::escape_for_terminal(line) + "\n";
}

Result<void> print_record(Session& session, const std::string& json, const Arguments& args,
                          const Names& names) {
  if (args.has("--json")) return session.out.write(json + "\n");
  const auto record = read_record(json);
  if (!record) return Failure(record.error());
  return session.out.write(line_of(*record, names));
}

Result<std::string> query_of(const Arguments& args) {
  const auto limit = count_of(args, "--limit", 0, kMost, args.has("--since") ? kMost : kUsual);
  if (!limit) return Failure(limit.error());
  std::string query = fmt::format("?limit={}", *limit);
  if (args.has("--since")) {
    const auto since = time_of(args, "--since", 0s);
    if (!since) return Failure(since.error());
    query += fmt::format("&since_seconds={}",
                         std::chrono::duration_cast<std::chrono::seconds>(*since).count());
  }
  if (const auto grep = args.value("--grep")) query += "&grep=" + net::percent_encode(*grep);
  return query;
}

Result<int> follow(Session& session, const Arguments& args, const std::string& query) {
  const Names names = names_of(session);
  net::ClientRequest request;
  request.target = "/api/v1/journal/follow" + query;
  Result<void> printed;
  const auto on_event = [&](const net::Event& event) {
    if (event.name == "record") printed = print_record(session, event.data, args, names);
    return printed && !session.out.closed();
  };
  const auto response =
      net::fetch_events(net::Endpoint::unix_path(session.control_socket), request, on_event);
  if (!printed) return Failure(printed.error());
  if (session.out.closed()) return 0;
  if (response && response->head.status == 200) {
    return fail(std::string(m::kFollowEnded), std::string(m::kFollowEndedRemedy));
  }
  if (response) return Failure(error_of({response->head.status, response->body}));
  return Failure(worded(session, response.error()));
}

}  // namespace

Result<int> run_events(Session& session, const Arguments& args) {
  const auto query = query_of(args);
  if (!query) return Failure(query.error());
  if (args.has("--follow")) return follow(session, args, *query);
  const auto body = get(session, "/api/v1/journal" + *query);
  if (!body) return Failure(body.error());
  if (args.has("--json")) {
    if (auto ok = session.out.write(one_line_end(*body)); !ok) return Failure(ok.error());
    return 0;
  }
  const auto records = read_journal_document(*body);
  if (!records) return Failure(records.error());
  const Names names = names_of(session);
  std::string text;
  for (const RecordRow& record : *records) text += line_of(record, names);
  if (text.empty()) text = std::string(m::kNoEvents) + "\n";
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
