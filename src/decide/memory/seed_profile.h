// The six settings of the seed's memory manager as a profile: which are kept, which are overridden,
// and why. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "decide/memory/law.h"
#include "format/shell_settings.h"

namespace estiva::decide::memory {

enum class SeedUse : std::uint8_t { kept, in_part, overridden };

struct SeedValue {
  std::string name, given;
  SeedUse use = SeedUse::kept;
  std::string ours;  // what counts instead; empty where it is kept
  std::string why;   // a sentence
  format::TextPlace place;
};

struct SeedProfile {
  LawSettings law;
  std::string folder;                          // of the swap files; empty: estiva's own
  std::optional<Bytes> increment;              // what `memory expand` adds
  std::optional<unsigned> threshold;           // per cent of RAM in use that leaves an event
  std::vector<SeedValue> values;               // one a name, in the file's order
  std::vector<format::ShellRefusal> refusals;  // the reader's, and values that make no sense
};

// Of a name that stands twice the last one counts. What is refused stays as in `ours`. Sizes are
// whole numbers with K, M, G or T (1024 each), with or without B or iB: "2G", "512M".
SeedProfile import_seed(const format::ShellSettings& read, const LawSettings& ours);

}  // namespace estiva::decide::memory
