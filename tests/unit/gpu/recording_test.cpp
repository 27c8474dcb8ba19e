// A recorded machine as a source of readings, and what the recorder gets of a driver.
#include "gpu/recording.h"

#include <gtest/gtest.h>
#include <map>

#include "gpu/backend.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using testing::Scratch;
using testing::StubScript;

TEST(RecordedMachine, ARecordedMachineIsReadAsItWas) {
  StubScript stub("gpus 3\nprocesses 2\n");
  Snapshot live;
  auto backend = make_backend(stub.backend_options());
  backend->open(live);
  backend->read(Tiers::all(), live);
  Scratch machine;
  machine.write(kRecordingFile, format_recording({{{{1}, live.driver, live.gpus}}, {}}));
  auto recorded = make_backend({"recorded", "", "/", machine.path});
  Snapshot snapshot;
  recorded->open(snapshot);
  EXPECT_EQ(snapshot.driver.source, "recorded");
  EXPECT_EQ(snapshot.driver.state, DriverState::ready);
  ASSERT_EQ(snapshot.gpus.size(), live.gpus.size());
  for (std::size_t i = 0; i < snapshot.gpus.size(); ++i) {
    Gpu& shown = snapshot.gpus[i];
    Gpu& was = live.gpus[i];
    // It is as if it were read now.
    EXPECT_GT(shown.sample.read_at, was.sample.read_at);
    shown.sample.read_at = was.sample.read_at;
    shown.wear.read_at = was.wear.read_at;
    EXPECT_EQ(shown, was) << i;
  }
}

TEST(RecordedMachine, ARecordingGoesOnReadingByReadingAndStaysAtTheLast) {
  Scratch machine;
  GpuRecording recording;
  for (unsigned i = 0; i < 3; ++i) {
    RecordedReading reading{{i + 1}, {}, std::vector<Gpu>(1)};
    reading.driver.state = DriverState::ready;
    reading.gpus[0].identity.id.uuid = i < 2 ? "GPU-1" : "GPU-2";
    reading.gpus[0].sample.temperature = Celsius{40.0 + i};
    recording.readings.push_back(std::move(reading));
  }
  machine.write(kRecordingFile, format_recording(recording));
  auto recorded = make_backend({"recorded", "", "/", machine.path});
  Snapshot snapshot;
  recorded->open(snapshot);
  std::vector<double> shown;
  std::vector<std::uint64_t> inventories;
  for (int i = 0; i < 5; ++i) {
    recorded->read(Tiers::all(), snapshot);
    shown.push_back(snapshot.gpus.at(0).sample.temperature->value);
    inventories.push_back(snapshot.inventory);
  }
  EXPECT_EQ(shown, (std::vector<double>{40, 41, 42, 42, 42}));
  EXPECT_EQ(inventories[0], inventories[1]);
  EXPECT_LT(inventories[1], inventories[2]);
  EXPECT_EQ(inventories[2], inventories[4]);
  EXPECT_EQ(snapshot.gpus[0].identity.id.uuid, "GPU-2");
}

TEST(RecordedMachine, WhatQuestionsCostIsToldWhereSomebodyWantsToKnow) {
  StubScript stub("gpus 2\n");
  BackendOptions options = stub.backend_options();
  Snapshot quiet, measured;
  for (Snapshot* snapshot : {&quiet, &measured}) {
    options.measures = snapshot == &measured;
    auto backend = make_backend(options);
    backend->open(*snapshot);
    backend->read(Tiers::all(), *snapshot);
    backend->read(Tiers::all(), *snapshot);
    backend->close();
  }
  EXPECT_TRUE(quiet.calls.empty());
  std::map<std::string, std::uint64_t> counts;
  for (const CallCost& call : measured.calls) {
    EXPECT_LT(call.device, 2u);
    EXPECT_GT(call.total.count(), 0);
    EXPECT_GE(call.total, call.longest);
    if (call.device == 1) counts[call.call] = call.count;
  }
  EXPECT_EQ(counts["nvmlDeviceGetPowerUsage"], 2u);
  EXPECT_EQ(counts["nvmlDeviceGetClockInfo"], 4u);  // of the SMs and of the memory
}

TEST(RecordedMachine, ADamagedRecordingSaysWhatIsWrong) {
  Scratch machine;
  auto recorded = make_backend({"recorded", "", "/", machine.path});
  Snapshot snapshot;
  recorded->open(snapshot);
  EXPECT_EQ(snapshot.driver.state, DriverState::failed);
  machine.write(kRecordingFile, "garbage!");
  recorded->open(snapshot);
  EXPECT_EQ(snapshot.driver.state, DriverState::failed);
  EXPECT_NE(snapshot.driver.reason.find("gpus.json"), std::string::npos);
}

}  // namespace
}  // namespace estiva::gpu
