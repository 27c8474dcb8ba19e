// What the sensor says arrives as it was; what makes no sense is refused.
#include "gpu/wire.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

#include "gpu/recording.h"

namespace estiva::gpu {
namespace {

Gpu some_gpu(unsigned i) {
  Gpu gpu;
  gpu.identity.id.uuid = "GPU-" + std::to_string(i);
  gpu.identity.index = i;
  gpu.identity.name = "A GPU";
  gpu.identity.slowdown_at = Celsius{95};
  gpu.sample.read_at = {123456789};
  gpu.sample.memory = GpuMemory{gib(24), gib(3), gib(20), gib(1), true};
  gpu.sample.utilization = Ratio{0.25};
  gpu.sample.power = Missing::not_permitted;
  gpu.sample.fan = Missing::not_supported;
  gpu.sample.pcie_replays = std::uint64_t{7};
  gpu.identity.memory_max = Celsius{105};
  gpu.identity.gpu_instance = 7U;
  gpu.identity.compute_instance = i;
  gpu.wear.read_at = {123456000 + i};
  gpu.wear.remap_pending = 1U;
  gpu.wear.nvlink_errors = std::uint64_t{1} << 40;
  gpu.wear.fabric_error = Missing::not_supported;
  gpu.sample.processes = std::vector<GpuProcess>{
      {static_cast<pid_t>(100 + i), gib(2), true, false, false, Ratio{0.5}, "ollama"},
      {static_cast<pid_t>(200 + i), Missing::not_supported, false, true, false, Missing::no_sample,
       ""}};
  return gpu;
}

std::vector<Gpu> machine(unsigned n) {
  std::vector<Gpu> gpus;
  for (unsigned i = 0; i < n; ++i) gpus.push_back(some_gpu(i));
  return gpus;
}

Assembler::Outcome deliver(const Outbox& outbox, Assembler& assembler) {
  auto last = Assembler::Outcome::more;
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    EXPECT_LE(outbox.message(i).size(), kMaxMessage);
    last = assembler.take(outbox.message(i));
    if (last == Assembler::Outcome::malformed) return last;
  }
  return last;
}

TEST(Wire, AnAnswerArrivesAsItWas) {
  DriverStatus driver;
  driver.state = DriverState::partial;
  driver.version = "550.163.01";
  driver.cuda_version = 12040U;
  driver.reason = "one is lost";
  const auto gpus = machine(3);
  Outbox outbox;
  outbox.add_hello(42);
  outbox.add_state(9, driver);
  outbox.add_inventory(9, gpus);
  outbox.add_samples(9, gpus, true);
  outbox.add_wear(9, gpus);
  outbox.add_done(9, {});
  Assembler assembler;
  EXPECT_EQ(deliver(outbox, assembler), Assembler::Outcome::done);
  EXPECT_EQ(assembler.driver(), driver);
  EXPECT_EQ(assembler.gpus(), gpus);
  EXPECT_EQ(assembler.done_id(), 9U);
}

TEST(Wire, XidsArriveAtAnyTimeAndChangeNothingElse) {
  XidReport first, second;
  first.slot = "0000:01:00";
  first.code = 79;
  first.at = {1234};
  second.slot = "ffff:ff:1f";
  second.code = kMaxXid;
  second.count = 10'000;
  second.at = {5678};
  const auto gpus = machine(2);
  Outbox answer, unasked;
  answer.add_inventory(9, gpus);
  answer.add_samples(9, gpus, true);
  unasked.add_xids({first, second});
  Assembler assembler;
  EXPECT_EQ(assembler.take(answer.message(0)), Assembler::Outcome::more);
  ASSERT_EQ(deliver(unasked, assembler), Assembler::Outcome::xids);
  EXPECT_EQ(assembler.xids(), (std::vector<XidReport>{first, second}));
  for (std::size_t i = 1; i < answer.size(); ++i) assembler.take(answer.message(i));
  EXPECT_EQ(assembler.gpus()[1].sample, gpus[1].sample);
}

TEST(Wire, XidsThatMakeNoSenseAreRefused) {
  XidReport good;
  good.slot = "0000:01:00";
  good.code = 79;
  const auto refused = [](const XidReport& report) {
    Outbox outbox;
    outbox.add_xids({report});
    Assembler assembler;
    return deliver(outbox, assembler) == Assembler::Outcome::malformed;
  };
  EXPECT_FALSE(refused(good));
  for (const char* slot : {"", "01:00", "0000:01:00.0", "0000:01:00 extra", "00000000:01:00"}) {
    XidReport bad = good;
    bad.slot = slot;
    EXPECT_TRUE(refused(bad)) << slot;
  }
  XidReport bad = good;
  bad.code = 0;
  EXPECT_TRUE(refused(bad));
  bad.code = kMaxXid + 1;
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.count = 0;
  EXPECT_TRUE(refused(bad));
}

TEST(Wire, WhatTheTiersTookArrivesToTheMicrosecond) {
  TierCosts costs{};
  costs[0] = std::chrono::microseconds(8);
  costs[kTierCount - 1] = std::chrono::nanoseconds(2'887'560);
  costs[1] = std::chrono::hours(2);  // more than the row can say
  Outbox outbox;
  outbox.add_done(7, costs);
  Assembler assembler;
  ASSERT_EQ(deliver(outbox, assembler), Assembler::Outcome::done);
  EXPECT_EQ(assembler.costs()[0], costs[0]);
  EXPECT_EQ(assembler.costs()[kTierCount - 1], std::chrono::microseconds(2887));
  EXPECT_EQ(assembler.costs()[1], std::chrono::microseconds(UINT32_MAX));
  EXPECT_EQ(assembler.costs()[2], Nanoseconds(0));
}

TEST(Wire, AListThatDoesNotFitIsUnknownAndNotCut) {
  auto gpus = machine(3);
  gpus[1].sample.processes =
      std::vector<GpuProcess>(kMaxProcesses - 2, gpus[1].sample.processes->front());
  Outbox outbox;
  outbox.add_inventory(1, gpus);
  outbox.add_samples(1, gpus, true);
  outbox.add_done(1, {});
  Assembler assembler;
  ASSERT_EQ(deliver(outbox, assembler), Assembler::Outcome::done);
  EXPECT_EQ(assembler.gpus()[0].sample.processes->size(), 2U);
  EXPECT_EQ(assembler.gpus()[1].sample.processes->size(), kMaxProcesses - 2);
  EXPECT_EQ(assembler.gpus()[2].sample.processes.why(), Missing::failed)
      << "a process that was left out would be taken for one that ended";
}

TEST(Wire, AnAnswerThatBreaksOffLeavesNoEmptyLists) {
  const auto gpus = machine(2);
  Outbox outbox;
  outbox.add_inventory(1, gpus);
  outbox.add_samples(1, gpus, true);
  outbox.add_done(1, {});
  Assembler assembler;
  ASSERT_EQ(deliver(outbox, assembler), Assembler::Outcome::done);
  assembler.restart();
  EXPECT_EQ(assembler.gpus()[0].sample.processes->size(), 2U) << "the last answer was whole";
  EXPECT_EQ(assembler.take(outbox.message(1)), Assembler::Outcome::more);  // the samples, no lists
  assembler.restart();
  EXPECT_EQ(assembler.gpus()[0].sample.processes.why(), Missing::not_read);
  EXPECT_TRUE(assembler.gpus()[0].sample.memory.known());
}

TEST(Wire, TheLargestMachineFitsIntoBoundedMessages) {
  const auto gpus = machine(kMaxDevices);
  Outbox outbox;
  outbox.add_inventory(1, gpus);
  outbox.add_samples(1, gpus, true);
  outbox.add_wear(1, gpus);
  outbox.add_done(1, {});
  Assembler assembler;
  EXPECT_EQ(deliver(outbox, assembler), Assembler::Outcome::done);
  EXPECT_EQ(assembler.gpus(), gpus) << "512 devices and 1,024 processes";
}

TEST(Wire, ListsAreKeptWhereTheyWereNotReadAnew) {
  auto gpus = machine(2);
  Outbox first;
  first.add_inventory(1, gpus);
  first.add_samples(1, gpus, true);
  first.add_wear(1, gpus);
  first.add_done(1, {});
  Assembler assembler;
  deliver(first, assembler);
  Outbox second;
  gpus[0].sample.utilization = Ratio{0.75};
  second.add_samples(2, gpus, false);
  second.add_done(2, {});
  EXPECT_EQ(deliver(second, assembler), Assembler::Outcome::done);
  EXPECT_EQ(assembler.gpus(), gpus);
}

TEST(Wire, AnEmptyMachineIsAnAnswer) {
  Outbox outbox;
  outbox.add_inventory(1, {});
  outbox.add_samples(1, {}, true);
  outbox.add_done(1, {});
  Assembler assembler;
  EXPECT_EQ(deliver(outbox, assembler), Assembler::Outcome::done);
  EXPECT_TRUE(assembler.gpus().empty());
}

// Each case damages one good message in one way.
TEST(Wire, WhatMakesNoSenseIsMalformed) {
  const auto gpus = machine(2);
  Outbox good;
  good.add_inventory(1, gpus);
  good.add_samples(1, gpus, true);
  struct Case {
    const char* what;
    std::size_t message;
    std::size_t at;
    std::uint8_t byte;
  };
  const std::size_t header = sizeof(Header);
  const Case cases[] = {
      {"another magic", 0, 0, 0},
      {"another version", 0, 4, 9},
      {"an unknown kind", 0, 6, 99},
      {"a request from the sensor", 0, 6, 1},
      {"more rows than bytes", 0, 16, 3},
      {"fewer rows than bytes", 0, 16, 1},
      {"more devices than there are bits for", 0, 21, 0xff},
      {"a device out of order", 0, header, 1},
      {"text without an end", 0, header + offsetof(InventoryRow, vendor) + 15, 'x'},
      {"a sample of no device", 1, header, 77},
      {"an unknown GPU state", 1, header + offsetof(SampleRow, state), 9},
      {"an unknown reason", 1, header + offsetof(SampleRow, why), 99},
      {"a ratio that is no number", 1, header + offsetof(SampleRow, values) + 7, 0xff},
      {"a process of no device", 2, header, 77},
      {"a negative pid", 2, header + offsetof(ProcessRow, pid) + 3, 0x80},
  };
  for (const Case& c : cases) {
    Assembler assembler;
    for (std::size_t i = 0; i < c.message; ++i) assembler.take(good.message(i));
    std::vector<std::byte> bytes(good.message(c.message).begin(), good.message(c.message).end());
    if (std::string_view(c.what) == "text without an end") {
      std::memset(bytes.data() + header + offsetof(InventoryRow, vendor), 'x', 16);
    } else {
      bytes[c.at] = std::byte{c.byte};
    }
    if (std::string_view(c.what) == "a ratio that is no number") {
      std::memset(bytes.data() + header + offsetof(SampleRow, values), 0xff, 8);
    }
    EXPECT_EQ(assembler.take(bytes), Assembler::Outcome::malformed) << c.what;
  }
}

TEST(Wire, AnAnswerThatEndsBeforeItsInventoryIsMalformed) {
  const auto gpus = machine(60);
  Outbox outbox;
  outbox.add_inventory(1, gpus);
  ASSERT_GT(outbox.size(), 1U);
  Outbox done;
  done.add_done(1, {});
  Assembler assembler;
  assembler.take(outbox.message(0));
  EXPECT_EQ(assembler.take(done.message(0)), Assembler::Outcome::malformed);
}

TEST(Wire, MoreProcessesThanTheLimitAreRefused) {
  auto gpus = machine(1);
  Outbox outbox;
  outbox.add_inventory(1, gpus);
  outbox.add_samples(1, gpus, true);
  Assembler assembler;
  deliver(outbox, assembler);
  auto last = Assembler::Outcome::more;
  for (int i = 0; i < 2000 && last == Assembler::Outcome::more; ++i)
    last = assembler.take(outbox.message(2));
  EXPECT_EQ(last, Assembler::Outcome::malformed);
  EXPECT_LE(assembler.gpus()[0].sample.processes->size(), kMaxProcesses);
}

TEST(Wire, TextFromASensorIsMadePrintable) {
  auto gpus = machine(1);
  gpus[0].identity.name = "GPU\x1b[31m\xc3";
  Outbox outbox;
  outbox.add_inventory(1, gpus);
  Assembler assembler;
  deliver(outbox, assembler);
  EXPECT_EQ(assembler.gpus()[0].identity.name, "GPU?[31m?");
}

TEST(Wire, RandomDamageNeverGoesBeyondTheLimits) {
  const auto gpus = machine(8);
  Outbox outbox;
  outbox.add_state(1, {});
  outbox.add_inventory(1, gpus);
  outbox.add_samples(1, gpus, true);
  outbox.add_done(1, {});
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    Assembler assembler;
    for (std::size_t i = 0; i < outbox.size(); ++i) {
      std::vector<std::byte> bytes(outbox.message(i).begin(), outbox.message(i).end());
      for (auto n = random() % 3; n > 0; --n) bytes[random() % bytes.size()] = std::byte(random());
      if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 1));
      if (assembler.take(bytes) == Assembler::Outcome::malformed) break;
    }
    ASSERT_LE(assembler.gpus().size(), kMaxDevices);
  }
}

TEST(Wire, RequestsSurviveAndGarbageDoesNot) {
  const auto bytes = encode_request({Kind::read, 5, kGrantTiers});
  const auto request = decode_request(bytes);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->id, 5U);
  EXPECT_EQ(request->tiers, kGrantTiers);
  EXPECT_FALSE(decode_request(std::span(bytes).first(10)).has_value());
  EXPECT_FALSE(decode_request(encode_request({Kind::done, 5, {}})).has_value());
}

TEST(Wire, WhatQuestionsCostArrivesAndNeverGrowsBeyondItsLimit) {
  Outbox outbox;
  outbox.add_inventory(1, machine(2));
  std::vector<CallCost> calls;
  for (std::uint32_t i = 0; i < 400; ++i) {
    calls.push_back({fmt::format("nvmlDeviceGet{}", i), i % 2, static_cast<int>(i % 4), i + 1,
                     std::chrono::microseconds(i), std::chrono::microseconds(2 * i)});
  }
  outbox.add_calls(1, calls);
  outbox.add_done(1, {});
  Assembler assembler;
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    ASSERT_NE(assembler.take(outbox.message(i)), Assembler::Outcome::malformed) << i;
  }
  EXPECT_EQ(assembler.calls(), calls);
  // The next answer's rows take their place.
  Outbox next;
  next.add_calls(2, {calls[7]});
  next.add_done(2, {});
  for (std::size_t i = 0; i < next.size(); ++i) assembler.take(next.message(i));
  EXPECT_EQ(assembler.calls(), std::vector<CallCost>{calls[7]});
  // A device that is not there, and rows without end.
  Outbox wrong;
  wrong.add_calls(3, {{"x", 2, 0, 1, {}, {}}});
  EXPECT_EQ(assembler.take(wrong.message(0)), Assembler::Outcome::malformed);
  Assembler endless;
  Outbox first;
  first.add_inventory(1, machine(2));
  for (std::size_t i = 0; i < first.size(); ++i) endless.take(first.message(i));
  Outbox rows;
  rows.add_calls(1, calls);
  auto outcome = Assembler::Outcome::more;
  for (int i = 0; i < 200 && outcome == Assembler::Outcome::more; ++i) {
    for (std::size_t n = 0; n < rows.size() && outcome == Assembler::Outcome::more; ++n) {
      outcome = endless.take(rows.message(n));
    }
  }
  EXPECT_EQ(outcome, Assembler::Outcome::malformed);
}

TEST(Recording, ComesBackAsItWas) {
  GpuRecording recording;
  for (int i = 0; i < 3; ++i) {
    RecordedReading reading{{1'000'000'000 + i}, {}, machine(2)};
    reading.driver.state = DriverState::ready;
    reading.driver.version = "550.163.01";
    reading.gpus[0].sample.utilization = Ratio{0.1 * i};
    recording.readings.push_back(std::move(reading));
  }
  recording.calls = {{"nvmlDeviceGetPowerUsage", 1, 3, 17, std::chrono::microseconds(5), {}}};
  const std::string text = format_recording(recording);
  const auto back = parse_recording(text);
  ASSERT_TRUE(back.has_value()) << back.error().what;
  EXPECT_EQ(*back, recording);
}

TEST(Recording, CutAnywhereItIsRefused) {
  const std::string text = format_recording({{{{1}, {}, machine(2)}}, {}});
  EXPECT_TRUE(parse_recording(text).has_value());
  for (std::size_t n = 0; n + 2 < text.size(); n += 7) {
    EXPECT_FALSE(parse_recording(text.substr(0, n)).has_value()) << n;
  }
}

TEST(Recording, WhatIsWrongInItIsNamed) {
  const struct {
    const char* text;
    const char* words;
  } cases[] = {
      {R"({"schema":"estiva/status/1"})", "no recording"},
      {R"({"schema":"estiva/recorded-gpus/1"})", "'readings'"},
      {R"({"schema":"estiva/recorded-gpus/1","readings":[{"gpus":[{"sample":{"state":"odd"}}]}]})",
       "'readings.gpus.sample.state'"},
      {R"({"schema":"estiva/recorded-gpus/1","readings":[{}],"calls":[{"count":-1}]})",
       "'calls.count'"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_recording(c.text);
    ASSERT_FALSE(parsed.has_value()) << c.text;
    EXPECT_NE(parsed.error().what.find(c.words), std::string::npos) << parsed.error().what;
  }
}

}  // namespace
}  // namespace estiva::gpu
