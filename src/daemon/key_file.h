// How keys are kept: the file `keys.json` in the state folder, 0600, with the SHA-256 of each and
// never the key itself; and what each used, as notes of the store. A file and not the database,
// because a key that was revoked must not come back with a power cut or with --fresh-state.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/keys.h"

namespace estiva::daemon {

struct KeyRecord {
  api::KeySpec spec;
  std::string sha256;  // of the secret, in hex
  WallTime created;
};

std::string to_text(const std::vector<KeyRecord>& keys);
// Blocks on the disk: at the start. None where there is no file. Errors: refused, with what to do:
// others may read it, or it is damaged.
Result<std::vector<KeyRecord>> load_keys(const std::string& path);
// What can't be a key. Errors: usage.
Result<void> check_key(const api::KeySpec& spec);

// A new secret, "estiva-" and 256 random bits in hex. Errors: failed.
Result<std::string> make_secret();

// What a key used so far.
struct KeyUse {
  std::uint64_t requests = 0, refused = 0, bytes_in = 0, bytes_out = 0;
  std::int64_t day = 0;     // since 1970, UTC
  std::uint64_t today = 0;  // requests of that day
  std::int64_t last = 0;    // wall clock, ns; 0: never
};
std::string key_note(std::string_view name);  // "key/n8n"
std::string to_text(const KeyUse& use);
// What is not ours is as if nothing had been used.
KeyUse read_key_use(std::string_view text);

}  // namespace estiva::daemon
