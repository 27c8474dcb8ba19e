// The referees are diff and patch of the system.
#include "format/diff.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>
#include <sys/wait.h>

#include "format/text.h"
#include "unit/host/temp_dir.h"

namespace estiva::format {
namespace {

using test::TempDir;

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

std::string ours(const std::string& before, const std::string& after) {
  return unified_diff(before, after, {"a", "b"});
}

// What `diff OPTIONS -u` says of the two.
std::string theirs(const TempDir& dir, const std::string& before, const std::string& after,
                   const std::string& options = "") {
  const auto a = dir.write("a", before), b = dir.write("b", after), out = dir.path() + "/out";
  const int status = std::system(
      fmt::format("diff {} -u --label a --label b {} {} > {}", options, a, b, out).c_str());
  EXPECT_LE(WEXITSTATUS(status), 1);
  return slurp(out);
}

// What `patch` makes of `before`.
std::string patched(const TempDir& dir, const std::string& before, const std::string& diff) {
  if (diff.empty()) return before;
  const auto a = dir.write("p", before), change = dir.write("p.diff", diff);
  const auto out = dir.path() + "/p.out";
  const int status = std::system(
      fmt::format("patch -s -u --posix -o {} {} {} >/dev/null 2>&1", out, a, change).c_str());
  EXPECT_EQ(WEXITSTATUS(status), 0) << diff;
  return slurp(out);
}

// Lines that are added or removed.
std::size_t edits_in(const std::string& diff) {
  std::size_t edits = 0, number = 0;
  for (std::string_view rest = diff, line; next_line(rest, line);) {
    if (++number > 2 && (line.starts_with('+') || line.starts_with('-'))) ++edits;
  }
  return edits;
}

TEST(Diff, IsByteForByteThatOfTheSystem) {
  const TempDir dir;
  const std::string ten = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
  const std::pair<std::string, std::string> cases[] = {
      {"", "a\n"},
      {"a\n", ""},
      {"", "a"},
      {"a", ""},
      {"a\nb\nc\n", "a\nx\nc\n"},
      {"a", "a\n"},
      {"a\n", "a"},
      {"a\nb", "a\nc"},
      {"a\nb", "a\nb\nc"},
      {"a\nb\n", "a\nb\nc"},
      {"\n", "\n\n"},
      {"a\r\nb\r\n", "a\nb\n"},
      {ten, "0\n" + ten},
      {ten, ten + "11\n"},
      {ten, "1\n2\n3\n4\n5\n6\n7\n8\n9\n"},
      {"x\n" + ten + "y\n", "X\n" + ten + "Y\n"},                      // two hunks
      {"x\n1\n2\n3\n4\n5\n6\ny\n", "X\n1\n2\n3\n4\n5\n6\nY\n"},        // six between: one
      {"x\n1\n2\n3\n4\n5\n6\n7\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\nY\n"},  // seven: two
  };
  for (const auto& [before, after] : cases) {
    EXPECT_EQ(ours(before, after), theirs(dir, before, after)) << before << "->" << after;
  }
}

TEST(Diff, EqualTextsHaveNone) {
  EXPECT_EQ(ours("", ""), "");
  EXPECT_EQ(ours("a\nb", "a\nb"), "");
}

std::string random_text(std::mt19937& random) {
  std::string text;
  for (std::size_t lines = random() % 30; lines > 0; --lines) {
    text += fmt::format("{}\n", static_cast<char>('a' + random() % (1 + random() % 5)));
  }
  if (!text.empty() && random() % 2) text.pop_back();
  return text;
}

// `text` with a few lines changed.
std::string edited(std::string text, std::mt19937& random) {
  for (std::size_t n = random() % 5; n > 0; --n) {
    const auto at = text.empty() ? 0 : random() % text.size();
    if (random() % 2) {
      text.insert(at, random() % 2 ? "new\n" : "\n");
    } else if (!text.empty()) {
      text.erase(at, 1 + random() % 4);
    }
  }
  return text;
}

TEST(Diff, PatchMakesTheNewTextAndNoDifferenceIsShorter) {
  const TempDir dir;
  std::mt19937 random(20260101);
  for (int i = 0; i < 200; ++i) {
    const std::string before = random_text(random);
    const std::string after = i % 2 ? random_text(random) : edited(before, random);
    const std::string diff = ours(before, after);
    ASSERT_EQ(patched(dir, before, diff), after) << diff;
    ASSERT_EQ(edits_in(diff), edits_in(theirs(dir, before, after, "-d"))) << diff;
  }
}

// n lines, each different, and different from those of other names.
std::string lines(const char* name, std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += fmt::format("{}{}\n", name, i);
  return text;
}

TEST(Diff, BeyondItsBoundItShowsOneBlock) {
  const TempDir dir;
  const std::size_t half = kMostEdits / 4;
  for (const std::size_t more : {0, 1}) {
    const auto before = lines("a", half) + "common\n" + lines("b", half);
    const auto after = lines("c", half) + "common\n" + lines("d", half + more);
    const auto diff = ours(before, after);
    EXPECT_EQ(diff.find("\n common\n") != diff.npos, more == 0);
    EXPECT_EQ(diff.find("\n+common\n") != diff.npos, more == 1);
    EXPECT_EQ(patched(dir, before, diff), after);
  }
}

TEST(Diff, ALargeFileWithSmallChangesIsQuick) {
  const auto before = lines("line ", 500'000);
  auto after = before;
  after.replace(after.find("line 250000\n"), 12, "other\n");
  after.insert(0, "first\n");
  EXPECT_EQ(edits_in(ours(before, after)), 3u);
}

TEST(Diff, BytesThatAreNoTextAreOnlySaidToDiffer) {
  EXPECT_EQ(ours(std::string("\0", 1), "b"), "Binary files a and b differ\n");
  EXPECT_EQ(ours("b", std::string("a\n\0", 3)), "Binary files a and b differ\n");
}

TEST(Diff, AHostileNameStaysInItsLine) {
  const auto diff = unified_diff("a\n", "b\n", {"x\n+++ y\"\\", "/dev/null"});
  EXPECT_TRUE(diff.starts_with("--- \"x\\012+++ y\\\"\\\\\"\n+++ /dev/null\n@@ ")) << diff;
}

}  // namespace
}  // namespace estiva::format
