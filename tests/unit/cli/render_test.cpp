// What a person reads: whole pages against golden files, and the single promises on top.
#include "cli/render.h"

#include <gtest/gtest.h>

#include "api/json.h"
#include "support.h"
#include "worlds.h"

namespace estiva::cli {
namespace {

GpuDocument gpu_document(const World& world) {
  auto document = read_gpu_document(api::gpu_json(world));
  EXPECT_TRUE(document) << document.error().sentence();
  return document.value_or(GpuDocument{});
}

StatusDocument status_document(const World& world) {
  auto document = read_status_document(api::status_json(world));
  EXPECT_TRUE(document) << document.error().sentence();
  return document.value_or(StatusDocument{});
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Render, GpuPage) {
  test::expect_golden("gpu.txt", render_gpu(gpu_document(test::world()), {}));
}

TEST(Render, GpuPageOfSimulatedGpusWithUnknownValues) {
  World world = test::world();
  world.rooms = {{"GPU-00000000-aaaa-bbbb-cccc-123456789abc", gib(1), gib(8)}};
  world.simulated = true;
  world.driver.source = "simulated";
  world.gpus[1].sample.power = Missing::not_supported;
  world.gpus[1].sample.utilization = Missing::no_sample;
  test::expect_golden("gpu-simulated.txt", render_gpu(gpu_document(world), {}));
}

TEST(Render, StatusPage) {
  World world = test::world();
  world.leases = {test::lease()};
  test::expect_golden("status.txt", render_status(status_document(world), {}));
}

TEST(Render, StatusPageWithoutGpu) {
  test::expect_golden("status-no-gpu.txt", render_status(status_document(test::no_gpu()), {}));
}

TEST(Render, UnknownIsNeverZero) {
  World world = test::world();
  world.gpus[0].sample.temperature = Missing::lost;
  const std::string page = render_gpu(gpu_document(world), {});
  EXPECT_TRUE(has(page, "n/a"));
  EXPECT_TRUE(has(page, "temperature celsius n/a (lost)")) << page;
  EXPECT_FALSE(has(page, " 0 C"));
}

TEST(Render, StaleFiguresSayTheirAge) {
  World world = test::world();
  world.stale = true;
  world.made_at = {47'000'000'000};
  const std::string page = render_gpu(gpu_document(world), {});
  EXPECT_TRUE(has(page, "STALE: the GPU figures are 42 s old.")) << page;
}

TEST(Render, FreshFiguresDoNot) {
  EXPECT_FALSE(has(render_gpu(gpu_document(test::world()), {}), "STALE"));
}

TEST(Render, RealGpusAreNotCalledSimulated) {
  EXPECT_FALSE(has(render_status(status_document(test::world()), {}), "SIMULATED"));
}

TEST(Render, AHostileProcessNameCannotMoveTheCursor) {
  World world = test::world();
  auto processes = *world.gpus[0].sample.processes;
  processes[0].name = "\x1b[2Jevil\nGPU 9";
  world.gpus[0].sample.processes = processes;
  world.gpus[0].identity.name = "\x1b]0;owned\x07";
  const std::string page = render_gpu(gpu_document(world), {});
  EXPECT_FALSE(has(page, "\x1b")) << page;
  EXPECT_FALSE(has(page, "\x07")) << page;
  EXPECT_TRUE(has(page, "evil"));
}

TEST(Render, ColourKeepsTheText) {
  const RenderOptions colour{{true, true}, {}};
  std::string page = render_gpu(gpu_document(test::world()), colour);
  EXPECT_TRUE(has(page, "\x1b[32mOK\x1b[0m")) << page;
  for (std::size_t at = 0; (at = page.find('\x1b')) != std::string::npos;)
    page.erase(at, page.find('m', at) - at + 1);
  EXPECT_EQ(page, render_gpu(gpu_document(test::world()), {}));
}

TEST(Render, AnAssignmentNamesGpuBytesAndReason) {
  Assignment assignment;
  assignment.lease = {"l-1", "xtts", "reserved", "", {"GPU-1"}, 3670016000, {}};
  assignment.why = "GPU 1 is the least busy of 2 with room";
  GpuRow row;
  row.index = 1;
  row.name = "RTX 3060";
  row.uuid = "GPU-1";
  EXPECT_EQ(render_assignment(assignment, {row}, {}),
            "xtts is placed on GPU 1 (RTX 3060, GPU-1) with 3.42 GiB (3670016000 bytes), lease "
            "l-1. Why: GPU 1 is the least busy of 2 with room.\n");
  assignment.already_assigned = true;
  EXPECT_TRUE(has(render_assignment(assignment, {row}, {}), "placed already"));
}

TEST(Render, ARefusalNamesWhatIsMissingAndWhatWouldHelp) {
  Refusal refusal;
  refusal.reason = "no GPU has 20 GiB free";
  refusal.gpus = {{"GPU-1", "", 0, 4ULL << 30, 16ULL << 30}};
  refusal.would_fit_if = {"xtts were released"};
  EXPECT_EQ(render_refusal("llama", refusal, {}, {}),
            "llama does not fit now: no GPU has 20 GiB free.\n"
            "  GPU 0: 4.00 GiB free, 16.0 GiB missing\n"
            "It would fit if:\n"
            "  - xtts were released\n");
}

TEST(Render, WholeMeansReadyFreshAndThere) {
  EXPECT_TRUE(is_whole(gpu_document(test::world())));
  EXPECT_FALSE(is_whole(gpu_document(test::no_gpu())));
  World stale = test::world();
  stale.stale = true;
  EXPECT_FALSE(is_whole(gpu_document(stale)));
  World partial = test::world();
  partial.driver.state = DriverState::partial;
  EXPECT_FALSE(is_whole(gpu_document(partial)));
}

}  // namespace
}  // namespace estiva::cli
