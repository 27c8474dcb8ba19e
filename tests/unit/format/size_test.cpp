#include "format/size.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace estiva::format {
namespace {

using namespace std::chrono_literals;

TEST(Size, WhatPeopleWrite) {
  const std::vector<std::pair<std::string_view, std::uint64_t>> cases = {
      {"3500MiB", 3'670'016'000},
      {"3.5GiB", 3'758'096'384},
      {"3.5GB", 3'500'000'000},
      {"0.5 TiB", 549'755'813'888},
      {"1b", 1},
      {"  24gib ", 25'769'803'776},
      {"1KB", 1000},
      {"1.0009765625KiB", 1025},
      {"1.9B", 1},
      {"8192PiB", 9'223'372'036'854'775'808u},
      {"007MB", 7'000'000},
  };
  for (const auto& [text, bytes] : cases) {
    const auto size = parse_size(text);
    ASSERT_TRUE(size) << text << ": " << size.error().sentence();
    EXPECT_EQ(size->value, bytes) << text;
  }
}

TEST(Size, WrongOnesAreUsageErrorsThatSayWhatIsAccepted) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"3,5GB", "comma"},
      {"-1", "negative"},
      {"-1GiB", "negative"},
      {"1e99", "unit that is not known"},
      {"1e99GB", "unit that is not known"},
      {"", "no size"},
      {"   ", "no size"},
      {"NaN", "not a size"},
      {"inf", "not a size"},
      {"3500", "without a unit"},
      {"99999999999999999999", "8 EiB"},
      {"8193PiB", "8 EiB"},
      {"18446744073709551615PiB", "8 EiB"},
      {"0GiB", "less than one byte"},
      {"0.4B", "less than one byte"},
      {"3G", "unit that is not known"},
      {".5GiB", "not a size"},
      {"5.GiB", "not a size"},
      {"1.2.3GiB", "not a size"},
      {"+1GiB", "not a size"},
      {"0x10MiB", "unit that is not known"},
      {"1GiB1GiB", "unit that is not known"},
      {"1.0000000000000000001GiB", "not a size"},
  };
  for (const auto& [text, part] : cases) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().kind, ErrorKind::usage) << text;
    EXPECT_NE(size.error().what.find(part), std::string::npos)
        << text << " -> " << size.error().what;
    EXPECT_FALSE(size.error().remedy.empty()) << text;
  }
  EXPECT_EQ(parse_size("3500").error().remedy, "Write the unit after it, for example 3500MiB");
}

TEST(Size, HostileTextIsQuotedHarmlessly) {
  const auto size = parse_size("1\x1b[31mGiB\n" + std::string(10000, 'x'));
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().what.find('\x1b'), std::string::npos);
  EXPECT_LT(size.error().what.size(), 200u);
}

TEST(Size, ZeroWhereItMeansNone) {
  EXPECT_EQ(parse_size_or_zero("0")->value, 0u);
  EXPECT_EQ(parse_size_or_zero("0MiB")->value, 0u);
  EXPECT_EQ(parse_size_or_zero("1MiB"), mib(1));
  EXPECT_FALSE(parse_size_or_zero("1"));
}

TEST(Size, MibCountTakesDigitsOnly) {
  EXPECT_EQ(parse_mib_count("3500"), mib(3500));
  for (const auto text :
       {"", "0", "-1", "3.5", "3500MiB", " 1", "1e3", "8796093022209", "99999999999999999999"}) {
    EXPECT_FALSE(parse_mib_count(text)) << text;
  }
}

TEST(Size, EveryAmountSurvivesTheRoundTrip) {
  EXPECT_TRUE(rc::check([](std::uint64_t any) {
    const Bytes bytes{any % (std::uint64_t{1} << 63) + 1};
    const auto back = parse_size(format_size(bytes));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == bytes);
  }));
}

TEST(Size, AnyTextGivesAValueOrASentence) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    const auto size = parse_size(text);
    RC_ASSERT(size.has_value() || !size.error().what.empty());
  }));
}

TEST(Duration, WhatPeopleWrite) {
  const std::vector<std::pair<std::string_view, std::chrono::nanoseconds>> cases = {
      {"5s", 5s},      {"2h", 2h},      {"250ms", 250ms},  {"1m30s", 90s},
      {"1.5h", 90min}, {"0s", 0s},      {"10us", 10us},    {"1d2h3m4s5ms6us", 93784s + 5006us},
      {" 1s ", 1s},    {"0.5s", 500ms}, {"3650d", 87600h},
  };
  for (const auto& [text, span] : cases) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text << ": " << duration.error().sentence();
    EXPECT_EQ(*duration, span) << text;
  }
}

TEST(Duration, WrongOnesAreUsageErrors) {
  for (const auto text : {"", "5", "-5s", "1s1m", "1s1s", "s", "1 s 2", "5sec", "1e3s", "3651d",
                          "NaN", "99999999999999999999s", "1m,30s", "5S"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().kind, ErrorKind::usage);
  }
  EXPECT_EQ(parse_duration("5").error().remedy, "Write the unit after it, for example 5s");
}

TEST(Duration, SecondsTakeABareNumberToo) {
  EXPECT_EQ(*parse_seconds("30"), 30s);
  EXPECT_EQ(*parse_seconds("0.5"), 500ms);
  EXPECT_EQ(*parse_seconds("1m30s"), 90s);
  EXPECT_FALSE(parse_seconds("-1"));
  EXPECT_FALSE(parse_seconds("1e9"));
  EXPECT_FALSE(parse_seconds("999999999999"));
}

TEST(Duration, WholeMicrosecondsSurviveTheRoundTrip) {
  EXPECT_TRUE(rc::check([](std::uint64_t any) {
    const std::chrono::nanoseconds span(static_cast<std::int64_t>(any % 315'360'000'000'000) *
                                        1000);
    const auto back = parse_duration(format_duration(span));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == span);
  }));
}

}  // namespace
}  // namespace estiva::format
