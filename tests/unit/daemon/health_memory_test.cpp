// What is written down of the GPUs' health comes back as it was, and nothing else does.
#include "daemon/health_memory.h"

#include <gtest/gtest.h>

#include "store/record.h"

namespace estiva::daemon {
namespace {

const std::string kBoot = "0a1b-boot";

XidMemory a_memory(unsigned code) {
  return {"0000:01:00", code, 7, 3, {1'000}, {9'000'000'000'000}, 1, true, 4242, "py\"thon\n"};
}

std::map<std::string, std::string> notes_of(std::vector<XidMemory> xids,
                                            std::uint64_t read_to = 99) {
  return {{kGpuNote, gpu_note({{"GPU-a", 0, "00000000:01:00.0"}, {"GPU-b", 7, ""}})},
          {kXidNote, xid_note(std::move(xids), read_to, kBoot)}};
}

TEST(HealthMemory, ComesBackAsItWas) {
  const HealthMemory memory = read_notes(notes_of({a_memory(48), a_memory(79)}), kBoot);
  EXPECT_EQ(memory.gpus,
            (std::vector<KnownGpu>{{"GPU-a", 0, "00000000:01:00.0"}, {"GPU-b", 7, ""}}));
  EXPECT_EQ(memory.xids, (std::vector<XidMemory>{a_memory(48), a_memory(79)}));
  EXPECT_EQ(memory.kernel_log_read, 99U);
}

TEST(HealthMemory, ARestartOfTheMachineEndsXidsAndKeepsTheGpus) {
  const HealthMemory memory = read_notes(notes_of({a_memory(48)}), "another-boot");
  EXPECT_EQ(memory.gpus.size(), 2U);
  EXPECT_TRUE(memory.xids.empty());
  EXPECT_EQ(memory.kernel_log_read, 0U);
}

TEST(HealthMemory, OfTooManyTheNewestFitIntoANote) {
  std::vector<XidMemory> many;
  for (unsigned i = 1; i <= 999; ++i) {
    XidMemory one = a_memory(i);
    one.last = {static_cast<std::int64_t>(i)};
    one.process = std::string(64, 'x');
    many.push_back(one);
  }
  const auto notes = notes_of(many);
  EXPECT_LE(notes.at(kXidNote).size(), store::kMaxText);
  const HealthMemory memory = read_notes(notes, kBoot);
  ASSERT_EQ(memory.xids.size(), 200U);
  EXPECT_EQ(memory.xids[0].code, 999U);
}

TEST(HealthMemory, DamageIsNoMemory) {
  for (const char* text :
       {"", "{", "[]", "null", R"({"gpus":7})", R"({"gpus":[1,{},{"device":5}]})",
        R"({"boot":"0a1b-boot","xids":{}})", R"({"boot":7})"}) {
    const HealthMemory memory = read_notes({{kGpuNote, text}, {kXidNote, text}}, kBoot);
    EXPECT_TRUE(memory.gpus.empty()) << text;
    EXPECT_TRUE(memory.xids.empty()) << text;
  }
  const HealthMemory odd = read_notes(
      {{kXidNote, R"({"boot":"0a1b-boot","kernel_log_read":-5,"xids":[{"slot":7,"code":-1,)"
                  R"("count":1e99,"pid":"x"},null]})"}},
      kBoot);
  ASSERT_EQ(odd.xids.size(), 1U);
  EXPECT_EQ(odd.xids[0].code, 0U);
  EXPECT_EQ(odd.kernel_log_read, 0U);
  EXPECT_TRUE(read_notes({}, kBoot).gpus.empty());
}

}  // namespace
}  // namespace estiva::daemon
