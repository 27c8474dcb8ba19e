// Scenario texts: what is understood, and where a mistake is said to be.
#include "sim/core/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::sim {
namespace {

using ::testing::HasSubstr;

struct Mistake {
  const char* name;
  const char* text;
  int line, column;
  const char* says;
};

class Malformed : public ::testing::TestWithParam<Mistake> {};

TEST_P(Malformed, SaysWhereAndWhat) {
  const ParsedScenario parsed = parse_scenario(GetParam().text);
  ASSERT_TRUE(parsed.problem.has_value());
  EXPECT_EQ(parsed.problem->line, GetParam().line);
  EXPECT_EQ(parsed.problem->column, GetParam().column);
  EXPECT_THAT(parsed.problem->what, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Scenario, Malformed,
    ::testing::Values(
        Mistake{"Empty", "", 1, 1, "names no card"},
        Mistake{"UnknownCard", "gpu rtx999\n", 1, 5, "unknown card 'rtx999'"},
        Mistake{"UnknownCommand", "gpu gb10\nexplode 0\n", 2, 1, "not a command"},
        Mistake{"CardThatIsNotThere", "gpu gb10\nlose 1\n", 2, 6, "there is no card 1"},
        Mistake{"SizeWithComma", "gpu gb10\nalloc 5 0 3,5GB\n", 2, 11, "a size is a number"},
        Mistake{"NegativeSize", "gpu gb10\nalloc 5 0 -1\n", 2, 11, "not a size"},
        Mistake{"HugeSize", "gpu gb10\nalloc 5 0 1e99\n", 2, 11, "a size is a number"},
        Mistake{"BigSize", "gpu gb10\nalloc 5 0 999999TiB\n", 2, 11, "up to 1 PB"},
        Mistake{"TimeWithoutUnit", "gpu gb10\nat 5 lose 0\n", 2, 4, "a time is a number"},
        Mistake{"OpenQuote", "gpu gb10\nprocess 5 gpu 0 name \"x\n", 2, 22, "quote"},
        Mistake{"TooMuch", "gpu gb10 gb10\n", 1, 10, "unexpected word 'gb10'"},
        Mistake{"PercentAbove100", "gpu gb10\nload 0 101\n", 2, 8, "from 0 to 100"},
        Mistake{"PidZero", "gpu gb10\nexit 0\n", 2, 6, "not a process number"},
        Mistake{"SixtyFiveCards", "gpu gb10 times 64\ngpu gb10\n", 2, 5, "at most 64"},
        Mistake{"CardWithTime", "gpu gb10\nat 5s gpu gb10\n", 2, 7, "can't be given a time"},
        Mistake{"UnknownFunction", "gpu gb10\nfault nvmlNothing hang\n", 2, 7, "NVML function"},
        Mistake{"FaultWithoutKind", "gpu gb10\nfault all\n", 2, 10, "expected latency"},
        Mistake{"RepeatAtOnce", "gpu gb10\nrepeat 0s\n", 2, 8, "1ms"},
        Mistake{"NamedTwice", "gpu gb10 times 2\nrenumber 0 0\n", 2, 12, "twice"},
        Mistake{"VersionWithLetters", "gpu gb10\nupgrade latest\n", 2, 9, "driver version"},
        Mistake{"ControlCharacter", "gpu gb10\nexit 5\x01\n", 2, 6, "control character"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Scenario, MistakesNameTheFile) {
  const LoadedScenario loaded = load_scenario("/does/not/exist.scenario");
  EXPECT_THAT(loaded.error, HasSubstr("neither a file (No such file or directory) nor built in"));
  EXPECT_EQ((Problem{3, 9, "x"}.sentence("a.scenario")), "a.scenario:3:9: x");
}

TEST(Scenario, LongLinesAndFilesAreRefused) {
  EXPECT_TRUE(parse_scenario(std::string(kMaxScenarioBytes + 1, '#')).problem.has_value());
  EXPECT_TRUE(parse_scenario("gpu gb10\n#" + std::string(kMaxLineBytes, 'x')).problem.has_value());
}

TEST(Scenario, EventsAreOrderedByTimeAndThenByLine) {
  const ParsedScenario parsed =
      parse_scenario("gpu gb10\nat 5s lose 0\nat 1s load 0 10\nat 5s recover 0\nload 0 3\n");
  ASSERT_FALSE(parsed.problem.has_value());
  const auto& events = parsed.scenario.events;
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].command.verb, Verb::load);
  EXPECT_EQ(events[0].at_ns, 0);
  EXPECT_EQ(events[1].at_ns, 1'000'000'000);
  EXPECT_EQ(events[2].command.verb, Verb::lose);
  EXPECT_EQ(events[3].command.verb, Verb::recover);
}

TEST(Scenario, ReadsEveryPartOfACard) {
  const ParsedScenario parsed = parse_scenario(
      "driver 560.35.03\ncuda 12.6\ngpu gtx1050ti-4g uuid GPU-x serial 7 bus 0001:3b:00.0 "
      "may-sleep\n");
  ASSERT_FALSE(parsed.problem.has_value()) << parsed.problem->sentence("text");
  EXPECT_EQ(parsed.scenario.driver, "560.35.03");
  EXPECT_EQ(parsed.scenario.cuda, 12060u);
  const CardChoice& card = parsed.scenario.cards.at(0);
  EXPECT_EQ(card.uuid, "GPU-x");
  EXPECT_EQ(card.bus_id, "0001:3b:00");
  EXPECT_TRUE(card.may_sleep);
}

TEST(Scenario, FunctionsMayBeNamedInShort) {
  const ParsedCommand whole = parse_command("fault nvmlDeviceGetPowerUsage error 3", 1);
  const ParsedCommand brief = parse_command("fault PowerUsage error 3 after 2 times 5", 1);
  ASSERT_FALSE(whole.problem || brief.problem);
  EXPECT_EQ(whole.command.function, brief.command.function);
  EXPECT_EQ(brief.command.after, 2u);
  EXPECT_EQ(brief.command.times, 5u);
}

TEST(Scenario, EveryBuiltInOneIsWellFormed) {
  for (std::string_view name : builtin_names()) {
    const LoadedScenario loaded = load_scenario(std::string(name));
    EXPECT_EQ(loaded.error, "") << name;
    EXPECT_EQ(loaded.scenario.name, name);
  }
}

}  // namespace
}  // namespace estiva::sim
