// /etc/ld.so.cache: which file the dynamic linker takes for a library's name. Pure; any bytes are
// safe. Layout: glibc's dl-cache.h; both forms are read: the new one alone ("glibc-ld.so.cache1.1",
// ldconfig's default since 2.32) and the old one ("ld.so-1.7.0") with the new one after it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::format {

struct LdCacheEntry {
  unsigned flags = 0;  // ABI: 0x0303 libc6 x86-64, 0x0003 libc6 i386, 0x0a03 libc6 aarch64
  std::string name;    // "libcuda.so.1"
  std::string path;    // "/lib/x86_64-linux-gnu/libcuda.so.1"
  friend bool operator==(const LdCacheEntry&, const LdCacheEntry&) = default;
};

// A desktop has some 3,000 entries; what is beyond this is not looked at.
constexpr std::size_t kMaxLdCacheEntries = 65536;
// Names and paths longer than this are no libraries of ours (PATH_MAX).
constexpr std::size_t kMaxLdCachePath = 4096;

// The entries whose name starts with one of `prefixes` (all of them where it is empty), in the
// file's order. Entries that point outside the bytes are left out; no cache: none. One that was
// made on a machine of the other byte order is none.
std::vector<LdCacheEntry> parse_ld_cache(std::string_view bytes,
                                         const std::vector<std::string_view>& prefixes = {});

}  // namespace estiva::format
