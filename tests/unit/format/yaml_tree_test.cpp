#include "format/yaml_tree.h"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace estiva::format {
namespace {

YamlTree tree_of(std::string_view text) {
  auto tree = YamlTree::parse(text);
  EXPECT_TRUE(tree) << text << ": " << (tree ? "" : tree.error().what);
  return tree.value_or(YamlTree{});
}

// [a, {b: c}] and the like, so that shapes can be compared.
std::string shape(const YamlTree& tree, std::uint32_t id) {
  const YamlNode& node = tree[id];
  if (node.kind == YamlNode::Kind::scalar) return node.text;
  std::string out;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const bool is_value = node.kind == YamlNode::Kind::mapping && i % 2 == 1;
    if (i != 0) out += is_value ? ": " : ", ";
    out += shape(tree, node.children[i]);
  }
  return node.kind == YamlNode::Kind::mapping ? "{" + out + "}" : "[" + out + "]";
}

std::string shape(std::string_view text) {
  const YamlTree tree = tree_of(text);
  return tree.nodes.empty() ? "nothing" : shape(tree, tree.root);
}

TEST(YamlTree, YamlAndJsonGiveTheSameTree) {
  const struct {
    const char* text;
    const char* shape;
  } cases[] = {
      {"a: 1\nb:\n- c\n- d: e\n", "{a: 1, b: [c, {d: e}]}"},
      {R"({"a": 1, "b": ["c", {"d": "e"}]})", "{a: 1, b: [c, {d: e}]}"},
      {"{\n\t\"a\":\t1\n}", "{a: 1}"},
      {"--- [a]\n--- [b]\n", "[a]"},
      {"[a]\n---\n]", "[a]"},
      {"x: &n [a, b]\ny: *n\n", "{x: [a, b], y: [a, b]}"},
      {"- &n a\n- *n\n- &n b\n- *n\n", "[a, a, b, b]"},
      {"a: |\n  x\n  y\nb: >\n  x\n  y\n", "{a: x\ny\n, b: x y\n}"},
      {"\"\\x41\\u00e9\\n\"", "A\u00e9\n"},
      {"\xEF\xBB\xBF[a]", "[a]"},
      {"a:\n", "{a: }"},
      {"", "nothing"},
      {" \n\t\r\n", "nothing"},
      {"# only a comment\n", "nothing"},
  };
  for (const auto& c : cases) EXPECT_EQ(shape(c.text), c.shape) << c.text;
}

TEST(YamlTree, EachNodeKnowsItsBytes) {
  const std::string text =
      "\xEF\xBB\xBF"
      "a: 'q' # c\nb:\n- {c: [d, \"e\\n\" ]}\n- &x f\n- *x  # end\ng:\nh: |\n  i\n";
  const YamlTree tree = tree_of(text);
  const auto bytes = [&](std::uint32_t id) {
    return text.substr(tree[id].begin, tree[id].end - tree[id].begin);
  };
  const auto& root = tree[tree.root].children;
  EXPECT_EQ(bytes(root[0]), "a");
  EXPECT_EQ(bytes(root[1]), "'q'");
  EXPECT_EQ(bytes(root[3]), "- {c: [d, \"e\\n\" ]}\n- &x f\n- *x");
  const std::uint32_t flow = tree[root[3]].children[0];
  EXPECT_TRUE(tree[flow].is_flow);
  EXPECT_FALSE(tree[root[3]].is_flow);
  EXPECT_EQ(bytes(flow), "{c: [d, \"e\\n\" ]}");
  EXPECT_EQ(bytes(tree[flow].children[1]), "[d, \"e\\n\" ]");
  EXPECT_EQ(bytes(tree[root[3]].children[2]), "f");
  EXPECT_EQ(bytes(root[5]), "");
  EXPECT_EQ(tree[tree.root].begin, 3U);
}

TEST(YamlTree, EachNodeKnowsItsPlace) {
  const YamlTree tree = tree_of("a: 1\nb:\n- é: c\n");
  const YamlNode& root = tree[tree.root];
  EXPECT_EQ(root.place, (TextPlace{1, 1}));
  EXPECT_EQ(tree[root.children[1]].place, (TextPlace{1, 4}));
  EXPECT_EQ(tree[root.children[2]].place, (TextPlace{2, 1}));
  const YamlNode& list = tree[root.children[3]];
  EXPECT_EQ(list.place, (TextPlace{3, 1}));
  const YamlNode& inner = tree[list.children[0]];
  EXPECT_EQ(tree[inner.children[1]].place, (TextPlace{3, 6}));
}

TEST(YamlTree, WhatIsNoYamlIsRefusedWithItsPlace) {
  const struct {
    std::string text;
    TextPlace place;
    const char* what;
  } cases[] = {
      {"a: [b\n", {2, 1}, "closing bracket"},
      {"a: 1\n\tb: 2\n", {1, 4}, "this is not YAML: "},
      {std::string("a: \0", 4), {1, 4}, "NUL"},
      {"a: 1\nb: \xff", {2, 4}, "not UTF-8"},
      {"a: \x07", {1, 4}, "control character U+0007"},
      {"a: \x7f", {1, 4}, "control character U+007F"},
      {"a: \xC2\x80", {1, 4}, "control character U+0080"},
      {"a: \xEF\xBF\xBF", {1, 4}, "control character U+FFFF"},
      {"a: *b", {1, 4}, "'&b'"},
      {"a: &b [*b]", {1, 8}, "inside of itself"},
  };
  for (const auto& c : cases) {
    TextPlace place;
    const auto tree = YamlTree::parse(c.text, &place);
    ASSERT_FALSE(tree) << c.text;
    EXPECT_EQ(place, c.place) << c.text << ": " << tree.error().what;
    EXPECT_NE(tree.error().what.find(c.what), std::string::npos) << tree.error().what;
    const std::string start = fmt::format("line {}, column {}: ", c.place.line, c.place.column);
    EXPECT_TRUE(tree.error().what.starts_with(start)) << tree.error().what;
  }
  // These may stand.
  for (const char* text :
       {"a: \xC2\x85", "a: \xC2\xA0", "a: \xEF\xBF\xBD", "a: \t\"b\"", "a: 1\r\n"}) {
    EXPECT_TRUE(YamlTree::parse(text)) << text;
  }
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(YamlTree, EveryLimitIsReachedAndNotPassed) {
  EXPECT_TRUE(YamlTree::parse(nested(YamlTree::kMaxDepth)));
  EXPECT_FALSE(YamlTree::parse(nested(YamlTree::kMaxDepth + 1)));
  EXPECT_FALSE(YamlTree::parse(nested(100'000)));

  EXPECT_TRUE(YamlTree::parse("# " + std::string(YamlTree::kMaxText - 2, 'a')));
  EXPECT_FALSE(YamlTree::parse("# " + std::string(YamlTree::kMaxText - 1, 'a')));

  std::string many = "[";
  for (std::size_t i = 0; i + 1 < YamlTree::kMaxValues; ++i) many += "a,";
  EXPECT_TRUE(YamlTree::parse(many + "]"));
  EXPECT_FALSE(YamlTree::parse(many + "a]"));
}

TEST(YamlTree, AliasesMayNotStandForTooMuch) {
  // A list of 1 + 999 values; with itself it counts 1000, and the outer list 1 more.
  std::string text = "- &a [x";
  for (int i = 0; i < 998; ++i) text += ",x";
  text += "]\n";
  for (std::size_t i = 1; i < YamlTree::kMaxExpanded / 1000 - 1; ++i) text += "- *a\n";
  EXPECT_TRUE(YamlTree::parse(text));
  EXPECT_FALSE(YamlTree::parse(text + "- *a\n"));
  // Ten to the power of nine.
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format(
        "a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i, i - 1);
  }
  const auto tree = YamlTree::parse(bomb);
  ASSERT_FALSE(tree);
  EXPECT_NE(tree.error().what.find("aliases stand for more than 400000"), std::string::npos);
}

YamlScalar scalar(std::string_view text) {
  const YamlTree tree = tree_of(text);
  return tree.nodes.empty() ? YamlScalar(YamlBadTag{}) : resolve_scalar(tree[tree.root]);
}

TEST(YamlTree, ScalarsMeanWhatGoTakesThemFor) {
  using I = std::int64_t;
  const std::pair<const char*, YamlScalar> cases[] = {
      {"~", YamlNull{}},
      {"null", YamlNull{}},
      {"nulL", std::string("nulL")},
      {"yes", true},
      {"y", true},
      {"On", true},
      {"oN", std::string("oN")},
      {"FALSE", false},
      {"n", false},
      {"0", I{0}},
      {"17", I{17}},
      {"-17", I{-17}},
      {"+17", I{17}},
      {"010", I{8}},
      {"08", 8.0},
      {"0o17", I{15}},
      {"0x1F", I{31}},
      {"0b101", I{5}},
      {"0b102", std::string("0b102")},
      {"-0x10", I{-16}},
      {"1_000", I{1000}},
      {"0:1", std::string("0:1")},
      {"1.5", 1.5},
      {".5", 0.5},
      {"5.", 5.0},
      {"1e3", 1000.0},
      {"1e", std::string("1e")},
      {".", std::string(".")},
      {"+", std::string("+")},
      {"1.2.3", std::string("1.2.3")},
      {"2001-01-02", std::string("2001-01-02")},
      {"9223372036854775807", I{INT64_MAX}},
      {"9223372036854775808", std::uint64_t{1} << 63},
      {"-9223372036854775808", I{INT64_MIN}},
      {"18446744073709551615", UINT64_MAX},
      {"18446744073709551616", 18446744073709551616.0},
      {".inf", HUGE_VAL},
      {"-.inf", -HUGE_VAL},
      {"\"17\"", std::string("17")},
      {"'yes'", std::string("yes")},
      {"!!str 17", std::string("17")},
      {"!!int \"17\"", I{17}},
      {"!!int a", YamlBadTag{}},
      {"!!float 17", 17.0},
      {"!!bool yes", true},
      {"!!bool 1", YamlBadTag{}},
      {"!!null ''", YamlNull{}},
      {"!other 17", std::string("17")},
      {"! 17", std::string("17")},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(scalar(text), value) << text;
  EXPECT_TRUE(std::isnan(std::get<double>(scalar(".nan"))));
}

// The texts on the right are PyYAML's.
TEST(YamlTree, SingleQuotesAreWrittenTwiceAndLinesAreFolded) {
  const struct {
    const char* text;
    const char* means;
  } cases[] = {
      {"'it''s'", "it's"},
      {"''''", "'"},
      {"''''''''''''''''''''''", "''''''''''"},
      {"' a''  b '", " a'  b "},
      {"'a''b  \n   c'", "a'b c"},
      {"'a''\n\n \t\n  b\n  c '", "a'\n\nb c "},
      {"'a''b\r\n  c'", "a'b c"},
      {"'a'' \n'", "a' "},
      {"'\n ''a'", " 'a"},
  };
  for (const auto& [text, means] : cases) {
    const YamlTree tree = tree_of(fmt::format("- {}\n- end\n", text));
    EXPECT_EQ(tree[tree[tree.root].children[0]].text, means) << text;
  }
}

TEST(YamlTree, OnlyAPlainMergeKeyMerges) {
  const auto is_merge = [](const char* text) {
    const YamlTree tree = tree_of(text);
    return is_merge_key(tree[tree[tree.root].children[0]]);
  };
  EXPECT_TRUE(is_merge("<<: {}"));
  EXPECT_FALSE(is_merge("\"<<\": {}"));
  EXPECT_FALSE(is_merge("<: {}"));
  EXPECT_FALSE(is_merge("[]: {}"));
}

}  // namespace
}  // namespace estiva::format
