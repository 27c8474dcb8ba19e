// The body of an assign request. Unknown members and wrong types are errors with a sentence: a
// misspelt "vram_bytes" must not become a lease of nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

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
};

// The largest body that makes sense; more is refused before it is read.
inline constexpr std::size_t kMaxAssignBody = 64 << 10;
// Names go into file names, tables and environment variables.
inline constexpr std::size_t kMaxModelName = 256;

// {"model":"xtts","vram_bytes":3670016000,"gpu":"auto","gpus":1,"policy":"pack","pid":123,
//  "only_new":true,"holder":"container"}
// The size also as "vram":"3500MiB" or "required_vram_mb":3500 (MiB, as seed 002 calls it).
// Errors are of kind usage. Pure.
Result<AssignBody> parse_assign(std::string_view json);

}  // namespace estiva::api
