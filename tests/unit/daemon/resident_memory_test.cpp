// What is remembered of models across restarts: written and read back, and what is not ours.
#include "daemon/resident_memory.h"

#include <gtest/gtest.h>

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

TEST(ResidentMemory, AnEnginesNoteIsReadBack) {
  const EngineNote note{"container", "voices/f5tts", "l-000000000007", R"({"id":"abc"})"};
  const auto back = read_engine_note(to_text(note));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->engine, note.engine);
  EXPECT_EQ(back->container, note.container);
  EXPECT_EQ(back->lease, note.lease);
  EXPECT_EQ(back->record, note.record);
  EXPECT_FALSE(read_engine_note(""));
  EXPECT_FALSE(read_engine_note("not ours"));
  EXPECT_EQ(model_of_engine_note(engine_note("qwen2.5:7b/x")), "qwen2.5:7b/x");
  EXPECT_FALSE(model_of_engine_note("health"));
}

TEST(ResidentMemory, TheMedianIsOfTheLastNine) {
  Times times;
  EXPECT_FALSE(median_of(times));
  for (int i = 1; i <= 20; ++i) remember_time(times, std::chrono::seconds(i));
  EXPECT_EQ(times.size(), kTimesKept);
  EXPECT_EQ(median_of(times), Nanoseconds(16s));  // of 12 to 20
}

TEST(ResidentMemory, WhatWasLearnedIsReadBack) {
  LearnedModel learned;
  learned.footprint = "f";
  learned.peak = Bytes{3670016000};
  remember_time(learned.load, 300ms);
  remember_time(learned.unload, 20ms);
  remember_time(learned.wake, 5ms);
  remember_time(learned.sleep, 7ms);
  const LearnedModel back = read_learned(to_text(learned));
  EXPECT_EQ(back.footprint, "f");
  EXPECT_EQ(back.peak, learned.peak);
  EXPECT_EQ(back.load, learned.load);
  EXPECT_EQ(back.unload, learned.unload);
  EXPECT_EQ(back.wake, learned.wake);
  EXPECT_EQ(back.sleep, learned.sleep);
  EXPECT_EQ(read_learned("[1").peak, Bytes{});
}

TEST(ResidentMemory, WhatChangesAnEnginesNeedChangesItsFootprint) {
  ModelSpec spec;
  spec.command = {"serve", "--ctx", "4096"};
  const std::string first = footprint_of(spec, "1.0", "550");
  EXPECT_EQ(footprint_of(spec, "1.0", "550"), first);
  EXPECT_NE(footprint_of(spec, "1.1", "550"), first);
  EXPECT_NE(footprint_of(spec, "1.0", "570"), first);
  ModelSpec longer = spec;
  longer.command[2] = "8192";
  EXPECT_NE(footprint_of(longer, "1.0", "550"), first);
  ModelSpec glued = spec;  // the same letters, other words
  glued.command = {"serve--ctx", "4096"};
  EXPECT_NE(footprint_of(glued, "1.0", "550"), first);
  ModelSpec kept = spec;  // how it is treated changes nothing
  kept.policy = ResidencyPolicy::keep;
  EXPECT_EQ(footprint_of(kept, "1.0", "550"), first);
}

}  // namespace
}  // namespace estiva::daemon
