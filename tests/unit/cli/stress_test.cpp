// Stress: what counts as a swap, an error, and memory that came back; on a machine made up here.
#include "cli/stress.h"

#include <gtest/gtest.h>

namespace estiva::cli {
namespace {

using namespace std::chrono_literals;

// A GPU that holds one model at a time; every request to another one is a load.
struct Machine {
  std::string in;
  std::map<std::string, std::uint64_t> starts, ooms;
  std::uint64_t used = 0, leak = 0;
  int rounds = 0;
  bool fails_second = false;
  std::vector<std::string> asked;

  StressMachine machine() {
    StressMachine out;
    out.request = [this](const std::string& model) -> Result<void> {
      asked.push_back(model);
      if (fails_second && asked.size() == 2) return fail("answered 500: no");
      if (in != model) ++starts[model];
      in = model;
      used = 1000ULL << 20;
      return {};
    };
    out.models = [this]() -> Result<ModelsDocument> {
      ModelsDocument document;
      for (const char* name : {"a", "b"}) {
        ModelRow row;
        row.name = name;
        row.starts = starts[name];
        row.ooms = ooms[name];
        document.models.push_back(row);
      }
      return document;
    };
    out.used_vram = [this]() -> Result<std::uint64_t> { return used; };
    out.unload = [this](const std::string&) -> Result<void> {
      in.clear();
      if (rounds > 0) used = leak;
      return {};
    };
    out.is_over = [this] { return ++rounds >= 3; };
    return out;
  }
};

TEST(Stress, ModelsAreAskedInTurnAndEachLoadIsASwap) {
  Machine fake;
  const auto report = stress({"a", "b"}, fake.machine(), 1ms);
  ASSERT_TRUE(report);
  EXPECT_EQ(fake.asked, (std::vector<std::string>{"a", "b", "a", "b", "a", "b"}));
  EXPECT_EQ(report->models.at("a").requests, 3U);
  EXPECT_EQ(report->models.at("a").swaps.size(), 3U);
  EXPECT_EQ(report->vram_peak, 1000ULL << 20);
  EXPECT_TRUE(report->has_returned);
  EXPECT_TRUE(report->is_clean());
}

TEST(Stress, AModelThatStaysIsNoSwap) {
  Machine fake;
  const auto report = stress({"a"}, fake.machine(), 1ms);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->models.at("a").swaps.size(), 1U);
}

TEST(Stress, AnErrorOrMemoryThatStaysIsNoCleanRun) {
  Machine failing;
  failing.fails_second = true;
  const auto failed = stress({"a", "b"}, failing.machine(), 1ms);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->models.at("b").errors, 1U);
  EXPECT_EQ(failed->models.at("b").swaps.size(), 2U);
  EXPECT_FALSE(failed->is_clean());
  EXPECT_NE(stress_page(*failed).find("b: answered 500: no"), std::string::npos)
      << stress_page(*failed);

  Machine leaking;
  leaking.leak = 200ULL << 20;
  const auto leaked = stress({"a"}, leaking.machine(), 1ms);
  ASSERT_TRUE(leaked);
  EXPECT_FALSE(leaked->has_returned);
  EXPECT_FALSE(leaked->is_clean());
  EXPECT_NE(stress_page(*leaked).find("not all of it came back"), std::string::npos);
}

TEST(Stress, OutOfMemoryIsCountedFromTheDaemonsFigures) {
  Machine fake;
  StressMachine machine = fake.machine();
  machine.request = [&fake](const std::string& model) -> Result<void> {
    ++fake.ooms[model];
    return {};
  };
  const auto report = stress({"a"}, machine, 1ms);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->models.at("a").ooms, 3U);
  EXPECT_FALSE(report->is_clean());
}

}  // namespace
}  // namespace estiva::cli
