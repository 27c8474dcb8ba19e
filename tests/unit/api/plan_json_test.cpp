#include "api/plan_json.h"

#include <gtest/gtest.h>

namespace estiva::api {
namespace {

Plan two_steps() {
  Step write;
  write.target = "/etc/docker/daemon.json";
  write.reason = "CDI is off", write.effect = "Docker reads CDI specs",
  write.undo = "It is put back";
  write.risk = Risk::interrupts;
  write.stops = {"ollama"};
  write.expects = "absent";
  write.content = "{\"secret\":1}";
  write.diff = "+{}\n";
  write.mode = 0600;
  Step start;
  start.kind = StepKind::start_unit;
  start.target = "bad\xff.service";
  return {"setup", "00ff", {write, start}};
}

TEST(PlanJson, HasEveryMemberAndNotTheContent) {
  std::string text;
  format::JsonWriter json(text);
  write_plan(json, two_steps());
  EXPECT_EQ(
      text,
      "{\"id\":\"setup\",\"hash\":\"00ff\",\"steps\":[{\"kind\":\"write_file\",\"target\":"
      "\"/etc/docker/daemon.json\",\"reason\":\"CDI is off\",\"effect\":\"Docker reads CDI "
      "specs\",\"risk\":\"interrupts\",\"stops\":[\"ollama\"],\"undo\":\"It is put back\","
      "\"expects\":\"absent\",\"mode\":\"0600\",\"diff\":\"+{}\\n\"},{\"kind\":\"start_unit\","
      "\"target\":\"bad\xEF\xBF\xBD.service\",\"reason\":\"\",\"effect\":\"\",\"risk\":\"none\","
      "\"stops\":[],\"undo\":\"\",\"expects\":null,\"mode\":null,\"diff\":null}]}");
}

TEST(PlanJson, ARunTellsEachStepAndItsError) {
  act::RunReport report{"000003", two_steps(), {}, {}};
  report.steps = {{act::StepState::done, {}}, {act::StepState::failed, "no such unit"}};
  report.error = Error{ErrorKind::timed_out, "step 2 failed", {}};
  std::string text;
  format::JsonWriter json(text);
  write_run(json, report);
  EXPECT_EQ(
      text,
      "{\"id\":\"000003\",\"plan\":\"setup\",\"hash\":\"00ff\",\"steps\":[{\"kind\":"
      "\"write_file\",\"target\":\"/etc/docker/daemon.json\",\"state\":\"done\",\"text\":null},"
      "{\"kind\":\"start_unit\",\"target\":\"bad\xEF\xBF\xBD.service\",\"state\":\"failed\","
      "\"text\":\"no such unit\"}],\"error\":{\"kind\":\"timed_out\",\"message\":\"step 2 "
      "failed\",\"remedy\":null}}");
}

TEST(PlanJson, NothingToDoIsARunWithoutAnId) {
  std::string text;
  format::JsonWriter json(text);
  write_run(json, {{}, {"setup", "00", {}}, {}, {}});
  EXPECT_EQ(text, "{\"id\":null,\"plan\":\"setup\",\"hash\":\"00\",\"steps\":[],\"error\":null}");
}

TEST(PlanJson, TheListOfRuns) {
  act::RunInfo run{"000001", "setup", "00", 1'000'000'000, act::RunPhase::partly_undone, 3, 1, {}};
  act::RunInfo bad;
  bad.id = "000002", bad.problem = "damaged";
  std::string text;
  format::JsonWriter json(text);
  write_runs(json, {run, bad});
  EXPECT_EQ(text,
            "[{\"id\":\"000001\",\"plan\":\"setup\",\"hash\":\"00\",\"begun_at\":"
            "\"1970-01-01T00:00:01.000Z\",\"phase\":\"partly_undone\",\"steps\":3,\"standing\":1,"
            "\"problem\":null},{\"id\":\"000002\",\"plan\":\"\",\"hash\":\"\",\"begun_at\":"
            "\"1970-01-01T00:00:00.000Z\",\"phase\":\"interrupted\",\"steps\":0,\"standing\":0,"
            "\"problem\":\"damaged\"}]");
}

}  // namespace
}  // namespace estiva::api
