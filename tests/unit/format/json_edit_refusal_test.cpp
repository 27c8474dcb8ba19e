// What the JSON editor refuses, and where it says that the fault is.
#include <gtest/gtest.h>

#include "base/messages/format_json.h"
#include "format/json_edit.h"

namespace estiva::format {
namespace {

using namespace std::string_literals;

struct Bad {
  const char* name;
  std::string text;
  const char* place;  // line:column
  std::string_view what;
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.name;
}

class Refused : public testing::TestWithParam<Bad> {};

TEST_P(Refused, WithLineAndColumn) {
  const Bad& bad = GetParam();
  const auto doc = JsonEdit::parse(bad.text, "/d.json");
  ASSERT_FALSE(doc);
  EXPECT_EQ(doc.error().what, "/d.json:" + std::string(bad.place) + ": " + std::string(bad.what));
  EXPECT_EQ(doc.error().kind, ErrorKind::refused);
  EXPECT_FALSE(doc.error().remedy.empty());
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

const Bad kBad[] = {
    {"TextBehindTheEnd", "{}\n {}", "2:2", msg::kJsonTrailing},
    {"WordBehindTheEnd", "{} x", "1:4", msg::kJsonTrailing},
    {"CommentAtTheFront", "// x\n{}", "1:1", msg::kJsonComment},
    {"CommentInside", "{\n  \"a\": 1 // x\n}", "2:10", msg::kJsonComment},
    {"CommentOfC", "{/* x */}", "1:2", msg::kJsonComment},
    {"CommentOfShell", "{\n# x\n}", "2:1", msg::kJsonComment},
    {"CommentBehindTheEnd", "{} // x", "1:4", msg::kJsonComment},
    {"CommentBehindANumber", "[1//\n]", "1:3", msg::kJsonComment},
    {"NulAtTheFront", "\0{}"s, "1:1", msg::kJsonNul},
    {"NulInAText", "[\"a\0\"]"s, "1:4", msg::kJsonNul},
    {"NulBehindTheEnd", "{}\0"s, "1:3", msg::kJsonNul},
    {"Latin1InAText", "[\"\xE4\"]", "1:3", msg::kJsonNotUtf8},
    {"Utf8CutOff", "[\"\xE2\x82\"]", "1:3", msg::kJsonNotUtf8},
    {"SurrogateInUtf8", "[\"\xED\xA0\x80\"]", "1:3", msg::kJsonNotUtf8},
    {"Latin1Outside", "[\xE4]", "1:2", msg::kJsonNotUtf8},
    {"TwiceTheMark", "\xEF\xBB\xBF\xEF\xBB\xBF{}", "1:1", msg::kJsonWord},
    {"ColumnsAreCharacters", "[\"\xC3\xA4\xE2\x82\xAC\", x]", "1:8", msg::kJsonWord},
    {"MarkHasNoColumn", "\xEF\xBB\xBF[x]", "1:2", msg::kJsonWord},
    {"CrlfIsOneLine", "{\r\n\"a\":x\r\n}", "2:5", msg::kJsonWord},
    {"EndsInAnObject", "{\"a\": 1", "1:8", msg::kJsonEnds},
    {"EndsBehindAComma", "{\"a\": 1,", "1:9", msg::kJsonEnds},
    {"EndsBehindAColon", "{\"a\":", "1:6", msg::kJsonEnds},
    {"EndsBehindAName", "{\"a\"", "1:5", msg::kJsonEnds},
    {"EndsInAnArray", "[[1]\n", "2:1", msg::kJsonEnds},
    {"EndsInAText", "[\n\"abc", "2:1", msg::kJsonEndsInText},
    {"EndsInAnEscape", "[\"abc\\", "1:2", msg::kJsonEndsInText},
    {"EndsInAWord", "[tru", "1:2", msg::kJsonWord},
    {"EndOfLineInAText", "[\"a\n\"]", "1:4", msg::kJsonControl},
    {"TabInAText", "[\"\t\"]", "1:3", msg::kJsonControl},
    {"LastControlCharacter", "[\"\x1F\"]", "1:3", msg::kJsonControl},
    {"EscapeThatIsNone", "[\"a\\x\"]", "1:4", msg::kJsonEscape},
    {"EscapeWithThreeDigits", "[\"\\u12g4\"]", "1:3", msg::kJsonEscape},
    {"CommaTooManyInAnObject", "{\"a\":1,}", "1:7", msg::kJsonLastComma},
    {"CommaTooManyInAnArray", "[1 , ]", "1:4", msg::kJsonLastComma},
    {"CommaAlone", "[,]", "1:2", msg::kJsonWord},
    {"TwoCommas", "[1,,2]", "1:4", msg::kJsonWord},
    {"CommaMissing", "{\"a\":1\n\"b\":2}", "2:1", msg::kJsonNoComma},
    {"WrongBracket", "[1}", "1:3", msg::kJsonNoComma},
    {"NameWithoutQuotes", "{a:1}", "1:2", msg::kJsonNoKey},
    {"NameInSingleQuotes", "{'a':1}", "1:2", msg::kJsonNoKey},
    {"NameIsANumber", "{1:1}", "1:2", msg::kJsonNoKey},
    {"EqualsForAColon", "{\"a\"=1}", "1:5", msg::kJsonNoColon},
    {"ValueInSingleQuotes", "['a']", "1:2", msg::kJsonWord},
    {"WordInCapitals", "[True]", "1:2", msg::kJsonWord},
    {"NaN", "[NaN]", "1:2", msg::kJsonWord},
    {"VerticalTabIsNoBlank", "\v{}", "1:1", msg::kJsonWord},
    {"ZeroInFront", "[01]", "1:2", msg::kJsonNumber},
    {"MinusZeroOne", "[-01]", "1:2", msg::kJsonNumber},
    {"Plus", "[+1]", "1:2", msg::kJsonNumber},
    {"MinusAlone", "[-]", "1:2", msg::kJsonNumber},
    {"PointInFront", "[.5]", "1:2", msg::kJsonNumber},
    {"PointAtTheEnd", "[1.]", "1:2", msg::kJsonNumber},
    {"EmptyExponent", "[1e]", "1:2", msg::kJsonNumber},
    {"SignedEmptyExponent", "[1e+]", "1:2", msg::kJsonNumber},
    {"Hexadecimal", "[0x10]", "1:2", msg::kJsonNumber},
    {"TwoPoints", "[1.2.3]", "1:2", msg::kJsonNumber},
    {"MinusInfinity", "[-Infinity]", "1:2", msg::kJsonNumber},
    {"Infinity", "[Infinity]", "1:2", msg::kJsonWord}};

INSTANTIATE_TEST_SUITE_P(Each, Refused, testing::ValuesIn(kBad),
                         [](const auto& bad) { return std::string(bad.param.name); });

struct Twice {
  const char* text;
  const char* what;
};

TEST(JsonRefused, ANameThatStandsTwiceAtItsSecondPlace) {
  const Twice cases[] = {
      {R"({"a":1,"a":2})", "1:8: the name 'a' stands here a second time; the first is in line 1"},
      {"{\"a\":1,\n \"b\":2,\n \"a\":1}",
       "3:2: the name 'a' stands here a second time; the first is in line 1"},
      // Deep inside, and in an array.
      {"{\"x\":[{\"y\":{\"b\":1,\"c\":2,\"b\":3}}]}",
       "1:25: the name 'b' stands here a second time; the first is in line 1"},
      // The same name, written with an escape.
      {R"({"ab":1,"\u0061b":2})",
       "1:9: the name 'ab' stands here a second time; the first is in line 1"},
      {R"({"\u0061b":1,"\u0061\u0062":2})",
       "1:14: the name 'ab' stands here a second time; the first is in line 1"},
      {R"({"/":1,"\/":2})", "1:8: the name '/' stands here a second time; the first is in line 1"},
      {"{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}",
       "1:19: the name '\xF0\x9F\x98\x80' stands here a second time; the first is in line 1"},
      {R"({"":1,"":2})", "1:7: the name '' stands here a second time; the first is in line 1"},
      // Of several the one that stands first is told, and of three the second.
      {R"({"b":1,"a":1,"a":2,"b":2})",
       "1:14: the name 'a' stands here a second time; the first is in line 1"},
      {R"({"a":1,"a":2,"a":3})",
       "1:8: the name 'a' stands here a second time; the first is in line 1"}};
  for (const Twice& c : cases) {
    const auto doc = JsonEdit::parse(c.text, "f");
    ASSERT_FALSE(doc) << c.text;
    EXPECT_EQ(doc.error().what, std::string("f:") + c.what);
    EXPECT_NE(doc.error().remedy.find("Keep one of the two"), std::string::npos);
  }
}

TEST(JsonRefused, NotANameThatStandsInTwoObjects) {
  for (const char* text :
       {R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":1}])", R"({"x":{"a":1},"y":{"a":1},"a":1})",
        R"({"a":1,"A":2})", R"({"a":"a","b":"a"})", R"({"\u0061":{"b":1},"b":{"\u0062":2}})"})
    EXPECT_TRUE(JsonEdit::parse(text, "f")) << text;
}

// Two names with one FNV-1a hash are two names; a twin among them is still found.
TEST(JsonRefused, NotANameForItsHash) {
  EXPECT_TRUE(JsonEdit::parse(R"({"8yn0iYCKYHlIj4-BwPqk":1,"GReLUrM4wMqfg9yzV3KQ":2,"a":3})", "f"));
  const auto doc = JsonEdit::parse(
      R"({"8yn0iYCKYHlIj4-BwPqk":1,"GReLUrM4wMqfg9yzV3KQ":2,"\u0038yn0iYCKYHlIj4-BwPqk":3})", "f");
  ASSERT_FALSE(doc);
  EXPECT_EQ(doc.error().what,
            "f:1:52: the name '8yn0iYCKYHlIj4-BwPqk' stands here a second time; the first is in "
            "line 1");
}

TEST(JsonRefused, BracketsBeyondTheLimit) {
  EXPECT_TRUE(JsonEdit::parse(nested(kJsonMostDepth), "f"));
  const auto deep = JsonEdit::parse(nested(kJsonMostDepth + 1), "f");
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().what, "f:1:65: brackets are nested deeper than 64 here");
}

TEST(JsonRefused, MoreBytesThanTheLimit) {
  std::string text = "[\"" + std::string(JsonEdit::kMostBytes - 4, 'x') + "\"]";
  ASSERT_EQ(text.size(), JsonEdit::kMostBytes);
  EXPECT_TRUE(JsonEdit::parse(text, "f"));
  const auto more = JsonEdit::parse(text + "\n", "f");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().what, "f is larger than 64.0 MiB");
  EXPECT_EQ(more.error().kind, ErrorKind::refused);
}

TEST(JsonRefused, Utf16BothWays) {
  for (const std::string& text : {"\xFF\xFE{\0}\0"s, "\xFE\xFF\0{\0}"s}) {
    const auto doc = JsonEdit::parse(text, "f");
    ASSERT_FALSE(doc);
    EXPECT_EQ(doc.error().sentence(), "f is encoded as UTF-16. Save it as UTF-8 and try again.");
  }
}

TEST(JsonRefused, AnotherTypeOnTheWayToAMember) {
  const struct {
    const char* text;
    const char* what;
  } cases[] = {{"{\n\"a\": []}", "f:2:6: 'a' is an array, and must be an object"},
               {"{\"a\":true}", "f:1:6: 'a' is true or false, and must be an object"},
               {"{\"a\":1}", "f:1:6: 'a' is a number, and must be an object"},
               {"{\"a\":\"\"}", "f:1:6: 'a' is a text, and must be an object"},
               {"{\"a\":{\"b\":1}}", "f:1:11: 'a.b' is a number, and must be an object"},
               {" []", "f:1:2: 'the whole file' is an array, and must be an object"}};
  for (const auto& c : cases) {
    auto doc = JsonEdit::parse(c.text, "f");
    ASSERT_TRUE(doc) << c.text;
    const JsonPath path{"a", "b", "c"};
    for (const Error& error :
         {doc->find(path).error(), doc->set(path, "1").error(), doc->remove(path).error()}) {
      EXPECT_EQ(error.what, c.what);
      EXPECT_EQ(error.kind, ErrorKind::refused);
    }
    EXPECT_EQ(doc->text(), c.text);
  }
}

TEST(JsonRefused, NamesOfWhatIsNoObject) {
  const auto doc = JsonEdit::parse(R"({"a":1,"b":null})", "f");
  EXPECT_EQ(doc->names({"a"}).error().what, "f:1:6: 'a' is a number, and must be an object");
  EXPECT_TRUE(doc->names({"b"})->empty());
  EXPECT_TRUE(doc->names({"c", "d"})->empty());
}

TEST(JsonRefused, AnEditThatIsNoJson) {
  auto doc = JsonEdit::parse(R"({"a":1})", "f");
  for (const char* json : {"", "tru", "1,2", "{\"a\":1,\"a\":2}", "1 2", "\"", "]"}) {
    EXPECT_FALSE(doc->set({"a"}, json)) << json;
    EXPECT_EQ(doc->text(), R"({"a":1})");
  }
  EXPECT_FALSE(doc->set({}, "1"));
  EXPECT_FALSE(doc->remove({}));
}

TEST(JsonRefused, AnEditThatNestsTooDeep) {
  auto doc = JsonEdit::parse("{\"a\":0}", "f");
  ASSERT_TRUE(doc->set({"a"}, nested(kJsonMostDepth - 1)));
  EXPECT_TRUE(doc->finish());
  ASSERT_TRUE(doc->set({"a"}, nested(kJsonMostDepth)));
  const auto text = doc->finish();
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::failed);
  EXPECT_EQ(text.error().what,
            "the changed text of f would not be JSON any more: f:1:69: brackets are nested deeper "
            "than 64 here");
}

}  // namespace
}  // namespace estiva::format
