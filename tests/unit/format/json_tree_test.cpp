#include "format/json_tree.h"

#include <gtest/gtest.h>

#include "format/json_fields.h"

namespace estiva::format {

struct Inner {
  std::string name;
  Reading<Watts> power;
  friend bool operator==(const Inner&, const Inner&) = default;
};
template <class Io>
static void fields(Io& io, Inner& inner) {
  io("name", inner.name);
  io("power", inner.power);
}

struct Outer {
  bool on = true;
  int below = 0;
  std::uint8_t small = 0;
  double share = 0;
  std::optional<Bytes> bytes;
  std::vector<Inner> rows;
  friend bool operator==(const Outer&, const Outer&) = default;
};
template <class Io>
static void fields(Io& io, Outer& outer) {
  io("on", outer.on, true);
  io("below", outer.below);
  io("small", outer.small);
  io("share", outer.share);
  io("bytes", outer.bytes);
  io("rows", outer.rows);
}

namespace {

TEST(JsonTree, WhatIsNotThereIsNothing) {
  const auto tree = JsonTree::parse(R"({"a":null,"b":[1,-2,3.5,"x",true,18446744073709551615]} )");
  ASSERT_TRUE(tree);
  const JsonNode root = tree->root();
  EXPECT_FALSE(root["a"]);
  EXPECT_FALSE(root["c"]);
  EXPECT_FALSE(root["c"]["d"]);
  EXPECT_EQ(root["c"].size(), 0u);
  const JsonNode list = root["b"];
  ASSERT_EQ(list.size(), 6u);
  EXPECT_EQ(list.at(0).unsigned_number(), 1u);
  EXPECT_EQ(list.at(1).unsigned_number(), std::nullopt);
  EXPECT_EQ(list.at(1).signed_number(), -2);
  EXPECT_EQ(list.at(2).signed_number(), std::nullopt);
  EXPECT_EQ(list.at(2).number(), 3.5);
  EXPECT_EQ(list.at(3).text(), "x");
  EXPECT_EQ(list.at(3).number(), std::nullopt);
  EXPECT_EQ(list.at(4).boolean(), true);
  EXPECT_EQ(list.at(5).unsigned_number(), UINT64_MAX);
  EXPECT_EQ(root.name_at(1), "b");
}

TEST(JsonTree, WhatIsNoJsonIsRefusedWithItsPlace) {
  for (const char* text : {"", "{", "{} x", "[1,]", "nul", "{\"a\":1}{\"b\":2}"}) {
    const auto tree = JsonTree::parse(text);
    ASSERT_FALSE(tree) << text;
    EXPECT_NE(tree.error().what.find("byte"), std::string::npos);
  }
  EXPECT_FALSE(JsonTree::parse(std::string(100, '[') + std::string(100, ']')));
  EXPECT_TRUE(JsonTree::parse(std::string(30, '[') + std::string(30, ']')));
}

TEST(JsonFields, ThereAndBackIsTheSame) {
  Outer outer;
  outer.on = false;
  outer.below = -3;
  outer.small = 255;
  outer.share = 0.1;
  outer.bytes = gib(3);
  outer.rows = {{"a", Watts{103.25}}, {"b", Missing::not_supported}, {"c", {}}};
  std::string text;
  JsonWriter json(text);
  write_fields(json, outer);
  const auto tree = JsonTree::parse(text);
  ASSERT_TRUE(tree) << text;
  Outer back;
  EXPECT_EQ(read_fields(tree->root(), back), "");
  EXPECT_EQ(back, outer) << text;
}

TEST(JsonFields, WhatIsUsualIsNotWrittenAndIsThereAgain) {
  std::string text;
  JsonWriter json(text);
  write_fields(json, Outer{});
  EXPECT_EQ(text, "{}");
  const auto tree = JsonTree::parse(text);
  Outer back;
  back.on = false;
  back.rows.resize(2);
  EXPECT_EQ(read_fields(tree->root(), back), "");
  EXPECT_EQ(back, Outer{});
}

TEST(JsonFields, WhatIsWrongIsNamed) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {{R"({"on":1})", "on"},
               {R"({"small":256})", "small"},
               {R"({"below":4294967296})", "below"},
               {R"({"bytes":-1})", "bytes"},
               {R"({"rows":{}})", "rows"},
               {R"({"rows":[{"power":{"missing":"perhaps"}}]})", "rows.power"},
               {R"([])", "{"}};
  for (const auto& c : cases) {
    const auto tree = JsonTree::parse(c.text);
    ASSERT_TRUE(tree);
    Outer outer;
    EXPECT_EQ(read_fields(tree->root(), outer), c.problem) << c.text;
  }
}

}  // namespace
}  // namespace estiva::format
