// The words of a refusal: what is missing on each GPU and what would make the request fit. Computed
// from the ledger, with the ledger's own arithmetic; call it before the ledger changes again.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "decide/placement/ledger.h"
#include "decide/placement/request.h"

namespace estiva::decide {

struct GpuShortage {
  std::string uuid;  // DeviceId::key()
  unsigned index = 0;
  Bytes free;     // what could be granted there now
  Bytes missing;  // what the request lacks there; zero where the GPU itself would do
  std::string why;
};

struct Explanation {
  ErrorKind kind = ErrorKind::no_room;
  std::string reason;                     // a sentence
  std::string remedy;                     // may be empty
  std::vector<GpuShortage> gpus;          // in index order
  std::vector<std::string> would_fit_if;  // at most kMostHints, the least intrusive first
};
inline constexpr std::size_t kMostHints = 6;

// Whether the words may name other models, processes and what befell a GPU, or give amounts only:
// for clients that are not to know of each other.
enum class Names : std::uint8_t { all, none };

// Only for verdicts `refused` and `needs_fresh_reading`.
Explanation explain_refusal(const Ledger& ledger, const AssignRequest& request,
                            const Decision& decision, Names names = Names::all);

}  // namespace estiva::decide
