// Random Compose files against what their maker says they must become, to the byte; and broken
// ones, which must come to no harm. 10^4 in the ordinary suite, 10^6 with ESTIVA_LONG=1;
// ESTIVA_SEED=N replays file N alone.
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "format/compose_to_cdi.h"
#include "property/compose_maker.h"

namespace estiva::property {
namespace {

using format::ComposeAsk;

constexpr std::uint64_t kFirstSeed = 20261130;
constexpr std::uint64_t kOrdinary = 10'000, kLong = 1'000'000;
constexpr int kShards = 4;

template <class Told>
std::vector<std::string> services(const std::vector<Told>& told) {
  std::vector<std::string> names;
  for (const Told& one : told) names.push_back(one.service);
  return names;
}

std::string judge(const ComposeCase& made) {
  const auto result = format::compose_to_cdi(made.before, ComposeAsk::legacy);
  if (!result) return result.error().what;
  for (const auto& one : result->refusals) {
    if (!one.why.starts_with("line ")) return "a refusal without a place";
    if (one.why.find("error of estiva") != one.why.npos) return one.service + ": " + one.why;
  }
  if (services(result->refusals) != made.refused) {
    std::string all;
    for (const auto& one : result->refusals) all += one.service + ": " + one.why + "\n";
    return "other services are refused: " + all;
  }
  if (services(result->changes) != made.changed) return "other services are changed";
  if (result->text != made.after) return "another text:\n" + result->text;
  const auto again = format::compose_to_cdi(result->text, ComposeAsk::legacy);
  return again && again->changes.empty() ? "" : "twice is not once";
}

// Of a file with some bytes of it lost, doubled or exchanged: an answer, and no other text where
// nothing is said to have changed.
std::string judge_broken(std::string text, std::mt19937_64& random) {
  for (int n = 0; n < 3; ++n) {
    const std::size_t at = random() % text.size(), size = random() % 40;
    switch (random() % 3) {
      case 0:
        text.erase(at, size);
        break;
      case 1:
        text.insert(at, text.substr(random() % text.size(), size));
        break;
      default:
        text[at] = " :-{}[],#&*\n\t\"'"[random() % 15];
    }
    if (text.empty()) return "";
  }
  const auto result = format::compose_to_cdi(text, ComposeAsk::legacy);
  if (!result) return result.error().what.empty() ? "an error without words" : "";
  if (result->changes.empty() != (result->text == text))
    return "a change that was not told\n" + text;
  return "";
}

class ComposeFiles : public testing::TestWithParam<int> {};

TEST_P(ComposeFiles, ChangeOnlyWhereTheyAskForAGpu) {
  const char* replay = std::getenv("ESTIVA_SEED");
  if (replay && GetParam() > 0) GTEST_SKIP() << "ESTIVA_SEED replays one file, in shard 0";
  const std::uint64_t count =
      replay ? 1 : (std::getenv("ESTIVA_LONG") ? kLong : kOrdinary) / kShards;
  const std::uint64_t first = replay ? std::strtoull(replay, nullptr, 10)
                                     : kFirstSeed + count * static_cast<std::uint64_t>(GetParam());
  std::uint64_t changed = 0, refused = 0, bytes = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const ComposeCase made = ComposeMaker(seed).make();
    const std::string wrong = judge(made);
    ASSERT_TRUE(wrong.empty()) << "replay with ESTIVA_SEED=" << seed << "\n"
                               << wrong << "\n--- before:\n"
                               << made.before << "\n--- wanted:\n"
                               << made.after;
    std::mt19937_64 random(seed);
    const std::string harm = judge_broken(made.before, random);
    ASSERT_TRUE(harm.empty()) << "replay with ESTIVA_SEED=" << seed << "\n" << harm;
    changed += made.changed.size();
    refused += made.refused.size();
    bytes += made.before.size();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{} files from seed {}, {} bytes, as many broken ones: {} services rewritten, {} refused; "
      "{:.1f} s\n",
      count, first, bytes, changed, refused, took.count());
  if (!replay) {
    EXPECT_GT(changed, count / 2);
    EXPECT_GT(refused, count / 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, ComposeFiles, testing::Range(0, kShards));

}  // namespace
}  // namespace estiva::property
