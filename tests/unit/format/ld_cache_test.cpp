#include "format/ld_cache.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>

namespace estiva::format {
namespace {

std::string u32(std::uint32_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

const std::vector<LdCacheEntry> kEntries = {
    {0x0303, "libnvidia-ml.so.1", "/usr/lib64/libnvidia-ml.so.1"},
    {0x0303, "libcuda.so.1", "/usr/lib64/libcuda.so.1"},
    {0x0003, "libcuda.so.1", "/usr/lib/libcuda.so.1"},
    {0x0303, "libc.so.6", "/usr/lib64/libc.so.6"}};

// The form that glibc calls new; `flags` is its byte order.
std::string new_form(const std::vector<LdCacheEntry>& entries, unsigned count, char flags = 2) {
  std::string table, texts;
  const std::size_t start = 48 + 24 * entries.size();
  for (const auto& entry : entries) {
    const auto name = static_cast<std::uint32_t>(start + texts.size());
    texts += entry.name + '\0';
    const auto path = static_cast<std::uint32_t>(start + texts.size());
    texts += entry.path + '\0';
    table += u32(entry.flags) + u32(name) + u32(path) + u32(0) + std::string(8, '\0');
  }
  return "glibc-ld.so.cache1.1" + u32(count) + u32(static_cast<std::uint32_t>(texts.size())) +
         flags + std::string(19, '\0') + table + texts;
}
std::string new_form() {
  return new_form(kEntries, static_cast<unsigned>(kEntries.size()));
}

// The old form: texts are found from the end of its table.
std::string old_form(const std::vector<LdCacheEntry>& entries) {
  std::string table, texts;
  for (const auto& entry : entries) {
    const auto name = static_cast<std::uint32_t>(texts.size());
    texts += entry.name + '\0';
    const auto path = static_cast<std::uint32_t>(texts.size());
    texts += entry.path + '\0';
    table += u32(entry.flags) + u32(name) + u32(path);
  }
  return std::string("ld.so-1.7.0\0", 12) + u32(static_cast<std::uint32_t>(entries.size())) +
         table + texts;
}

TEST(LdCache, BothForms) {
  EXPECT_EQ(parse_ld_cache(new_form()), kEntries);
  EXPECT_EQ(parse_ld_cache(old_form(kEntries)), kEntries);
}

TEST(LdCache, TheNewFormBehindTheOldOneIsTheOneThatCounts) {
  for (std::size_t count = 0; count < 5; ++count) {  // 12 bytes each: aligned and not
    std::string old = std::string("ld.so-1.7.0\0", 12) + u32(static_cast<std::uint32_t>(count)) +
                      std::string(12 * count, '\0');
    old.resize((old.size() + 7) / 8 * 8);
    EXPECT_EQ(parse_ld_cache(old + new_form()), kEntries) << count;
  }
}

TEST(LdCache, OnlyTheNamesThatAreWanted) {
  EXPECT_EQ(parse_ld_cache(new_form(), {"libcuda.so", "libnvidia-"}),
            std::vector<LdCacheEntry>(kEntries.begin(), kEntries.begin() + 3));
  EXPECT_TRUE(parse_ld_cache(new_form(), {"libother"}).empty());
}

TEST(LdCache, WhatIsCutHasFewerEntries) {
  const auto bytes = new_form();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto found = parse_ld_cache(std::string_view(bytes).substr(0, size));
    EXPECT_LT(found.size(), kEntries.size()) << size;
    for (const auto& entry : found) {
      EXPECT_TRUE(std::count(kEntries.begin(), kEntries.end(), entry)) << size;
    }
  }
}

TEST(LdCache, ACountThatLiesDoesNoHarm) {
  EXPECT_EQ(parse_ld_cache(new_form(kEntries, 2)),
            std::vector<LdCacheEntry>(kEntries.begin(), kEntries.begin() + 2));
  // Entries beyond the table are what the texts happen to be: none of them is a path.
  EXPECT_EQ(parse_ld_cache(new_form(kEntries, UINT32_MAX)), kEntries);
  EXPECT_TRUE(parse_ld_cache(std::string("ld.so-1.7.0\0\xff\xff\xff\xff", 16)).empty());
}

TEST(LdCache, TextsOutsideTheBytesAreLeftOut) {
  auto bytes = new_form();
  const auto far = u32(0xfffffff0);
  std::memcpy(bytes.data() + 48 + 4, far.data(), 4);       // name of the first
  std::memcpy(bytes.data() + 48 + 24 + 8, far.data(), 4);  // path of the second
  bytes.pop_back();                                        // the last path is not ended
  EXPECT_EQ(parse_ld_cache(bytes), (std::vector<LdCacheEntry>{kEntries[2]}));
}

TEST(LdCache, PathsAreAbsoluteAndNotTooLong) {
  const auto one = [](const std::string& path) {
    return parse_ld_cache(new_form({{3, "libx.so", path}}, 1)).size();
  };
  EXPECT_EQ(one("libx.so"), 0u);
  EXPECT_EQ(one("/" + std::string(kMaxLdCachePath - 2, 'a')), 1u);
  EXPECT_EQ(one("/" + std::string(kMaxLdCachePath - 1, 'a')), 0u);
}

TEST(LdCache, AtMostSoManyEntries) {
  const std::vector<LdCacheEntry> many(kMaxLdCacheEntries + 1, LdCacheEntry{3, "a", "/a"});
  EXPECT_EQ(parse_ld_cache(new_form(many, static_cast<unsigned>(many.size()))).size(),
            kMaxLdCacheEntries);
}

TEST(LdCache, NoCacheOrOneOfTheOtherByteOrder) {
  EXPECT_TRUE(parse_ld_cache("").empty());
  EXPECT_TRUE(parse_ld_cache(std::string(1000, 'x')).empty());
  EXPECT_TRUE(parse_ld_cache(new_form(kEntries, 4, 3)).empty());
  EXPECT_EQ(parse_ld_cache(new_form(kEntries, 4, 0)), kEntries);  // before 2.33: not said
}

// ldconfig prints this machine's cache; we must read the same names and paths in the same order.
TEST(LdCache, ReadsWhatLdconfigReads) {
  std::ifstream file("/etc/ld.so.cache", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  FILE* printed = ::popen("/sbin/ldconfig -p 2>/dev/null", "r");
  if (bytes.empty() || printed == nullptr) GTEST_SKIP() << "no linker's cache here";
  std::vector<std::pair<std::string, std::string>> theirs, ours;
  char line[8192];
  while (std::fgets(line, sizeof line, printed)) {
    const std::string text = line;
    const auto arrow = text.find(" => ");
    if (arrow == text.npos) continue;
    theirs.emplace_back(text.substr(1, text.find(' ') - 1),
                        text.substr(arrow + 4, text.size() - arrow - 5));
  }
  ::pclose(printed);
  for (const auto& entry : parse_ld_cache(bytes)) ours.emplace_back(entry.name, entry.path);
  EXPECT_GT(ours.size(), 0u);
  EXPECT_EQ(ours, theirs);
}

}  // namespace
}  // namespace estiva::format
