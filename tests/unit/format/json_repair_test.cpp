#include "format/json_repair.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <string>
#include <utility>

#include "format/json_scan.h"

namespace estiva::format {
namespace {

TEST(RepairJson, WhatIsPlainlyMeantIsMended) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\n  \"features\": {\n}\n", "{\n  \"features\": {\n}\n}\n"},
      {"{\"a\": [1, {\"b\": 2", "{\"a\": [1, {\"b\": 2}]}"},
      {"{\n  \"debug\": true,\n}\n", "{\n  \"debug\": true\n}\n"},
      {"{\"a\": [1, 2 , ], }", "{\"a\": [1, 2  ] }"},
      {"{\"a\": 1,\n", "{\"a\": 1\n}\n"},
      {"{\"a\": 1}}", "{\"a\": 1}"},
      {"{\"a\": 1}\n}\n", "{\"a\": 1}\n\n"},
      {"{\"a\": 1},", "{\"a\": 1}"},
      {"{} // runtimes\n", "{} \n"},
      {"# mine\n{\"a\": /* one */ 1}", "\n{\"a\":  1}"},
      {"{\"a\": \"x//y#z/*\" // c\n}", "{\"a\": \"x//y#z/*\" \n}"},
      {"{\"a\": 1\n \"b\": 2}", "{\"a\": 1,\n \"b\": 2}"},
      {"{\"a\": [\"x\" \"y\\\"\"] \"b\": {} \"c\": null}",
       "{\"a\": [\"x\", \"y\\\"\"], \"b\": {}, \"c\": null}"},
      {"{\"a\": 1, // last\n}", "{\"a\": 1 \n}"},
      {"\xEF\xBB\xBF{\"a\": 1,}", "\xEF\xBB\xBF{\"a\": 1}"},
  };
  for (const auto& [broken, whole] : cases) {
    EXPECT_EQ(repair_json(broken).value_or("nothing"), whole) << broken;
    EXPECT_FALSE(repair_json(whole)) << "what is good has nothing to mend: " << whole;
  }
}

TEST(RepairJson, WhatWouldBeAGuessIsLeftAlone) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "\"a",
                           "5 6",
                           "[1}",
                           "{\"a\": [1}",
                           "{}\n{}\n",
                           "{} x",
                           "{\"a\"}",
                           "{\"a\": }",
                           "{,}",
                           "{\"a\": 1,, \"b\": 2}",
                           "{\"a\": \"x",
                           "{\"a\": 1, \"a\": 2,}",
                           "{a: 1}",
                           "{'a': 1}",
                           "{\"a\" \"b\"}",
                           "{\"a\": tru}",
                           "{\"a\": 1 /* open",
                           "}",
                           "{\"a\": 1;}",
                           ","}) {
    EXPECT_FALSE(repair_json(text)) << text << " -> " << repair_json(text).value_or("");
  }
}

std::string value(int depth) {
  const int kind = depth == 0 ? *rc::gen::inRange(0, 3) : *rc::gen::inRange(0, 6);
  if (kind == 0) return "12345678901234567890";
  if (kind == 1) return R"("a \" // } ] , #")";
  if (kind == 2) return "null";
  const bool is_list = kind == 3;
  std::string text = is_list ? "[" : "{";
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ",\n ";
    if (!is_list) text += "\"" + std::to_string(i) + "\": ";
    text += value(depth - 1);
  }
  return text + (is_list ? "]" : "}");
}

// Whatever brackets are cut off its end come back as they were.
TEST(RepairJson, AnyDocumentSurvivesTheLossOfItsEnd) {
  rc::check([] {
    const std::string whole = "{\"a\": " + value(3) + "}";
    std::string cut = whole;
    while (cut.ends_with('}') || cut.ends_with(']')) cut.pop_back();
    RC_PRE(cut.size() < whole.size());
    const auto mended = repair_json(cut);
    RC_ASSERT(mended.has_value());
    std::string plain = *mended;
    if (whole.find('\n') != whole.npos) {
      std::erase(plain, '\n');
      std::string expected = whole;
      std::erase(expected, '\n');
      RC_ASSERT(plain == expected);
    } else {
      RC_ASSERT(plain == whole);
    }
  });
}

// Nothing that comes out is broken, whatever goes in.
TEST(RepairJson, AnyBytesBecomeJsonOrNothing) {
  rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::element(
        '{', '}', '[', ']', ',', ':', '"', 'a', '1', ' ', '\n', '/', '*', '#', '\\'));
    if (const auto mended = repair_json(text)) RC_ASSERT(!check_json(*mended));
  });
}

}  // namespace
}  // namespace estiva::format
