// Bad input: each row is a command line that must end with a usage error before anything else.
#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "support.h"

namespace estiva::cli {
namespace {

using test::parse;
using Words = std::vector<std::string>;

struct BadRow {
  std::string what;
  Words words;
  std::string says;  // part of the sentence
};

// Tests are named after their row.
std::string name_of(const testing::TestParamInfo<BadRow>& row) {
  std::string name = row.param.what;
  for (char& c : name)
    if (c == ' ') c = '_';
  return name;
}

TEST(Arguments, AFlagThatRepeatsKeepsEachValue) {
  const auto args = parse({"doctor", "--compose", "a.yaml", "--json", "--compose=b.yaml"});
  ASSERT_TRUE(args) << args.error().sentence();
  EXPECT_EQ(args->values("--compose"), (Words{"a.yaml", "b.yaml"}));
  EXPECT_TRUE(args->has("--json"));
  EXPECT_TRUE(args->values("--docker").empty());
  EXPECT_FALSE(parse({"doctor", "--compose"}));
  EXPECT_FALSE(parse({"doctor", "--compose", "a.yaml", "b.yaml"}));
}

class BadInput : public testing::TestWithParam<BadRow> {};

TEST_P(BadInput, IsAUsageErrorWithARemedy) {
  const auto args = parse(GetParam().words);
  ASSERT_FALSE(args) << "accepted";
  EXPECT_EQ(args.error().kind, ErrorKind::usage);
  EXPECT_NE(args.error().sentence().find(GetParam().says), std::string::npos)
      << args.error().sentence();
  EXPECT_FALSE(args.error().remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadInput,
    testing::Values(
        BadRow{"no verb", {}, "No verb"}, BadRow{"unknown verb", {"frobnicate"}, "no verb"},
        BadRow{"misspelt verb", {"asign"}, "Did you mean 'assign'?"},
        BadRow{"verb in capitals", {"GPUS"}, "Did you mean 'gpu'?"},
        BadRow{"empty verb", {""}, "no verb ''"},
        BadRow{"control characters in a verb", {"\x1b[2J"}, "\\x1b"},
        BadRow{"unknown flag", {"gpu", "--colour"}, "no option '--colour'"},
        BadRow{
            "misspelt action", {"setup", "statsu"}, "Did you mean 'status'? Choose one of: plan"},
        BadRow{"action with a letter too few", {"cdi", "lst"}, "Did you mean 'list'?"},
        BadRow{"flag that is near to none", {"status", "--foo"}, "'estiva help status'"},
        BadRow{"misspelt flag", {"assign", "x", "--varm", "1GiB"}, "Did you mean '--vram'?"},
        BadRow{"misspelt flag with a value", {"assign", "x", "--varm=1GiB"}, "'--vram'?"},
        BadRow{"short flag that is none", {"gpu", "-x"}, "no option '-x'"},
        BadRow{"flag without its value", {"assign", "x", "--vram"}, "--vram needs a value"},
        BadRow{"flag twice",
               {"assign", "x", "--vram", "1GiB", "--vram", "2GiB"},
               "--vram is given more"},
        BadRow{"value for a switch", {"gpu", "--json=maybe"}, "--json takes no value"},
        BadRow{"missing name", {"assign", "--vram", "1GiB"}, "needs NAME"},
        BadRow{"missing names", {"release"}, "needs NAME"},
        BadRow{"a name too many", {"assign", "a", "b", "--vram", "1GiB"}, "does not take 'b'"},
        BadRow{"words for a verb without", {"leases", "all"}, "does not take 'all'"},
        BadRow{"unknown policy", {"assign", "a", "--policy", "random"}, "least-utilized"},
        BadRow{"unknown shell", {"completion", "tcsh"}, "bash, zsh, fish"},
        BadRow{"no command to run", {"run", "--vram", "1GiB"}, "needs a command"},
        BadRow{"a command without the dashes", {"run", "--vram", "1GiB", "ls"}, "after '--'"},
        BadRow{"no command after the dashes", {"run", "--vram", "1GiB", "--"}, "needs a command"},
        BadRow{"command for a verb without", {"gpu", "--", "ls"}, "takes nothing after"}),
    name_of);

TEST(Arguments, FlagsMayStandBeforeAndAfterWords) {
  for (const Words& words :
       {Words{"assign", "a", "--vram", "1GiB"}, Words{"assign", "--vram=1GiB", "a"}}) {
    const auto args = parse(words);
    ASSERT_TRUE(args) << args.error().sentence();
    EXPECT_EQ(args->words, Words{"a"});
    EXPECT_EQ(args->value("--vram"), "1GiB");
    EXPECT_FALSE(args->has("--json"));
  }
}

TEST(Arguments, NegativeSizeReachesTheSizeParser) {
  const auto args = parse({"assign", "a", "--vram", "-1"});
  ASSERT_TRUE(args) << args.error().sentence();
  EXPECT_EQ(args->value("--vram"), "-1");
}

TEST(Arguments, AFlagMayHaveALetterToo) {
  for (const char* word : {"--once", "-1"}) {
    const auto args = parse({"top", word});
    ASSERT_TRUE(args) << args.error().sentence();
    EXPECT_TRUE(args->has("--once"));
  }
}

TEST(Arguments, CommandOfRunIsTakenVerbatim) {
  const auto args = parse({"run", "--vram", "1GiB", "--", "echo", "--json", "--", "-h"});
  ASSERT_TRUE(args) << args.error().sentence();
  EXPECT_EQ(args->command, (Words{"echo", "--json", "--", "-h"}));
  EXPECT_FALSE(args->has("--json"));
}

TEST(Arguments, ScenarioIsOptional) {
  const auto bare = parse({"daemon", "--simulate"});
  ASSERT_TRUE(bare) << bare.error().sentence();
  EXPECT_TRUE(bare->has("--simulate"));
  EXPECT_EQ(bare->value("--simulate"), "");
  const auto named = parse({"daemon", "--simulate", "laptop-4gb", "--listen", "off"});
  ASSERT_TRUE(named) << named.error().sentence();
  EXPECT_EQ(named->value("--simulate"), "laptop-4gb");
  EXPECT_EQ(named->value("--listen"), "off");
}

TEST(Arguments, HelpNeedsNothingElse) {
  for (const Verb& verb : all_verbs()) {
    const auto args = parse({std::string(verb.name), "--help"});
    ASSERT_TRUE(args) << verb.name << ": " << args.error().sentence();
    EXPECT_TRUE(args->wants_help);
  }
  EXPECT_EQ(parse({"--help"})->verb->name, "help");
  EXPECT_EQ(parse({"--version"})->verb->name, "version");
}

TEST(Arguments, EveryVerbHasHelpThatNamesItsFlags) {
  for (const Verb& verb : all_verbs()) {
    const std::string text = help_text(verb);
    for (const Flag& flag : verb.flags) {
      EXPECT_NE(text.find(flag.name), std::string::npos) << verb.name << " " << flag.name;
      EXPECT_FALSE(flag.help.empty()) << verb.name << " " << flag.name;
    }
    EXPECT_NE(help_text(all_verbs()).find(verb.summary), std::string::npos) << verb.name;
  }
}

}  // namespace
}  // namespace estiva::cli
