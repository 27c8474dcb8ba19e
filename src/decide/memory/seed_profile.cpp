#include "decide/memory/seed_profile.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_memory.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::decide::memory {
namespace {

constexpr double kOneThread = 2.4e9;  // bytes a second that it fills, measured
constexpr unsigned kAreasOfAKernel = 23;
constexpr std::string_view kNames =
    "SWAP_DIR, MIN_SWAP_SIZE, MAX_SWAP_SIZE, SWAP_INCREMENT, MEMORY_THRESHOLD, CHECK_INTERVAL";

// Where others than root may make and rename folders, or what is gone after a reboot.
bool is_unsafe_folder(std::string_view path) {
  constexpr std::string_view others[] = {"/home", "/root", "/tmp", "/var/tmp", "/run",
                                         "/dev",  "/proc", "/sys", "/mnt",     "/media"};
  const std::string whole = std::string(path) + "/";
  const bool escapes = whole.find("/../") != whole.npos;
  return !path.starts_with('/') || escapes ||
         std::any_of(std::begin(others), std::end(others), [&](std::string_view other) {
           return whole.starts_with(std::string(other) + "/");
         });
}

std::optional<Bytes> size_of(std::string_view text) {
  std::string whole(format::trim(text));
  constexpr std::string_view units = "KMGTkmgt";
  if (!whole.empty() && units.find(whole.back()) != units.npos) whole += "iB";
  const auto parsed = format::parse_size(whole);
  if (!parsed || whole.find('.') != whole.npos) return std::nullopt;
  return *parsed;
}

class Importer {
 public:
  explicit Importer(SeedProfile& out) : out_(out) {}

  void take(const format::ShellSetting& one) {
    if (one.name == "SWAP_DIR") return folder(one);
    if (one.name == "MIN_SWAP_SIZE") return least(one);
    if (one.name == "MAX_SWAP_SIZE") return most(one);
    if (one.name == "SWAP_INCREMENT") return increment(one);
    if (one.name == "MEMORY_THRESHOLD") return threshold(one);
    if (one.name == "CHECK_INTERVAL") return interval(one);
    refuse(one, fmt::format(msg::kSeedUnknown, format::escape_for_terminal(one.name), kNames));
  }

  // Each alone may be right and both together not.
  void check_order(const LawSettings& ours) {
    LawSettings& law = out_.law;
    if (law.cap == 0 || law.floor <= law.cap) return;
    out_.refusals.push_back(
        {fmt::format(msg::kSeedOrder, to_text(Bytes{law.floor}), to_text(Bytes{law.cap})),
         place_of("MIN_SWAP_SIZE", "MAX_SWAP_SIZE")});
    law.floor = ours.floor;
    law.cap = ours.cap;
    std::erase_if(out_.values, [](const SeedValue& value) {
      return value.name == "MIN_SWAP_SIZE" || value.name == "MAX_SWAP_SIZE";
    });
  }

 private:
  void refuse(const format::ShellSetting& one, std::string what) {
    out_.refusals.push_back({std::move(what), one.place});
  }
  void note(const format::ShellSetting& one, SeedUse use, std::string ours, std::string why) {
    out_.values.push_back({one.name, one.value, use, std::move(ours), std::move(why), one.place});
  }
  format::TextPlace place_of(std::string_view name, std::string_view otherwise) const {
    for (const std::string_view wanted : {name, otherwise})
      for (const SeedValue& value : out_.values)
        if (value.name == wanted) return value.place;
    return {};
  }
  std::optional<Bytes> size(const format::ShellSetting& one) {
    auto bytes = size_of(one.value);
    if (!bytes)
      refuse(one, fmt::format(msg::kSeedSize, one.name, format::escape_for_terminal(one.value)));
    return bytes;
  }
  std::optional<unsigned> number(const format::ShellSetting& one, unsigned low, unsigned high) {
    const auto parsed = format::parse_u64(one.value);
    if (parsed && *parsed >= low && *parsed <= high) return static_cast<unsigned>(*parsed);
    refuse(one, fmt::format(msg::kSeedNumber, one.name, format::escape_for_terminal(one.value), low,
                            high));
    return std::nullopt;
  }

  void folder(const format::ShellSetting& one) {
    if (is_unsafe_folder(one.value))
      return note(one, SeedUse::overridden, "/var/lib/estiva/swap", std::string(msg::kSeedFolder));
    out_.folder = one.value;
    note(one, SeedUse::kept, {}, {});
  }
  void least(const format::ShellSetting& one) {
    const auto bytes = size(one);
    if (!bytes) return;
    const std::string ours = to_text(Bytes{out_.law.floor});
    out_.law.floor = bytes->value;
    note(one, SeedUse::kept, {}, fmt::format(msg::kSeedMin, ours));
  }
  void most(const format::ShellSetting& one) {
    const auto bytes = size(one);
    if (!bytes) return;
    out_.law.cap = bytes->value;
    note(one, SeedUse::kept, {}, std::string(msg::kSeedMax));
  }
  void increment(const format::ShellSetting& one) {
    out_.increment = size(one);
    if (out_.increment)
      note(one, SeedUse::in_part, std::string(msg::kSeedInProportion),
           fmt::format(msg::kSeedIncrement, kAreasOfAKernel));
  }
  void threshold(const format::ShellSetting& one) {
    out_.threshold = number(one, 1, 100);
    if (out_.threshold)
      note(one, SeedUse::in_part, std::string(msg::kSeedByRate), std::string(msg::kSeedThreshold));
  }
  void interval(const format::ShellSetting& one) {
    const auto seconds = number(one, 1, 86400);
    if (!seconds) return;
    const Bytes filled{static_cast<std::uint64_t>(kOneThread * *seconds)};
    note(one, SeedUse::overridden, std::string(msg::kSeedByRate),
         fmt::format(msg::kSeedInterval, *seconds, to_text(filled)));
  }

  SeedProfile& out_;
};

bool is_last(const std::vector<format::ShellSetting>& all, std::size_t at) {
  return std::none_of(
      all.begin() + static_cast<std::ptrdiff_t>(at) + 1, all.end(),
      [&](const format::ShellSetting& later) { return later.name == all[at].name; });
}

}  // namespace

SeedProfile import_seed(const format::ShellSettings& read, const LawSettings& ours) {
  SeedProfile profile;
  profile.law = ours;
  profile.refusals = read.refusals;
  Importer importer(profile);
  for (std::size_t i = 0; i < read.settings.size(); ++i)
    if (is_last(read.settings, i)) importer.take(read.settings[i]);
  importer.check_order(ours);
  std::stable_sort(profile.refusals.begin(), profile.refusals.end(),
                   [](const format::ShellRefusal& a, const format::ShellRefusal& b) {
                     return a.place.line < b.place.line;
                   });
  return profile;
}

}  // namespace estiva::decide::memory
