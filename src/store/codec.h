// Leases and journal bodies as bytes. Each body starts with a format version; integers are
// LEB128, texts are length-prefixed. A decoder takes any bytes at all (a damaged file is one of
// its inputs) and answers with a value or with nothing; it never allocates more than it was given.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/record.h"

namespace estiva::store {

// Part of the file format: FNV-1a, 64 bits. It finds damage, not malice.
inline constexpr std::uint64_t kChecksumSeed = 0xcbf29ce484222325;
std::uint64_t checksum(std::string_view bytes, std::uint64_t seed = kChecksumSeed);
std::uint64_t checksum(std::uint64_t number, std::uint64_t seed);

// Appends to `out`, which callers reuse so that the hot path does not allocate.
void encode_lease(const Lease& lease, std::string& out);
std::optional<Lease> decode_lease(std::string_view bytes);

// What a journal record carries beside its columns. `readings` is the digest of a row in the
// table `readings`; 0 is none.
struct Body {
  std::string text;
  std::optional<Lease> lease;
  bool has_decision = false;
  std::string request, outcome;
  std::uint64_t readings = 0;
};
void encode_body(const Write& write, std::uint64_t readings, std::string& out);
std::optional<Body> decode_body(std::string_view bytes);

}  // namespace estiva::store
