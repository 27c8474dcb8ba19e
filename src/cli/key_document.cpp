#include "cli/key_document.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli.h"
#include "base/messages/cli_keys.h"
#include "base/messages/cli_models.h"
#include "base/units.h"
#include "format/json_tree.h"
#include "format/size.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;
using format::JsonNode;

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or(""));
}

std::uint64_t count_of(JsonNode node) {
  return node.unsigned_number().value_or(0);
}

KeyRow key_of(JsonNode from) {
  KeyRow row;
  row.name = text_of(from["name"]);
  row.role = text_of(from["role"]);
  row.created_at = text_of(from["created_at"]);
  row.last_used_at = text_of(from["last_used_at"]);
  const JsonNode models = from["models"];
  for (std::size_t i = 0; models.is_array() && i < models.size(); ++i) {
    row.models.push_back(text_of(models.at(i)));
  }
  row.requests_a_day = from["requests_a_day"].unsigned_number();
  row.at_once = from["at_once"].unsigned_number();
  row.requests = count_of(from["requests_total"]);
  row.refused = count_of(from["refused_total"]);
  row.today = count_of(from["requests_today"]);
  row.received = count_of(from["received_bytes_total"]);
  row.sent = count_of(from["sent_bytes_total"]);
  return row;
}

ListenerRow listener_of(JsonNode from) {
  return {text_of(from["asked"]), text_of(from["address"]), text_of(from["reason"]),
          from["needs_key"].boolean().value_or(false), from["open"].boolean().value_or(false)};
}

// "2026-11-21 09:06" of "2026-11-21T09:06:22.123Z"
std::string minute(std::string time) {
  constexpr std::size_t kMinutes = 16;
  if (time.size() < kMinutes) return std::string(m::kNever);
  time.resize(kMinutes);
  std::replace(time.begin(), time.end(), 'T', ' ');
  return time;
}

std::string limit_cell(const std::optional<std::uint64_t>& limit) {
  return limit ? std::to_string(*limit) : std::string("-");
}

std::string bytes(std::uint64_t value) {
  return to_text(Bytes{value});
}

std::string listener_line(const ListenerRow& one) {
  const std::string where = one.address.empty() || one.address == one.asked
                                ? std::string()
                                : fmt::format(m::kListensFor, escape_for_terminal(one.address));
  if (one.open) return fmt::format(m::kListensOn, escape_for_terminal(one.asked), where);
  return fmt::format(
      m::kListensNot, escape_for_terminal(one.asked), where,
      one.reason.empty() ? std::string(m::kListensUnknown) : escape_for_terminal(one.reason));
}

}  // namespace

Result<KeysDocument> read_keys(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree || tree->root()["schema"].text() != "estiva/keys/1")
    return fail(std::string(m::kNoKeyDocument));
  KeysDocument document;
  const JsonNode keys = tree->root()["keys"], listeners = tree->root()["listeners"];
  for (std::size_t i = 0; i < keys.size(); ++i) document.keys.push_back(key_of(keys.at(i)));
  for (std::size_t i = 0; i < listeners.size(); ++i)
    document.listeners.push_back(listener_of(listeners.at(i)));
  return document;
}

Result<std::string> read_secret(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  const auto secret = tree ? tree->root()["secret"].text() : std::nullopt;
  if (!secret) return fail(std::string(m::kNoKeyDocument));
  return std::string(*secret);
}

std::string keys_page(const KeysDocument& document) {
  std::string text(document.keys.empty() ? m::kNoKeys : std::string_view());
  format::Table table({{std::string(m::kKeyColumn)},
                       {std::string(m::kRoleColumn)},
                       {std::string(m::kKeyModelsColumn), false, true, 12},
                       {std::string(m::kADayColumn), true},
                       {std::string(m::kAtOnceColumn), true},
                       {std::string(m::kCreatedColumn)},
                       {std::string(m::kLastUsedColumn)}});
  for (const KeyRow& key : document.keys) {
    table.add_row({key.name, key.role,
                   key.models.empty() ? std::string(m::kAllModelsCell)
                                      : fmt::format("{}", fmt::join(key.models, ", ")),
                   limit_cell(key.requests_a_day), limit_cell(key.at_once), minute(key.created_at),
                   minute(key.last_used_at)});
  }
  if (!table.empty()) text += table.text();
  for (const ListenerRow& one : document.listeners) {
    if (one.needs_key) text += listener_line(one);
  }
  return text;
}

std::string key_usage_page(const KeysDocument& document) {
  if (document.keys.empty()) return std::string(m::kNoKeys);
  format::Table table({{std::string(m::kKeyColumn)},
                       {std::string(m::kRequestsColumn), true},
                       {std::string(m::kTodayColumn), true},
                       {std::string(m::kADayColumn), true},
                       {std::string(m::kRefusedColumn), true},
                       {std::string(m::kReceivedColumn), true},
                       {std::string(m::kSentColumn), true},
                       {std::string(m::kLastUsedColumn)}});
  for (const KeyRow& key : document.keys) {
    table.add_row({key.name, std::to_string(key.requests), std::to_string(key.today),
                   limit_cell(key.requests_a_day), std::to_string(key.refused), bytes(key.received),
                   bytes(key.sent), minute(key.last_used_at)});
  }
  return table.text();
}

std::string key_hint(const KeysDocument& document) {
  for (const ListenerRow& one : document.listeners) {
    if (!one.needs_key) continue;
    const std::string& known = one.address.empty() ? one.asked : one.address;
    const std::string port = known.substr(known.rfind(':') + 1);
    const std::string shown = format::parse_u64(port) ? port : "7701";
    return fmt::format(m::kKeyWhere, shown, shown);
  }
  return std::string(m::kKeyNowhere);
}

}  // namespace estiva::cli
