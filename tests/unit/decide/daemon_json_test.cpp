// The daemon.json policy: what is written for which engine, and what stays as it is.
#include "daemon_json_fixture.h"
#include "format/engine_version.h"

namespace estiva::decide {
namespace {

// Seed 001's file, made from nothing, with the runtime's absolute path.
TEST(DaemonJson, OfAFreshMachine) {
  const std::string text =
      "{\n"
      "    \"features\": {\n"
      "        \"cdi\": true\n"
      "    },\n"
      "    \"runtimes\": {\n"
      "        \"nvidia\": {\n"
      "            \"path\": \"/usr/bin/nvidia-container-runtime\",\n"
      "            \"args\": []\n"
      "        }\n"
      "    },\n"
      "    \"log-driver\": \"json-file\",\n"
      "    \"log-opts\": {\n"
      "        \"max-size\": \"10m\",\n"
      "        \"max-file\": \"5\"\n"
      "    }\n"
      "}\n";
  for (const auto& before : {std::optional<std::string>(), std::optional<std::string>("")}) {
    const DaemonJsonPlan plan = planned(daemon_input(before));
    EXPECT_EQ(plan.text, text);
    EXPECT_EQ(
        in_short(plan),
        (Words{"features.cdi:  -> true (restart)",
               "runtimes.nvidia.path:  -> \"/usr/bin/nvidia-container-runtime\" (reload)",
               "runtimes.nvidia.args:  -> [] (reload)", "log-driver:  -> \"json-file\" (restart)",
               "log-opts.max-size:  -> \"10m\" (restart)",
               "log-opts.max-file:  -> \"5\" (restart)"}));
    EXPECT_EQ(plan.takes(), Takes::restart);
    for (const DaemonJsonChange& change : plan.changes) EXPECT_FALSE(change.reason.empty());
  }
}

TEST(DaemonJson, OfAnEngineThatHasCdiByDefault) {
  const DaemonJsonPlan plan = planned(daemon_input("{\"debug\": false}\n", "28.2.0"));
  EXPECT_EQ(plan.text,
            "{\"debug\": false, \"runtimes\": {\"nvidia\": {\"path\": "
            "\"/usr/bin/nvidia-container-runtime\", \"args\": []}}, \"log-driver\": \"json-file\", "
            "\"log-opts\": {\"max-size\": \"10m\", \"max-file\": \"5\"}}\n");
  EXPECT_TRUE(plan.notes.empty());
}

TEST(DaemonJson, NothingWantedLeavesEveryByte) {
  for (const char* text : {"", " \n", "{ }", "{\"features\":{\"cdi\" :false}}", "null"}) {
    DaemonJsonInput input = daemon_input(text);
    input.wish = {.cdi = false, .nvidia_runtime = "", .log_rotation = false};
    const DaemonJsonPlan plan = planned(input);
    EXPECT_EQ(plan.text, text);
    EXPECT_TRUE(plan.changes.empty());
    EXPECT_TRUE(plan.notes.empty());
    EXPECT_EQ(plan.takes(), Takes::nothing);
  }
}

// --- CDI by version ----------------------------------------------------------------------------

struct ByVersion {
  const char* version;
  const char* before;
  const char* after;
  std::vector<std::string> rules;
};

TEST(DaemonJson, CdiByVersion) {
  const char *none = "{}", *off = "{\"features\":{\"cdi\":false}}",
             *on = "{\"features\":{\"cdi\":true}}", *null = "{\"features\":{\"cdi\":null}}";
  const char* made = "{\n    \"features\": {\n        \"cdi\": true\n    }\n}";
  const ByVersion cases[] = {
      // Docker before 25.0 can't, and its file is left alone.
      {"20.10.24+dfsg1", none, none, {"K3"}},
      {"24.0.9", off, off, {"K3"}},
      {"24.9", none, none, {"K3"}},
      // 25.0 to 28.1 can, and lose such containers at a restart.
      {"25.0", none, made, {"K4"}},
      {"25.0.0-rc.1", off, on, {"K4"}},
      {"26.1.5+dfsg1", on, on, {"K4"}},
      {"28.1.1", none, made, {"K4"}},
      {"28.1.1", null, on, {"K4"}},
      // From 28.2 only a file that says no is changed; null counts as false in Go's map.
      {"28.2.0", none, none, {}},
      {"28.2", off, on, {}},
      {"28.2.0", null, on, {}},
      {"28.5.2+dfsg4", on, on, {}},
      {"29.0.0-rc.1", none, none, {}},
      {"v30.0.1", off, on, {}},
      // Not known: not touched.
      {"", none, none, {""}},
      {"dev", off, off, {""}}};
  for (const ByVersion& c : cases) {
    const DaemonJsonPlan plan = planned(cdi_only(c.before, c.version));
    EXPECT_EQ(plan.text, c.after) << c.version;
    EXPECT_EQ(rules(plan), c.rules) << c.version;
    for (const DaemonJsonNote& note : plan.notes) EXPECT_FALSE(note.remedy.empty());
  }
}

TEST(DaemonJson, TheReasonNamesTheVersionAndTheRestart) {
  const DaemonJsonPlan on = planned(cdi_only("{}", "26.1.5"));
  ASSERT_EQ(on.changes.size(), 1u);
  EXPECT_EQ(on.changes[0].reason,
            "Docker 26.1.5 can give GPUs to containers by CDI, but only where this feature is "
            "switched on; it takes effect when Docker is restarted, not reloaded");
  ASSERT_EQ(on.notes.size(), 1u);
  EXPECT_NE(on.notes[0].text.find("does not come back when Docker is restarted"),
            std::string::npos);
  EXPECT_NE(on.notes[0].remedy.find("28.2"), std::string::npos);
}

TEST(DaemonJson, SpecDirsThatSwitchCdiOff) {
  for (const char* dirs : {"[\"\"]", "[ \"\"\n ]"}) {
    const std::string text = "{\n\"cdi-spec-dirs\": " + std::string(dirs) + "}";
    const DaemonJsonPlan plan = planned(cdi_only(text, "28.5.2"));
    EXPECT_EQ(plan.text, text);
    ASSERT_EQ(rules(plan), Words{"K3"});
    EXPECT_EQ(plan.notes[0].text, "'cdi-spec-dirs' is [\"\"] in line 2, which switches CDI off");
  }
  for (const char* dirs : {"[]", "null", "[\"/etc/cdi\"]", "[\"\",\"/x\"]", "[\" \"]x"}) {
    const std::string text = "{\"cdi-spec-dirs\": " + std::string(dirs) + "}";
    const auto plan = plan_daemon_json(cdi_only(text, "28.5.2"));
    EXPECT_TRUE(!plan || plan->notes.empty()) << dirs;
  }
}

TEST(DaemonJson, TypesThatDockerDoesNotTakeEither) {
  EXPECT_EQ(refusal(cdi_only(R"({"features":{"cdi":"true"}})")),
            "d.json:1:20: 'features.cdi' is a text, and must be true or false");
  EXPECT_EQ(refusal(cdi_only(R"({"features":[]})")),
            "d.json:1:13: 'features' is an array, and must be an object");
  EXPECT_EQ(refusal(cdi_only("[]")),
            "d.json:1:1: 'the whole file' is an array, and must be an object");
  EXPECT_EQ(refusal(daemon_input(R"({"runtimes":{"nvidia":"x"}})", "29.0")),
            "d.json:1:23: 'runtimes.nvidia' is a text, and must be an object");
  EXPECT_EQ(refusal(daemon_input(R"({"runtimes":{"nvidia":{"path":1}}})", "29.0")),
            "d.json:1:31: 'runtimes.nvidia.path' is a number, and must be a text");
  EXPECT_EQ(refusal(daemon_input(R"({"log-driver":1})", "29.0")),
            "d.json:1:15: 'log-driver' is a number, and must be a text");
  EXPECT_EQ(refusal(daemon_input(R"({"log-opts":"x"})", "29.0")),
            "d.json:1:13: 'log-opts' is a text, and must be an object");
  EXPECT_EQ(refusal(daemon_input(R"({"log-opts":{"max-file":5}})", "29.0")),
            "d.json:1:25: 'log-opts.max-file' is a number, and must be a text");
  EXPECT_EQ(refusal(daemon_input(R"({"log-opts":{"max-size":5,"max-file":"1"}})", "29.0")),
            "d.json:1:25: 'log-opts.max-size' is a number, and must be a text");
}

TEST(DaemonJson, AByteOrderMarkStaysWhereDockerReadsIt) {
  const std::string text = "\xEF\xBB\xBF{\"debug\":true}";
  EXPECT_EQ(planned(cdi_only(text, "28.5.2")).text, text);
  EXPECT_EQ(planned(cdi_only(text, "23.0.0")).text, text);
  EXPECT_EQ(planned(cdi_only(text, "")).text, text);
  const DaemonJsonPlan old = planned(cdi_only(text, "20.10.24"));
  EXPECT_EQ(old.text, "{\"debug\":true}");
  EXPECT_EQ(in_short(old), Words{"(byte order mark): \"\xEF\xBB\xBF\" ->  (restart)"});
  EXPECT_EQ(planned(cdi_only("{\"debug\":true}", "20.10.24")).text, "{\"debug\":true}");
}

// --- what takes effect when --------------------------------------------------------------------

TEST(DaemonJson, WhatAReloadTakes) {
  for (const char* path : {"runtimes.nvidia.path", "runtimes", "features.buildkit", "debug",
                           "default-runtime", "live-restore"})
    EXPECT_EQ(takes_effect(path, false), Takes::reload) << path;
  for (const char* path :
       {"features.cdi", "log-driver", "log-opts.max-size", "cdi-spec-dirs", "runtimesx", "hosts"})
    EXPECT_EQ(takes_effect(path, false), Takes::restart) << path;
  EXPECT_EQ(takes_effect("default-runtime", true), Takes::restart);
  EXPECT_EQ(takes_effect("runtimes.nvidia", true), Takes::reload);
  EXPECT_EQ(planned(daemon_input(R"({"log-driver":"local"})", "29.0")).takes(), Takes::reload);
  EXPECT_EQ(to_name(Takes::nothing), "nothing");
}

TEST(DaemonJson, EngineVersionsAreReadStrictly) {
  using format::EngineVersion, format::parse_engine_version;
  EXPECT_EQ(parse_engine_version("28.5.2"), (EngineVersion{28, 5}));
  EXPECT_EQ(parse_engine_version("20.10.24+dfsg1"), (EngineVersion{20, 10}));
  EXPECT_EQ(parse_engine_version("v25.0"), (EngineVersion{25, 0}));
  EXPECT_EQ(parse_engine_version("1.13.1"), (EngineVersion{1, 13}));
  for (const char* text : {"", "28", "28.", ".1", "x28.1", "28.x", "-1.2", "10000.1", "vv1.2",
                           "18446744073709551616.1"})
    EXPECT_EQ(parse_engine_version(text), std::nullopt) << text;
  EXPECT_LT((EngineVersion{25, 9}), (EngineVersion{28, 0}));
  EXPECT_LT((EngineVersion{28, 1}), (EngineVersion{28, 2}));
}

}  // namespace
}  // namespace estiva::decide
