#include "cli/numbers.h"

#include <gtest/gtest.h>

#include "support.h"

namespace estiva::cli {
namespace {

using test::parse;
using Words = std::vector<std::string>;

Words assign(std::initializer_list<std::string> more) {
  Words words{"assign", "xtts"};
  words.insert(words.end(), more);
  return words;
}

struct Row {
  std::string what;
  Words words;
};
class BadNumber : public testing::TestWithParam<Row> {};

TEST_P(BadNumber, IsAUsageErrorBeforeAnyConnection) {
  const auto args = parse(GetParam().words);
  ASSERT_TRUE(args) << args.error().sentence();
  const auto wanted = wanted_of(*args, args->words[0]);
  ASSERT_FALSE(wanted) << GetParam().what << " was accepted";
  EXPECT_EQ(wanted.error().kind, ErrorKind::usage);
  EXPECT_FALSE(wanted.error().remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadNumber,
    testing::Values(
        Row{"comma", assign({"--vram", "3,5GB"})}, Row{"sign", assign({"--vram", "-1"})},
        Row{"exponent", assign({"--vram", "1e99"})}, Row{"bare number", assign({"--vram", "6"})},
        Row{"zero", assign({"--vram", "0GiB"})}, Row{"empty", assign({"--vram", ""})},
        Row{"words", assign({"--vram", "a lot"})},
        Row{"beyond 64 bits", assign({"--vram", "99999999999999999999GiB"})},
        Row{"fraction of a MiB count", assign({"--vram-mb", "1.5"})},
        Row{"MiB count with unit", assign({"--vram-mb", "3500MiB"})},
        Row{"negative MiB count", assign({"--vram-mb", "-5"})}, Row{"no size at all", assign({})},
        Row{"two sizes", assign({"--vram", "1GiB", "--vram-mb", "1"})},
        Row{"no GPUs", assign({"--vram", "1GiB", "--gpus", "0"})},
        Row{"GPUs that are no number", assign({"--vram", "1GiB", "--gpus", "two"})},
        Row{"one GPU named for two", assign({"--vram", "1GiB", "--gpus", "2", "--gpu", "0"})},
        Row{"pid 0", assign({"--vram", "1GiB", "--pid", "0"})},
        Row{"pid that is no number", assign({"--vram", "1GiB", "--pid", "me"})},
        Row{"empty name", {"assign", "", "--vram", "1GiB"}},
        Row{"newline in a name", {"assign", "a\nb", "--vram", "1GiB"}},
        Row{"bad UTF-8 in a name", {"assign", "a\xff", "--vram", "1GiB"}},
        Row{"endless name", {"assign", std::string(257, 'a'), "--vram", "1GiB"}}));

TEST(Wanted, BecomesTheRequestOfTheApi) {
  const auto args =
      parse(assign({"--vram", "3500MiB", "--gpu", "GPU-1", "--policy", "pack", "--pid", "7"}));
  ASSERT_TRUE(args);
  const auto wanted = wanted_of(*args, "xtts");
  ASSERT_TRUE(wanted) << wanted.error().sentence();
  EXPECT_EQ(to_json(*wanted),
            R"({"model":"xtts","vram_bytes":3670016000,"gpu":"GPU-1","policy":"pack","pid":7})");
}

TEST(Wanted, LeavesOutWhatTheDaemonShouldChoose) {
  const auto args = parse(assign({"--vram-mb", "1"}));
  ASSERT_TRUE(args);
  EXPECT_EQ(to_json(*wanted_of(*args, "a\"b")),
            R"({"model":"a\"b","vram_bytes":1048576,"gpu":"auto"})");
}

TEST(Times, HaveUnitsAndLimits) {
  const auto args = parse({"run", "--vram", "1GiB", "--wait", "1500ms", "--", "true"});
  ASSERT_TRUE(args);
  EXPECT_EQ(*time_of(*args, "--wait", {}), std::chrono::milliseconds(1500));
  const auto wrong = parse({"status", "--interval", "1ms", "--seconds", "-3"});
  ASSERT_TRUE(wrong);
  EXPECT_FALSE(time_of(*wrong, "--interval", {}, std::chrono::milliseconds(50)));
  EXPECT_FALSE(time_of(*wrong, "--seconds", {}));
}

}  // namespace
}  // namespace estiva::cli
