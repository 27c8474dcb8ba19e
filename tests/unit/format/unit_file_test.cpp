// systemd's unit files. Forms and rules from systemd.syntax(7) and systemd.service(5) of systemd
// 252.
#include "format/unit_file.h"

#include <array>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace estiva::format {
namespace {

using Words = std::vector<std::string>;

Words values(const std::vector<const UnitEntry*>& entries) {
  Words found;
  for (const auto* entry : entries) found.push_back(entry->value);
  return found;
}

TEST(UnitFile, SectionsKeysAndWhereTheyStand) {
  const auto file = parse_unit_file(
      "# a comment\n[Unit]\nDescription = Docker  \n\n; another\n\n[Service]\nType=notify\n");
  const std::vector<UnitEntry> expected = {{"Unit", "Description", "Docker", 0, 3},
                                           {"Service", "Type", "notify", 0, 8}};
  EXPECT_EQ(file.entries, expected);
  EXPECT_TRUE(file.problems.empty());
}

TEST(UnitFile, AContinuedLineIsOneValue) {
  const auto file =
      parse_unit_file("[Unit]\nAfter=a.service \\\n  b.service \\\n# not this\n c.service\nX=1");
  ASSERT_EQ(file.entries.size(), 2U);
  EXPECT_EQ(unit_words(file.entries[0].value, true),
            (Words{"a.service", "b.service", "c.service"}));
  EXPECT_EQ(file.entries[0].line, 2U);
  EXPECT_EQ(file.entries[1], (UnitEntry{"Unit", "X", "1", 0, 6}));
}

TEST(UnitFile, TwoBackslashesAtTheEndDoNotContinue) {
  const auto file = parse_unit_file("[Service]\nExecStart=/bin/a \\\\\nType=oneshot\n");
  EXPECT_EQ(last_value(file, "Service", "ExecStart"), "/bin/a \\\\");
  EXPECT_EQ(last_value(file, "Service", "Type"), "oneshot");
}

TEST(UnitFile, AnEndlessContinuationEndsWithTheFile) {
  const auto file = parse_unit_file("[Unit]\nAfter=a.service \\");
  EXPECT_EQ(last_value(file, "Unit", "After"), "a.service");
}

TEST(UnitFile, LineEndingsAndAByteOrderMark) {
  const auto file = parse_unit_file("\xef\xbb\xbf[Unit]\r\nA=1\r\nB=2\rC=3\n");
  ASSERT_EQ(file.entries.size(), 3U);
  EXPECT_EQ(file.entries[0], (UnitEntry{"Unit", "A", "1", 0, 2}));
  EXPECT_EQ(file.entries[2], (UnitEntry{"Unit", "C", "3", 0, 4}));
}

TEST(UnitFile, WhatSystemdSkipsIsTold) {
  const auto file = parse_unit_file("A=1\n[Unit]\nno equals sign\n[Broken\nB=2\n[X-Own]\nC=3\n");
  ASSERT_EQ(file.entries.size(), 1U);
  EXPECT_EQ(file.entries[0], (UnitEntry{"X-Own", "C", "3", 0, 7}));
  using Kind = UnitProblem::Kind;
  const std::vector<UnitProblem> expected = {{Kind::no_section, 0, 1},
                                             {Kind::no_equals, 0, 3},
                                             {Kind::bad_section, 0, 4},
                                             {Kind::no_section, 0, 5}};
  EXPECT_EQ(file.problems, expected);
}

TEST(UnitFile, ADropInAddsAndResets) {
  const std::array<std::string_view, 2> texts = {
      "[Unit]\nAfter=a.service\n[Service]\nExecStart=/bin/old\nTimeoutStartSec=90",
      "[Unit]\nAfter=\nAfter=b.service\n[Service]\nExecStart=\nExecStart=/bin/"
      "new\nTimeoutStartSec=20\n"};
  const auto file = parse_unit_file(texts);
  EXPECT_EQ(values(list_values(file, "Service", "ExecStart")), Words{"/bin/new"});
  EXPECT_EQ(last_value(file, "Service", "TimeoutStartSec"), "20");
  // Dependencies can't be taken back (systemd.unit(5)).
  EXPECT_EQ(values(all_values(file, "Unit", "After")), (Words{"a.service", "", "b.service"}));
  EXPECT_EQ(all_values(file, "Unit", "After")[2]->part, 1U);
  EXPECT_EQ(all_values(file, "Unit", "After")[2]->line, 3U);
}

TEST(UnitFile, ADropInBeginsWithoutASection) {
  const std::array<std::string_view, 2> texts = {"[Unit]\nA=1\n", "B=2\n"};
  EXPECT_EQ(parse_unit_file(texts).entries.size(), 1U);
}

TEST(UnitFile, LimitsAreTold) {
  std::string text = "[Unit]\n";
  for (std::size_t i = 0; i < kMaxUnitEntries; ++i) text += "A=1\n";
  EXPECT_TRUE(parse_unit_file(text).problems.empty());
  text += "A=2\n";
  const auto file = parse_unit_file(text);
  EXPECT_EQ(file.entries.size(), kMaxUnitEntries);
  ASSERT_EQ(file.problems.size(), 1U);
  EXPECT_EQ(file.problems[0].kind, UnitProblem::Kind::too_long);
  std::string big = "[Unit]\nA=" + std::string(kMaxUnitText - 9, 'x');
  EXPECT_TRUE(parse_unit_file(big).problems.empty());
  EXPECT_EQ(parse_unit_file(big + "y").problems.size(), 1U);
}

TEST(UnitFile, Booleans) {
  for (const char* yes : {"1", "yes", "Y", "TRUE", "t", "On"})
    EXPECT_TRUE(unit_boolean(yes, false));
  for (const char* no : {"0", "no", "N", "False", "f", "OFF"}) EXPECT_FALSE(unit_boolean(no, true));
  for (const char* other : {"", "2", "yess", "truefalse"}) {
    EXPECT_TRUE(unit_boolean(other, true)) << other;
    EXPECT_FALSE(unit_boolean(other, false)) << other;
  }
}

TEST(UnitFile, WordsOfAValue) {
  EXPECT_EQ(unit_words("  a \t b ", true), (Words{"a", "b"}));
  EXPECT_EQ(unit_words("\"a b\" 'c d'e", false), (Words{"a b", "c de"}));
  EXPECT_EQ(unit_words("a\\x20b \\101 a\\sb", false), (Words{"a b", "A", "a b"}));
  EXPECT_EQ(unit_words("dev-disk\\x2dby.device", true), Words{"dev-disk\\x2dby.device"});
  EXPECT_EQ(unit_words("a \"open", true), Words{"a"});
  EXPECT_EQ(unit_words("\"\" x", false), (Words{"", "x"}));
  EXPECT_TRUE(unit_words("", false).empty());
}

TEST(UnitFile, ExecLines) {
  EXPECT_EQ(parse_exec_line("-/usr/bin/nvidia-modprobe -c 0"),
            (ExecLine{"/usr/bin/nvidia-modprobe", {"/usr/bin/nvidia-modprobe", "-c", "0"}, true}));
  EXPECT_EQ(parse_exec_line("@/bin/sh mine -c 'a b'"),
            (ExecLine{"/bin/sh", {"mine", "-c", "a b"}, false}));
  EXPECT_EQ(parse_exec_line("+!-/bin/true").may_fail, true);
  EXPECT_EQ(parse_exec_line(""), ExecLine{});
}

TEST(UnitFile, AWordOfAnExecLineComesBack) {
  EXPECT_EQ(quote_exec_word("/usr/bin/estiva"), "/usr/bin/estiva");
  EXPECT_EQ(quote_exec_word("/opt/my tools/estiva"), "\"/opt/my tools/estiva\"");
  EXPECT_EQ(quote_exec_word("100%$x"), "100%%$$x");
  EXPECT_EQ(quote_exec_word(""), "\"\"");
  rc::check("a quoted word is read back", [](const std::string& raw) {
    std::string word;
    for (const char c : raw) {
      if (c != '\0' && c != '\r' && c != '%' && c != '$') word += c;
    }
    RC_ASSERT(unit_words(quote_exec_word(word), false) == Words{word});
  });
}

}  // namespace
}  // namespace estiva::format
