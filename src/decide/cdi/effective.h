// Which CDI devices an engine sees: for each the file that wins, the files that lose, and the files
// that count for nothing. Pure. Source: the CDI library, pkg/cdi/cache.go (refresh): a directory of
// higher priority wins; two files of one directory take the device away, and it stays away even
// where a directory of higher priority declares it once.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/cdi.h"

namespace estiva::decide {

struct CdiEffectiveDevice {
  std::string name;    // "nvidia.com/gpu=0"
  std::string winner;  // the file; empty: the device has vanished
  // Files that declare it in vain: of lower priority, or, where it has vanished, of other
  // directories.
  std::vector<std::string> shadowed;
  std::vector<std::string> conflicting;  // files of one directory that take it away; two or more
  friend bool operator==(const CdiEffectiveDevice&, const CdiEffectiveDevice&) = default;
};

struct CdiUnusedFile {
  enum class Why : std::uint8_t {
    ignored,  // its name ends in neither .json nor .yaml
    invalid,  // `text` says why
    too_new,  // its version is above what the engine reads
  };
  std::string path;
  Why why = Why::invalid;
  std::string text;   // a sentence
  unsigned line = 0;  // 0: not known
  friend bool operator==(const CdiUnusedFile&, const CdiUnusedFile&) = default;
};

struct CdiEffective {
  std::vector<CdiEffectiveDevice> devices;  // by name, also those that vanished
  std::vector<CdiUnusedFile> unused;        // by priority and path
  friend bool operator==(const CdiEffective&, const CdiEffective&) = default;
};

// `newest` is format::newest_version_of_engine(); empty: not known, so no file is too new.
CdiEffective effective_devices(std::span<const CdiFile> files, std::string_view newest);
const CdiEffectiveDevice* find_device(const CdiEffective& effective, std::string_view name);

std::string_view to_name(CdiUnusedFile::Why why);

// --- what both `estiva cdi` and doctor's rules are made of
// ------------------------------------------

// One device, and the files that declare it.
struct CdiClaim {
  const CdiFile* holder = nullptr;          // of the highest priority; it wins if nothing conflicts
  unsigned priority = 0;                    // the holder's
  std::vector<const CdiFile*> others;       // that do not hold it
  std::vector<const CdiFile*> conflicting;  // of one directory; the device has vanished
};
using CdiClaims = std::map<std::string, CdiClaim>;  // by full name

// Files must come by rising priority. They must outlive the claims.
void add_claims(const CdiFile& file, unsigned priority, CdiClaims& claims);
// Why an engine takes no device of it; nothing: it takes them.
std::optional<CdiUnusedFile::Why> why_unused(const CdiFile& file, std::string_view newest);

}  // namespace estiva::decide
