// The reader of the daemon's answers: what is there, what is unknown, and what is nonsense.
#include "cli/documents.h"

#include <gtest/gtest.h>

#include "api/json.h"
#include "worlds.h"

namespace estiva::cli {
namespace {

TEST(Documents, GpuValuesSurviveTheWayThroughJson) {
  const auto document = read_gpu_document(api::gpu_json(test::world()));
  ASSERT_TRUE(document) << document.error().sentence();
  ASSERT_EQ(document->gpus.size(), 2u);
  const GpuRow& row = document->gpus[0];
  EXPECT_EQ(row.uuid, "GPU-00000000-aaaa-bbbb-cccc-123456789abc");
  EXPECT_EQ(row.used_bytes, mib(2048).value);
  EXPECT_EQ(row.total_bytes, mib(12288).value);
  EXPECT_EQ(row.utilization, 0.63);
  EXPECT_EQ(row.celsius, 71);
  EXPECT_EQ(row.watts, 103);
  ASSERT_EQ(row.processes.size(), 1u);
  EXPECT_EQ(row.processes[0].pid, 4242);
  EXPECT_EQ(row.processes[0].used_bytes, mib(2000).value);
}

TEST(Documents, StatusHasHostChecksAndLeases) {
  World world = test::world();
  world.leases = {test::lease()};
  const auto document = read_status_document(api::status_json(world));
  ASSERT_TRUE(document) << document.error().sentence();
  EXPECT_EQ(document->host.cores, 8u);
  EXPECT_EQ(document->host.memory_total, gib(32).value);
  EXPECT_EQ(document->host.swap_used, gib(1).value);
  ASSERT_EQ(document->host.disks.size(), 1u);
  EXPECT_EQ(document->host.disks[0].used_ratio, 0.42);
  ASSERT_EQ(document->host.top_cpu.size(), 1u);
  EXPECT_EQ(document->host.top_cpu[0].cpu, 1.5);
  ASSERT_EQ(document->checks.size(), 2u);
  EXPECT_EQ(document->checks[0].state, "OK");
  EXPECT_EQ(document->checks[1].name, "host_status");
  ASSERT_EQ(document->leases.size(), 1u);
  EXPECT_EQ(document->leases[0].vram_bytes, mib(3500).value);
  EXPECT_EQ(document->leases[0].pid, 4242);
  EXPECT_EQ(document->leases[0].gpus[0], "GPU-00000000-aaaa-bbbb-cccc-123456789abc");
}

struct Nonsense {
  std::string what, text;
};
class NonsenseAnswer : public testing::TestWithParam<Nonsense> {};

TEST_P(NonsenseAnswer, IsASentenceThatNamesTheVersions) {
  for (const auto& error : {read_gpu_document(GetParam().text).error(),
                            read_leases_document(GetParam().text).error()}) {
    EXPECT_EQ(error.kind, ErrorKind::failed);
    EXPECT_NE(error.sentence().find(ESTIVA_VERSION), std::string::npos) << error.sentence();
    EXPECT_FALSE(error.remedy.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, NonsenseAnswer,
                         testing::Values(Nonsense{"nothing", ""}, Nonsense{"a web page", "<html>"},
                                         Nonsense{"a list", "[1,2]"},
                                         Nonsense{"a newer schema", R"({"schema":"estiva/gpu/2"})"},
                                         Nonsense{"no schema", "{}"},
                                         Nonsense{"a schema that is no text", R"({"schema":1})"},
                                         Nonsense{"cut short",
                                                  R"({"schema":"estiva/gpu/1","gpus":[)"},
                                         Nonsense{"very deep", std::string(100000, '[')}));

TEST(Documents, WrongTypesAreUnknownNotZero) {
  const auto document = read_gpu_document(
      R"({"schema":"estiva/gpu/1","driver":7,"gpus":[{"index":"x","memory":[],"power_watts":"hot","processes":[1,null,{}]},3]})");
  ASSERT_TRUE(document);
  ASSERT_EQ(document->gpus.size(), 1u);
  EXPECT_FALSE(document->gpus[0].watts);
  EXPECT_FALSE(document->gpus[0].used_bytes);
}

TEST(Documents, RefusalsAndErrorsAreTold) {
  const auto refusal = read_refusal(
      R"({"schema":"estiva/assign/1","refused":{"kind":"refused","reason":"no GPU here","remedy":"add one","gpus":[],"would_fit_if":[]}})");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, ErrorKind::refused);
  EXPECT_EQ(refusal->reason, "no GPU here");
  EXPECT_FALSE(read_refusal(R"({"lease":{}})"));
  const auto error = read_error(api::error_json({ErrorKind::not_found, "no such model", "look"}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::not_found);
  EXPECT_EQ(error->what, "no such model");
  EXPECT_FALSE(read_error("{}"));
}

TEST(Documents, AnAssignmentIsRead) {
  EXPECT_EQ(read_self_pid(R"({"schema":"estiva/self/1","pid":4242,"container":null})").value_or(0),
            4242);
  EXPECT_FALSE(read_self_pid(R"({"schema":"estiva/leases/1","pid":4242})"));
  const auto assignment = read_assignment(
      R"({"schema":"estiva/assign/1","lease":{"id":"l-1","model":"a","gpus":["GPU-1"],"vram_bytes":5,"state":"reserved","holder":null},"already_assigned":true,"why":"w"})");
  ASSERT_TRUE(assignment) << assignment.error().sentence();
  EXPECT_TRUE(assignment->already_assigned);
  EXPECT_EQ(assignment->lease.vram_bytes, 5u);
  EXPECT_FALSE(assignment->lease.pid);
  EXPECT_EQ(assignment->why, "w");
}

}  // namespace
}  // namespace estiva::cli
