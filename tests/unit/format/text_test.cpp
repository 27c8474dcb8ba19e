#include "format/text.h"

#include <array>
#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck.h>

#include "format/json_key.h"
#include "format/json_writer.h"
#include "format/table.h"

namespace estiva::format {
namespace {

TEST(Utf8, AcceptsExactlyWhatRfc3629Does) {
  for (const std::string_view good : {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                      "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xEE\x80\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "a\xC3("}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_TRUE(is_utf8(to_valid_utf8(bad)));
  }
}

TEST(TerminalText, ANameCannotMoveTheCursorOrHide) {
  EXPECT_EQ(escape_for_terminal("plain name"), "plain name");
  EXPECT_EQ(escape_for_terminal("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(escape_for_terminal("a\nb\tc\r\x7f"), "a\\x0ab\\x09c\\x0d\\x7f");
  EXPECT_EQ(escape_for_terminal("\xC2\x9B"
                                "31m"),
            "\\u{009b}31m");  // C1 CSI
  EXPECT_EQ(escape_for_terminal("\xE2\x80\xAE"
                                "gpj"),
            "\\u{202e}gpj");                                    // right-to-left override
  EXPECT_EQ(escape_for_terminal("\xE2\x80\x8B"), "\\u{200b}");  // zero width space
  EXPECT_EQ(escape_for_terminal("\xFF\xC3\xA9"), "\\xff\xC3\xA9");
}

TEST(TerminalText, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("\xC3\xA9"), 1u);
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);         // e and a combining acute
  EXPECT_EQ(display_width("\xE6\xA8\xA1"), 2u);      // a CJK character
  EXPECT_EQ(display_width("\xF0\x9F\x98\x80"), 2u);  // an emoji
}

TEST(Names, TheNearestOneIsOfferedAndNothingFarFetched) {
  const std::array<std::string_view, 4> known = {"interval", "listen", "history", "log_level"};
  EXPECT_EQ(nearest_name("intervall", known), "interval");
  EXPECT_EQ(nearest_name("itnerval", known), "interval");
  EXPECT_EQ(nearest_name("Listen", known), "listen");
  EXPECT_EQ(nearest_name("loglevel", known), "log_level");
  EXPECT_EQ(nearest_name("zzz", known), std::nullopt);
  EXPECT_EQ(nearest_name("", known), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(100000, 'i'), known), std::nullopt);
  EXPECT_EQ(edit_distance("abcd", "abdc"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(Numbers, WholeTextOrNothing) {
  EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_i64("-5"), -5);
  for (const auto text : {"", " 1", "1 ", "+1", "-1", "1.0", "18446744073709551616", "0x1"}) {
    EXPECT_EQ(parse_u64(text), std::nullopt) << text;
  }
}

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(Json, HostileTextStaysInsideItsQuotes) {
  EXPECT_EQ(json_of("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_of("\n\r\t\x01\x7f"), R"("\n\r\t\u0001\u007f")");
  EXPECT_EQ(json_of(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(json_of("\xFFok\xC3"), "\"\xEF\xBF\xBDok\xEF\xBF\xBD\"");
  EXPECT_EQ(json_of("\xE6\xA8\xA1"), "\"\xE6\xA8\xA1\"");
}

TEST(Json, EveryTextIsValidUtf8WithoutRawControls) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    const auto json = json_of(text);
    RC_ASSERT(is_utf8(json));
    RC_ASSERT(std::none_of(json.begin(), json.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  }));
}

TEST(Json, NumbersInShortestFormAndUnknownAsNull) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("a", 0.1)
      .field("b", std::uint64_t{18446744073709551615u})
      .field("c", -3)
      .field("d", std::numeric_limits<double>::quiet_NaN())
      .field("e", Reading<Watts>(Missing::not_supported))
      .field("f", Reading<Bytes>(mib(1)))
      .field("g", true)
      .key("h")
      .begin_array()
      .value("x")
      .begin_object()
      .end_object()
      .null()
      .value(1e300)
      .end_array()
      .field("i", Ratio{0.25})
      .field("j", "text")
      .end_object();
  EXPECT_EQ(out,
            R"({"a":0.1,"b":18446744073709551615,"c":-3,"d":null,"e":null,"f":1048576,"g":true,)"
            R"("h":["x",{},null,1e+300],"i":0.25,"j":"text"})");
}

TEST(Json, DoublesReadBackAsTheSameNumber) {
  EXPECT_TRUE(rc::check([](double number) {
    std::string out;
    append_json_number(out, number);
    RC_ASSERT(std::strtod(out.c_str(), nullptr) == number);
  }));
}

TEST(JsonKey, TheOutermostKeyCounts) {
  EXPECT_EQ(top_level_string(R"({"a":{"k":"no"},"l":["k",1,{}],"k":"yes"})", "k"), "yes");
  EXPECT_EQ(top_level_string(R"( { "k" : "a\/b\\c\"d" } )", "k"), "a/b\\c\"d");
  EXPECT_EQ(top_level_string(R"({"n":-1.5e3,"t":true,"z":null,"k":"v"})", "k"), "v");
}

TEST(JsonKey, AnythingElseIsNothing) {
  for (const std::string_view text :
       {"", "{", "[]", "{}", R"({"k":1})", R"({"k":"x)", R"({"k":"\u0041"})", R"({"x":,"k":"v"})",
        R"({"x":1 2,"k":"v"})", R"("k")", R"({"k")", "{\"k\":\"\\", R"({"x":]})"}) {
    EXPECT_EQ(top_level_string(text, "k"), std::nullopt) << text;
  }
  EXPECT_EQ(top_level_string(
                "{\"x\":" + std::string(100, '[') + std::string(100, ']') + ",\"k\":\"v\"}", "k"),
            std::nullopt);
}

TEST(Tables, ColumnsLineUpWhateverTheScript) {
  Table table({{"NAME"}, {"VRAM", true}});
  table.add_row({"xtts", "3.42 GiB"});
  table.add_row({"\xE6\xA8\xA1\xE5\x9E\x8B", "512 MiB"});
  table.add_row({"evil\x1b[31m"});
  EXPECT_EQ(table.text(),
            "NAME              VRAM\n"
            "xtts          3.42 GiB\n"
            "\xE6\xA8\xA1\xE5\x9E\x8B           512 MiB\n"
            "evil\\x1b[31m\n");
}

TEST(Tables, ANarrowTerminalCutsOnlyWhatMayShrink) {
  Table table({{"PROCESS", false, true}, {"PID", true}});
  table.add_row({"a very long process name", "1234"});
  EXPECT_EQ(table.text(16), "PROCESS      PID\na very ...  1234\n");
  EXPECT_EQ(cut_to_width("abc", 3), "abc");
  EXPECT_EQ(cut_to_width("abcd", 3), "...");
  EXPECT_EQ(cut_to_width("abcd", 0), "");
}

TEST(Hex, GoesBothWaysAndTakesNothingElse) {
  const std::array<std::uint8_t, 4> bytes{0x00, 0xff, 0x0a, 0xb0};
  EXPECT_EQ(to_hex(bytes), "00ff0ab0");
  std::array<std::uint8_t, 4> back{};
  EXPECT_TRUE(from_hex("00ff0ab0", back));
  EXPECT_EQ(back, bytes);
  for (const char* bad : {"", "00ff0ab", "00ff0ab00", "00FF0AB0", "00ff0abg", "0x000000"}) {
    EXPECT_FALSE(from_hex(bad, back)) << bad;
  }
}

TEST(EscapeForHtml, LeavesNoMarkupAndNoBadByte) {
  EXPECT_EQ(escape_for_html("a<b>&\"c\"'d'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;");
  EXPECT_EQ(escape_for_html("\xff\xc3\xa4"), "\xef\xbf\xbd\xc3\xa4");
}

TEST(Text, CountsWithTheirNoun) {
  EXPECT_EQ(counted(0, "reading"), "0 readings");
  EXPECT_EQ(counted(1, "reading"), "1 reading");
  EXPECT_EQ(counted(2, "reading"), "2 readings");
}

}  // namespace
}  // namespace estiva::format
