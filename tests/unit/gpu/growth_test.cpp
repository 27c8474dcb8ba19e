// Nothing grows: memory and descriptors over many samples and many reloads of the library. The
// full counts (100,000 samples, 1,000 reloads) run with ESTIVA_LONG=1.
#include <fstream>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include "gpu/sensor_server.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using testing::StubScript;

bool is_long() {
  const char* value = std::getenv("ESTIVA_LONG");
  return value != nullptr && std::string_view(value) == "1";
}

std::size_t descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}
std::size_t mappings_of_the_stub() {
  std::ifstream maps("/proc/self/maps");
  std::size_t n = 0;
  for (std::string line; std::getline(maps, line);)
    n += line.find("libnvidia-ml") != std::string::npos;
  return n;
}
std::size_t allocated() {
  return mallinfo2().uordblks;
}

// The sensor's server and the daemon's assembler in one process: what is measured is all of it.
struct Pair {
  explicit Pair(const StubScript& stub, bool owns_process = false)
      : server(make_backend(options(stub, owns_process)), [this](Outbox& outbox) {
          for (std::size_t i = 0; i < outbox.size(); ++i) {
            if (assembler.take(outbox.message(i)) == Assembler::Outcome::malformed) ++malformed;
          }
          outbox.clear();
        }) {}
  static BackendOptions options(const StubScript& stub, bool owns_process) {
    BackendOptions options = stub.backend_options();
    options.owns_process = owns_process;
    return options;
  }
  Assembler assembler;
  int malformed = 0;
  SensorServer server;
};

TEST(Growth, ManySamplesTakeNoMoreMemoryThanFew) {
  StubScript stub("gpus 2\nprocesses 5\n");
  Pair pair(stub);
  const int warm_up = 50;
  const int count = is_long() ? 100'000 : 2'000;
  std::size_t before = 0;
  std::size_t open_before = 0;
  for (int i = 0; i < warm_up + count; ++i) {
    if (i == warm_up) before = allocated(), open_before = descriptors();
    pair.server.handle({Kind::read, static_cast<std::uint64_t>(i + 1), Tiers::all()}, steady_now());
  }
  EXPECT_EQ(pair.malformed, 0);
  EXPECT_EQ(pair.assembler.done_id(), static_cast<std::uint64_t>(warm_up + count));
  EXPECT_EQ(pair.assembler.gpus().size(), 2U);
  EXPECT_EQ(descriptors(), open_before);
  EXPECT_LE(allocated(), before + 4096);
}

TEST(Growth, ManyReloadsOfTheLibraryLeaveNothingBehind) {
  StubScript stub("gpus 2\nprocesses 2\n");
  Pair pair(stub);
  const int warm_up = 20;
  const int count = is_long() ? 1'000 : 100;
  std::size_t before = 0;
  std::size_t open_before = 0;
  std::uint64_t id = 0;
  for (int i = 0; i < warm_up + count; ++i) {
    if (i == warm_up) before = allocated(), open_before = descriptors();
    pair.server.handle({Kind::reacquire, ++id, {}}, steady_now());
    pair.server.handle({Kind::read, ++id, Tiers::all()}, steady_now());
    ASSERT_EQ(pair.assembler.driver().state, DriverState::ready) << i;
    pair.server.handle({Kind::release, ++id, {}}, steady_now());
    ASSERT_EQ(pair.assembler.driver().state, DriverState::released);
    ASSERT_EQ(mappings_of_the_stub(), 0U) << "really unloaded";
  }
  EXPECT_EQ(descriptors(), open_before);
  EXPECT_LE(allocated(), before + 4096);
}

TEST(Growth, ALibraryThatLeavesDescriptorsBehindIsCleanedUpAfter) {
  StubScript stub("gpus 1\nleak\n");
  for (const bool owns_process : {false, true}) {
    const std::size_t before = descriptors();
    Pair pair(stub, owns_process);
    for (std::uint64_t id = 1; id <= 30; id += 3) {
      pair.server.handle({Kind::reacquire, id, {}}, steady_now());
      pair.server.handle({Kind::read, id + 1, Tiers::all()}, steady_now());
      ASSERT_EQ(pair.assembler.driver().state, DriverState::ready);
      pair.server.handle({Kind::release, id + 2, {}}, steady_now());
    }
    EXPECT_EQ(descriptors(), before + (owns_process ? 0 : 10)) << "the stub does leak";
  }
}

TEST(Growth, AReleasedServerReadsNothingAndSaysSo) {
  StubScript stub("gpus 1\n");
  Pair pair(stub);
  pair.server.handle({Kind::read, 1, Tiers::all()}, steady_now());
  pair.server.handle({Kind::release, 2, {}}, steady_now());
  pair.server.handle({Kind::read, 3, Tiers::all()}, steady_now());
  EXPECT_EQ(pair.assembler.driver().state, DriverState::released);
  EXPECT_EQ(mappings_of_the_stub(), 0U);
  EXPECT_FALSE(pair.server.handle({Kind::quit, 4, {}}, steady_now()));
}

}  // namespace
}  // namespace estiva::gpu
