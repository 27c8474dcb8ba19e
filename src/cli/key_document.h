// The documents of keys as plain values, and their pages. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace estiva::cli {

struct KeyRow {
  std::string name, role, created_at, last_used_at;  // last_used_at is empty: never
  std::vector<std::string> models;                   // none: all
  std::optional<std::uint64_t> requests_a_day, at_once;
  std::uint64_t requests = 0, refused = 0, today = 0, received = 0, sent = 0;
};

struct ListenerRow {
  std::string asked, address, reason;
  bool needs_key = false, open = false;
};

struct KeysDocument {
  std::vector<KeyRow> keys;
  std::vector<ListenerRow> listeners;
};

// Errors: failed, where it is no document of ours.
Result<KeysDocument> read_keys(std::string_view text);
// The member "secret" of a new key's document. Errors: failed.
Result<std::string> read_secret(std::string_view text);

// What each may do, and where the gateway listens for them.
std::string keys_page(const KeysDocument& document);
// What each used.
std::string key_usage_page(const KeysDocument& document);
// How a container uses a key: the URL and the lines of Compose.
std::string key_hint(const KeysDocument& document);

}  // namespace estiva::cli
