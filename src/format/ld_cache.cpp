#include "format/ld_cache.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace estiva::format {
namespace {

constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::string_view kNewMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kOldHeader = 16, kOldEntry = 12;  // magic, padding, count; flags, key, value
constexpr std::size_t kNewHeader = 48, kNewEntry = 24;  // magic, counts, flags; ..., hwcap
constexpr std::size_t kAlignment = 8;                   // of the new form behind the old one
constexpr std::size_t kFlagsAt = 28;                    // of the new header: 2 little, 3 big endian
constexpr unsigned kByteOrder = 3, kBigEndian = 3;

std::uint32_t number(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  if (at <= bytes.size() && bytes.size() - at >= sizeof value) {
    std::memcpy(&value, bytes.data() + at, sizeof value);
  }
  return value;
}

// The text at an offset, up to its zero byte.
std::optional<std::string_view> text_at(std::string_view bytes, std::size_t at) {
  if (at >= bytes.size()) return std::nullopt;
  const auto rest = bytes.substr(at, kMaxLdCachePath);
  const auto end = rest.find('\0');
  if (end == rest.npos) return std::nullopt;
  return rest.substr(0, end);
}

bool is_wanted(std::string_view name, const std::vector<std::string_view>& prefixes) {
  return prefixes.empty() ||
         std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// A table of entries whose texts are found from the beginning of `texts`.
struct Table {
  std::string_view bytes;  // that the entries stand in
  std::size_t first = 0, entry_size = 0, count = 0;
  std::string_view texts;
};

std::vector<LdCacheEntry> read_table(const Table& table,
                                     const std::vector<std::string_view>& prefixes) {
  std::vector<LdCacheEntry> entries;
  const std::size_t room =
      table.bytes.size() < table.first ? 0 : (table.bytes.size() - table.first) / table.entry_size;
  const std::size_t count = std::min({table.count, room, kMaxLdCacheEntries});
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = table.first + i * table.entry_size;
    const auto name = text_at(table.texts, number(table.bytes, at + 4));
    if (!name || name->empty() || !is_wanted(*name, prefixes)) continue;
    const auto path = text_at(table.texts, number(table.bytes, at + 8));
    if (!path || !path->starts_with('/')) continue;
    entries.push_back({number(table.bytes, at), std::string(*name), std::string(*path)});
  }
  return entries;
}

}  // namespace

std::vector<LdCacheEntry> parse_ld_cache(std::string_view bytes,
                                         const std::vector<std::string_view>& prefixes) {
  std::string_view fresh = bytes;
  std::size_t old_count = 0, old_end = 0;
  const bool is_old = bytes.starts_with(kOldMagic) && bytes.size() >= kOldHeader;
  if (is_old) {
    old_count = number(bytes, 12);
    const std::size_t room = (bytes.size() - kOldHeader) / kOldEntry;
    if (old_count > room) return {};
    old_end = kOldHeader + old_count * kOldEntry;
    const std::size_t aligned = (old_end + kAlignment - 1) / kAlignment * kAlignment;
    fresh = aligned <= bytes.size() ? bytes.substr(aligned) : std::string_view();
  }
  if (fresh.starts_with(kNewMagic) && fresh.size() >= kNewHeader) {
    if ((static_cast<unsigned char>(fresh[kFlagsAt]) & kByteOrder) == kBigEndian) return {};
    // Texts of the new form are found from its own beginning.
    return read_table({fresh, kNewHeader, kNewEntry, number(fresh, 20), fresh}, prefixes);
  }
  if (!is_old) return {};
  return read_table({bytes, kOldHeader, kOldEntry, old_count, bytes.substr(old_end)}, prefixes);
}

}  // namespace estiva::format
