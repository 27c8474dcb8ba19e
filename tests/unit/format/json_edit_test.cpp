// What the JSON editor writes: only what is edited changes, and what is new looks like its
// neighbours.
#include "format/json_edit.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

// The text after `edit`; "refused: .." where it was.
template <class Edit>
std::string edited(std::string text, Edit edit) {
  auto doc = JsonEdit::parse(std::move(text), "f");
  if (!doc) return "refused: " + doc.error().what;
  edit(*doc);
  auto done = doc->finish();
  return done ? *done : "refused: " + done.error().what;
}

std::string with(std::string text, const JsonPath& path, std::string_view json) {
  return edited(std::move(text), [&](JsonEdit& doc) { EXPECT_TRUE(doc.set(path, json)); });
}

std::string without(std::string text, const JsonPath& path) {
  return edited(std::move(text), [&](JsonEdit& doc) {
    const auto removed = doc.remove(path);
    EXPECT_TRUE(removed && *removed);
  });
}

struct Case {
  const char* name;
  std::string before, after;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class SetFeature : public testing::TestWithParam<Case> {};

TEST_P(SetFeature, LooksLikeItsNeighbours) {
  EXPECT_EQ(with(GetParam().before, {"features", "cdi"}, "true"), GetParam().after);
}

const Case kSet[] = {
    {"EmptyFile", "", "{\n    \"features\": {\n        \"cdi\": true\n    }\n}\n"},
    {"BlanksOnly", " \n\t\n", "{\n    \"features\": {\n        \"cdi\": true\n    }\n}\n"},
    {"BlanksWithCrlf", "\r\n",
     "{\r\n    \"features\": {\r\n        \"cdi\": true\r\n    }\r\n}\r\n"},
    {"MarkOnly", "\xEF\xBB\xBF",
     "\xEF\xBB\xBF{\n    \"features\": {\n        \"cdi\": true\n    }\n}\n"},
    {"Null", " null\n", " {\n    \"features\": {\n        \"cdi\": true\n    }\n}\n"},
    {"EmptyObject", "{}", "{\n    \"features\": {\n        \"cdi\": true\n    }\n}"},
    {"EmptyObjectWithBlanks", "\n{ \n }\n",
     "\n{\n    \"features\": {\n        \"cdi\": true\n    }\n}\n"},
    {"TwoBlanks", "{\n  \"a\": 1\n}\n",
     "{\n  \"a\": 1,\n  \"features\": {\n    \"cdi\": true\n  }\n}\n"},
    {"Tabs", "{\n\t\"a\": 1\n}", "{\n\t\"a\": 1,\n\t\"features\": {\n\t\t\"cdi\": true\n\t}\n}"},
    {"ThreeBlanks", "{\n   \"a\":1\n}",
     "{\n   \"a\":1,\n   \"features\":{\n      \"cdi\":true\n   }\n}"},
    {"NoIndentation", "{\n\"a\": 1\n}", "{\n\"a\": 1,\n\"features\": {\n    \"cdi\": true\n}\n}"},
    {"Crlf", "{\r\n  \"a\": 1\r\n}\r\n",
     "{\r\n  \"a\": 1,\r\n  \"features\": {\r\n    \"cdi\": true\r\n  }\r\n}\r\n"},
    {"BlankLinesAreNotCopied", "{\n  \"a\": 1,\n\n\n  \"b\": 2\n}",
     "{\n  \"a\": 1,\n\n\n  \"b\": 2,\n  \"features\": {\n    \"cdi\": true\n  }\n}"},
    {"OneLineTight", "{\"a\":1}", "{\"a\":1,\"features\":{\"cdi\":true}}"},
    {"OneLineLoose", "{\"a\": 1}", "{\"a\": 1, \"features\": {\"cdi\": true}}"},
    {"OneLineOfTwo", "{\"a\":1, \"b\":2}", "{\"a\":1, \"b\":2, \"features\":{\"cdi\":true}}"},
    {"OneLinePadded", "{ \"a\" : 1 }\n", "{ \"a\" : 1, \"features\" : { \"cdi\" : true } }\n"},
    {"CommaInFront", "{ \"a\": 1\n, \"b\": 2\n}",
     "{ \"a\": 1\n, \"b\": 2, \"features\": { \"cdi\": true }\n}"},
    {"OddColons", "{\n  \"a\"\n :\n 1\n}",
     "{\n  \"a\"\n :\n 1,\n  \"features\": {\n    \"cdi\": true\n  }\n}"},
    {"FeaturesEmpty", "{\n  \"features\": {}\n}",
     "{\n  \"features\": {\n    \"cdi\": true\n  }\n}"},
    {"FeaturesEmptyOnOneLine", "{\"features\": { }}", "{\"features\": {\"cdi\": true}}"},
    {"FeaturesNull", "{\n  \"features\": null,\n  \"b\": 2\n}",
     "{\n  \"features\": {\n    \"cdi\": true\n  },\n  \"b\": 2\n}"},
    {"FeaturesNullOnOneLine", "{\"features\":null}", "{\"features\":{\"cdi\":true}}"},
    {"FeaturesWithOthers", "{\n  \"features\": {\n    \"buildkit\": true\n  }\n}",
     "{\n  \"features\": {\n    \"buildkit\": true,\n    \"cdi\": true\n  }\n}"},
    {"OneLineInsideLines", "{\n  \"features\": {\"buildkit\": true}\n}",
     "{\n  \"features\": {\"buildkit\": true, \"cdi\": true}\n}"},
    {"LinesInsideOneLine", "{\"x\": 1, \"features\": {\n    \"buildkit\": true\n}}",
     "{\"x\": 1, \"features\": {\n    \"buildkit\": true,\n    \"cdi\": true\n}}"},
    {"Replaced", "{\"features\": {\"cdi\" : false , \"b\":1 }, \"x\":1e400}",
     "{\"features\": {\"cdi\" : true , \"b\":1 }, \"x\":1e400}"},
    {"ReplacedWithAnEscapeInItsName", R"({"fe\u0061tures":{"c\u0064i":false}})",
     R"({"fe\u0061tures":{"c\u0064i":true}})"},
    {"ReplacedWhateverItIs", R"({"features":{"cdi":{"a":["}"]}}})", R"({"features":{"cdi":true}})"},
    {"TheSameAgain", R"({"features":{"cdi":true}})", R"({"features":{"cdi":true}})"},
    {"NameInAText", R"({"a":"\"features\":{\"cdi\":false}"})",
     R"({"a":"\"features\":{\"cdi\":false}","features":{"cdi":true}})"},
    {"BigNumbersAndEscapes", "{\"n\":12345678901234567890,\"f\":1.10E+0,\"t\":\"\\u00e4\\/\"}",
     "{\"n\":12345678901234567890,\"f\":1.10E+0,\"t\":\"\\u00e4\\/"
     "\",\"features\":{\"cdi\":true}}"}};

INSTANTIATE_TEST_SUITE_P(Each, SetFeature, testing::ValuesIn(kSet),
                         [](const auto& c) { return std::string(c.param.name); });

class RemoveB : public testing::TestWithParam<Case> {};

TEST_P(RemoveB, TakesItsComma) {
  EXPECT_EQ(without(GetParam().before, {"b"}), GetParam().after);
}

const Case kRemove[] = {
    {"First", "{\n  \"b\": 1,\n  \"c\": 2\n}", "{\n  \"c\": 2\n}"},
    {"InTheMiddle", "{\n  \"a\": 0,\n  \"b\": 1,\n  \"c\": 2\n}", "{\n  \"a\": 0,\n  \"c\": 2\n}"},
    {"Last", "{\n  \"a\": 0,\n  \"b\": 1\n}\n", "{\n  \"a\": 0\n}\n"},
    {"OnlyOne", "{\n  \"b\": 1\n}\n", "{}\n"},
    {"OnlyOneOnOneLine", " { \"b\" : [1] } ", " {} "},
    {"OneLineFirst", "{\"b\":1,\"c\":2}", "{\"c\":2}"},
    {"OneLineMiddle", "{\"a\":0, \"b\":1, \"c\":2}", "{\"a\":0, \"c\":2}"},
    {"OneLineLast", "{\"a\":0, \"b\":1 }", "{\"a\":0 }"},
    {"BlankBeforeTheComma", "{\"a\":0 , \"b\":1 , \"c\":2}", "{\"a\":0 , \"c\":2}"},
    {"WithBracketsInTexts", R"({"a":"}","b":"{\"","c":"]"})", R"({"a":"}","c":"]"})"}};

INSTANTIATE_TEST_SUITE_P(Each, RemoveB, testing::ValuesIn(kRemove),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(JsonEdit, RemovesOnlyWhatIsThere) {
  for (const char* text : {"", "{}", R"({"a":{"c":1}})", R"({"a":null})", "null"}) {
    auto doc = JsonEdit::parse(text, "f");
    const auto removed = doc->remove({"a", "b"});
    ASSERT_TRUE(removed) << text;
    EXPECT_FALSE(*removed);
    EXPECT_EQ(*doc->finish(), text);
  }
  EXPECT_EQ(without(R"({"a":{"b":1,"c":2},"b":3})", {"a", "b"}), R"({"a":{"c":2},"b":3})");
}

TEST(JsonEdit, FindsValuesAsTheyAreWritten) {
  const auto doc = JsonEdit::parse(
      "\xEF\xBB\xBF{ \"a\" : { \"b\" : [ 1 , {} ] },\n \"n\": -0.0e-7, \"t\":\"\\u00e4\","
      " \"x\": true, \"z\": null, \"\": \"}\" }",
      "f");
  ASSERT_TRUE(doc);
  const auto at = [&](const JsonPath& path) { return doc->find(path)->value(); };
  EXPECT_EQ(at({"a"}).text, "{ \"b\" : [ 1 , {} ] }");
  EXPECT_EQ(at({"a"}).type, JsonType::object);
  EXPECT_EQ(at({"a", "b"}).text, "[ 1 , {} ]");
  EXPECT_EQ(at({"a", "b"}).type, JsonType::array);
  EXPECT_EQ(at({"n"}).text, "-0.0e-7");
  EXPECT_EQ(at({"n"}).type, JsonType::number);
  EXPECT_EQ(doc->place_of(at({"n"})).line, 2u);
  EXPECT_EQ(doc->place_of(at({"n"})).column, 7u);
  EXPECT_EQ(at({"t"}).text, "\"\\u00e4\"");
  EXPECT_EQ(unquote_json(at({"t"}).text), "\xC3\xA4");
  EXPECT_EQ(at({"x"}).type, JsonType::boolean);
  EXPECT_EQ(at({"z"}).type, JsonType::null);
  EXPECT_EQ(at({""}).text, "\"}\"");
  EXPECT_EQ(at({}).type, JsonType::object);
  for (const JsonPath& path : {JsonPath{"b"}, {"a", "c"}, {"z", "a"}})
    EXPECT_EQ(*doc->find(path), std::nullopt);
  EXPECT_EQ(*doc->names({}), (std::vector<std::string>{"a", "n", "t", "x", "z", ""}));
}

TEST(JsonEdit, AnEmptyFileHasNothing) {
  for (const char* text : {"", " \r\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n"}) {
    const auto doc = JsonEdit::parse(text, "f");
    ASSERT_TRUE(doc);
    EXPECT_EQ(*doc->find({}), std::nullopt);
    EXPECT_EQ(*doc->find({"a"}), std::nullopt);
    EXPECT_TRUE(doc->names({})->empty());
    EXPECT_EQ(*doc->finish(), text);
  }
}

TEST(JsonEdit, AMarkStaysUntilItIsDropped) {
  const std::string text = "\xEF\xBB\xBF{\"a\":1}";
  EXPECT_EQ(with(text, {"a"}, "2"), "\xEF\xBB\xBF{\"a\":2}");
  EXPECT_EQ(edited(text,
                   [](JsonEdit& doc) {
                     EXPECT_TRUE(doc.has_byte_order_mark());
                     doc.drop_byte_order_mark();
                     EXPECT_FALSE(doc.has_byte_order_mark());
                     EXPECT_TRUE(doc.set({"a"}, "2"));
                   }),
            "{\"a\":2}");
  EXPECT_EQ(edited("{}", [](JsonEdit& doc) { doc.drop_byte_order_mark(); }), "{}");
}

TEST(JsonEdit, SeveralEditsOfOneDocument) {
  const std::string text = "{\n  \"a\": 1,\n  \"old\": [1,\n 2],\n  \"z\": 26\n}\n";
  EXPECT_EQ(edited(text,
                   [](JsonEdit& doc) {
                     EXPECT_TRUE(doc.set({"runtimes", "nvidia", "path"}, "\"/x\""));
                     EXPECT_TRUE(doc.set({"runtimes", "nvidia", "args"}, "[]"));
                     EXPECT_TRUE(doc.remove({"old"}));
                     EXPECT_TRUE(doc.set({"a"}, "{\"b\":2}"));
                     EXPECT_TRUE(doc.set({"a", "c"}, "3"));
                     EXPECT_TRUE(doc.set({"runtimes", "runc"}, "null"));
                     EXPECT_TRUE(doc.set({"runtimes", "runc", "path"}, "\"/y\""));
                   }),
            "{\n  \"a\": {\"b\":2,\"c\":3},\n  \"z\": 26,\n  \"runtimes\": {\n    \"nvidia\": {\n"
            "      \"path\": \"/x\",\n      \"args\": []\n    },\n    \"runc\": {\n"
            "      \"path\": \"/y\"\n    }\n  }\n}\n");
}

TEST(JsonEdit, NamesAreWrittenWithTheirEscapes) {
  EXPECT_EQ(with("{\"a\":1}", {"x\"\\\n"}, "2"), R"({"a":1,"x\"\\\n":2})");
  EXPECT_EQ(with(R"({"x\"\\\n":1})", {"x\"\\\n"}, "2"), R"({"x\"\\\n":2})");
  EXPECT_EQ(with("{\"a\":1}", {"\xC3\xA4"}, "2"), "{\"a\":1,\"\xC3\xA4\":2}");
}

TEST(JsonEdit, TextsAreUnquotedAsGoDoesIt) {
  const struct {
    const char* quoted;
    const char* meant;
  } cases[] = {
      {R"("")", ""},
      {R"("a\"\\\/\b\f\n\r\tz")", "a\"\\/\b\f\n\r\tz"},
      {R"("\u0041\u00e9\u20AC")", "A\xC3\xA9\xE2\x82\xAC"},
      {R"("\u007f\u0080\u07ff\u0800\uffff")", "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"},
      {R"("\ud800\udc00\udbff\udfff")", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
      {R"("\ud83d\ude00")", "\xF0\x9F\x98\x80"},
      {R"("\ud83dx")", "\xEF\xBF\xBDx"},
      {R"("\ud83d\n")", "\xEF\xBF\xBD\n"},
      {R"("\ud83d\u0041")",
       "\xEF\xBF\xBD"
       "A"},
      {R"("\ude00")", "\xEF\xBF\xBD"}};
  for (const auto& c : cases) EXPECT_EQ(unquote_json(c.quoted), c.meant) << c.quoted;
  // Unchecked text: cut exactly, so that the sanitizers see a read beyond it.
  for (const std::string quoted :
       {"", "\"", "\"a\\\"", "\"a\\u12\"", "\"a\\uZZZZ\"", "\"a\\ud83d\\u\""}) {
    const std::vector<char> exact(quoted.begin(), quoted.end());
    EXPECT_LE(unquote_json({exact.data(), exact.size()}).size(), 4U) << quoted;
  }
  // What half a pair means is not nice, but Docker takes it.
  EXPECT_TRUE(JsonEdit::parse(R"(["\ud800"])", "f"));
}

TEST(JsonEdit, PathsInWords) {
  EXPECT_EQ(in_words({}), "the whole file");
  EXPECT_EQ(in_words({"a"}), "a");
  EXPECT_EQ(in_words({"a", "b.c", "d"}), "a.b.c.d");
}

}  // namespace
}  // namespace estiva::format
