#include "api/journal_routes.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/journal_json.h"
#include "api/lease_routes.h"
#include "format/text.h"

namespace estiva::api {
namespace {

constexpr std::size_t kPage = 500;
// So many records are looked through for one question.
constexpr std::size_t kMostLookedAt = 50'000;
// An answer with decisions ends behind so many bytes of them; the asker goes on with ?before=.
constexpr std::size_t kMostDecisionBytes = 4U << 20;
constexpr std::chrono::seconds kKeepAlive{15};

struct Found {
  std::vector<store::JournalRecord> records;  // the oldest first
  std::uint64_t newest = 0;                   // position of the last that there was
};

net::Awaitable<Result<Found>> find(Backend& backend, JournalFilter filter) {
  Found found;
  store::JournalQuery query;
  query.limit = kPage;
  query.before = filter.before;
  std::size_t bytes = 0;
  std::size_t looked_at = 0;
  bool is_done = false;
  while (!is_done) {
    auto page = co_await backend.journal(query);
    if (!page) co_return Failure(page.error());
    is_done = page->empty();
    for (store::JournalRecord& record : *page) {
      found.newest = std::max(found.newest, record.position);
      query.before = record.position;
      const bool too_old = filter.since && record.wall < *filter.since;
      is_done = record.position <= filter.after || too_old || ++looked_at > kMostLookedAt ||
                found.records.size() >= filter.limit || bytes > kMostDecisionBytes;
      if (is_done) break;
      if (!matches(filter, record)) continue;
      if (filter.decisions) bytes += decision_size(record);
      found.records.push_back(std::move(record));
    }
  }
  std::reverse(found.records.begin(), found.records.end());
  co_return found;
}

}  // namespace

net::Awaitable<void> get_journal(Backend& backend, net::Exchange& exchange,
                                 const net::Target& target) {
  auto filter = parse_journal_filter(target, wall_now());
  if (!filter) co_return co_await send_error(exchange, filter.error());
  const bool with_decisions = filter->decisions;
  auto found = co_await find(backend, std::move(*filter));
  if (!found) co_return co_await send_error(exchange, found.error());
  std::string text = R"({"schema":"estiva/journal/1","records":[)";
  const store::JournalRecord* last = nullptr;
  for (const store::JournalRecord& record : found->records) {
    if (last != nullptr) text += ",";
    text += with_decisions ? decision_json(record, last) : record_json(record);
    last = &record;
  }
  text += "]}";
  co_await send_json(exchange, 200, std::move(text));
}

net::Awaitable<void> follow_journal(Backend& backend, net::Exchange& exchange,
                                    const net::Target& target, std::function<bool()> is_welcome) {
  auto filter = parse_journal_filter(target, wall_now());
  if (!filter) co_return co_await send_error(exchange, filter.error());
  if (const auto last = exchange.request().headers.find("Last-Event-ID")) {
    if (const auto position = format::parse_u64(*last)) {
      filter->after = std::max(filter->after, std::min<std::uint64_t>(*position, INT64_MAX));
    }
  }
  if (!co_await exchange.start_events()) co_return;
  while (!backend.is_ending() && is_welcome()) {
    auto found = co_await find(backend, *filter);
    if (!found) break;
    for (const store::JournalRecord& record : found->records) {
      net::Event event{"record", fmt::format("{}", record.position), record_json(record)};
      if (!co_await exchange.send_event(event)) co_return;
    }
    // From here on all that is added counts, however old the first were to be.
    filter->after = std::max(filter->after, found->newest);
    filter->limit = kMostRecords;
    const net::Wake wake = co_await exchange.wait(backend.journalled(), kKeepAlive);
    if (wake == net::Wake::hung_up) co_return;
    if (wake == net::Wake::timed_out && !co_await exchange.write(net::kEventKeepAlive)) co_return;
  }
  (void)co_await exchange.finish();
}

}  // namespace estiva::api
