// The body of an assign request. Unknown members and wrong types are errors with a sentence: a
// misspelt "vram_bytes" must not become a lease of nothing.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <sys/types.h>

#include "api/library.h"
#include "base/error.h"
#include "decide/placement/request.h"

namespace estiva::api {

// Who is to hold the lease, where a client of the lease socket says so.
enum class HolderWanted : std::uint8_t { unsaid, caller, container };

struct AssignBody {
  decide::AssignRequest request;  // without holder and times
  std::optional<pid_t> pid;
  HolderWanted holder = HolderWanted::unsaid;
  bool only_new = false;  // refuse where the model has a lease already
  LibraryTerms library;
  Nanoseconds wait{0};  // for room
};

// The largest body that makes sense; more is refused before it is read.
inline constexpr std::size_t kMaxAssignBody = 64 << 10;
// Names go into file names, tables and environment variables.
inline constexpr std::size_t kMaxModelName = 256;

// {"model":"xtts","vram_bytes":3670016000,"gpu":"auto","gpus":1,"policy":"pack","pid":123,
//  "only_new":true,"holder":"container","revocable":true,"heartbeat_seconds":10,"wait_seconds":60}
// The size also as "vram":"3500MiB" or "required_vram_mb":3500 (MiB, as seed 002 calls it).
// Errors are of kind usage. Pure.
Result<AssignBody> parse_assign(std::string_view json);

// The longest time that a request may wait for room, and that a lease may be silent.
inline constexpr std::chrono::hours kLongestWait{24};
inline constexpr std::chrono::seconds kLongestSilence{3600};

// What a holder says of its lease: all of it is optional, and each route takes what it knows.
struct LibraryBody {
  bool has_terms = false;  // one of them was given
  LibraryTerms terms;
  Nanoseconds wait{0};
  std::optional<bool> busy;
  std::optional<Bytes> bytes;  // of each share
  std::string reason;
  std::optional<Nanoseconds> deadline;
};
// {"revocable":true,"heartbeat_seconds":10,"wait_seconds":60,"busy":true,"vram":"100MiB" or
//  "vram_bytes":n,"reason":"..","deadline_seconds":30}; empty text is as {}. Only members of
// `known` are taken. Errors are of kind usage. Pure.
Result<LibraryBody> parse_library(std::string_view json, std::span<const std::string_view> known);

}  // namespace estiva::api
