// The daemon.json policy, part by part: what nvidia-ctk loses, runtimes, logs, the command line.
#include "daemon_json_fixture.h"
#include "decide/setup/dockerd_flags.h"

namespace estiva::decide {
namespace {

// --- the cases in which `nvidia-ctk runtime configure --cdi.enabled` 1.20.0 loses something
// --------- (reference, section 0.5; the ninth, a write in place without a copy, is act's and
// tested there)

TEST(WhatNvidiaCtkLoses, OtherFeatures) {
  EXPECT_EQ(planned(cdi_only("{\n  \"features\": {\n    \"containerd-snapshotter\": true,\n"
                             "    \"buildkit\": true\n  }\n}\n"))
                .text,
            "{\n  \"features\": {\n    \"containerd-snapshotter\": true,\n    \"buildkit\": true,\n"
            "    \"cdi\": true\n  }\n}\n");
}

TEST(WhatNvidiaCtkLoses, PathAndArgumentsOfTheRuntime) {
  const std::string text =
      R"({"runtimes":{"nvidia":{"args":["--debug"],"path":"/opt/nvidia/nvidia-container-runtime"},)"
      R"("kata":{"runtimeType":"io.containerd.kata.v2"}},"log-driver":"local"})";
  const DaemonJsonPlan plan = planned(daemon_input(text, "28.5.2"));
  EXPECT_EQ(plan.text, text);
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_EQ(
      plan.notes[0].text,
      "the runtime nvidia is registered as /opt/nvidia/nvidia-container-runtime in line 1 and "
      "stays so; installed is /usr/bin/nvidia-container-runtime");
}

TEST(WhatNvidiaCtkLoses, TheChanceToUnsetTheDefaultRuntime) {
  const std::string text = "{\n  \"default-runtime\": \"nvidia\",\n  \"debug\": true\n}\n";
  const DaemonJsonPlan told = planned(cdi_only(text, "28.5.2"));
  EXPECT_EQ(told.text, text);
  EXPECT_EQ(rules(told), Words{"P8"});
  EXPECT_NE(told.notes[0].text.find("(line 2)"), std::string::npos);
  DaemonJsonInput input = cdi_only(text, "28.5.2");
  input.wish.unset_default_runtime = true;
  const DaemonJsonPlan plan = planned(input);
  EXPECT_EQ(plan.text, "{\n  \"debug\": true\n}\n");
  EXPECT_EQ(in_short(plan), Words{"default-runtime: \"nvidia\" ->  (restart)"});
  EXPECT_TRUE(plan.notes.empty());
}

TEST(WhatNvidiaCtkLoses, TextBehindTheFirstValue) {
  EXPECT_EQ(refusal(cdi_only("{\"debug\": true}\n{\"mtu\": 1400}\n")),
            "d.json:2:1: more text follows after the end of the value");
}

TEST(WhatNvidiaCtkLoses, ItselfWhereRuntimesIsNull) {
  DaemonJsonInput input = daemon_input(R"({"runtimes": null, "log-driver": "local"})", "28.5.2");
  EXPECT_EQ(
      planned(input).text,
      R"({"runtimes": {"nvidia": {"path": "/usr/bin/nvidia-container-runtime", "args": []}}, )"
      R"("log-driver": "local"})");
}

TEST(WhatNvidiaCtkLoses, TheLastDigitsOfABigInteger) {
  EXPECT_EQ(planned(cdi_only(R"({"n":12345678901234567890,"x":0.10})")).text,
            R"({"n":12345678901234567890,"x":0.10,"features":{"cdi":true}})");
}

TEST(WhatNvidiaCtkLoses, AnEmptyFile) {
  for (const char* text : {"", "\n", " \t\r\n"})
    EXPECT_NE(planned(cdi_only(text)).text.find("\"cdi\": true"), std::string::npos);
}

TEST(WhatNvidiaCtkLoses, TheOrderOfTheKeys) {
  EXPECT_EQ(planned(cdi_only("{\"z\":1,\"a\":2,\"m\":3}")).text,
            "{\"z\":1,\"a\":2,\"m\":3,\"features\":{\"cdi\":true}}");
}

// --- the runtime -------------------------------------------------------------------------------

std::string runtime_text(const std::string& nvidia, const std::string& program = kNvidia) {
  DaemonJsonInput input = daemon_input(R"({"runtimes":{"nvidia":)" + nvidia + "}}", "28.5.2");
  input.wish.log_rotation = false;
  input.wish.nvidia_runtime = program;
  const std::string text = planned(input).text;
  const std::string front = R"({"runtimes":{"nvidia":)";
  return text.substr(front.size(), text.size() - front.size() - 2);
}

TEST(DaemonRuntime, OnlyItsBareNameIsMadeAPath) {
  EXPECT_EQ(runtime_text(R"({"args":["a"],"path":"nvidia-container-runtime"})"),
            R"({"args":["a"],"path":"/usr/bin/nvidia-container-runtime"})");
  // Go takes "Path" for path.
  EXPECT_EQ(runtime_text(R"({"Path":"nvidia-container-runtime"})"),
            R"({"Path":"/usr/bin/nvidia-container-runtime"})");
  for (const char* kept :
       {R"({"path":"nvidia-container-runtime.cdi"})", R"({"path":"/opt/my-wrapper","args":null})",
        R"({"runtimeType":"io.containerd.nvidia.v1"})", R"({"RuntimeType":"x"})",
        R"({"path":"/usr/bin/nvidia-container-runtime"})"})
    EXPECT_EQ(runtime_text(kept), kept);
}

TEST(DaemonRuntime, NothingAtAllIsFilledIn) {
  EXPECT_EQ(runtime_text("null"), R"({"path":"/usr/bin/nvidia-container-runtime","args":[]})");
  EXPECT_EQ(runtime_text("{}"), R"({"path":"/usr/bin/nvidia-container-runtime"})");
  EXPECT_EQ(runtime_text(R"({"args":["x"]})"),
            R"({"args":["x"],"path":"/usr/bin/nvidia-container-runtime"})");
  EXPECT_EQ(runtime_text(R"({"path":""})"), R"({"path":"/usr/bin/nvidia-container-runtime"})");
  EXPECT_EQ(runtime_text(R"({"path":null})"), R"({"path":"/usr/bin/nvidia-container-runtime"})");
}

TEST(DaemonRuntime, IsNotRegisteredWhereItIsNotInstalled) {
  EXPECT_EQ(runtime_text("null", ""), "null");
  EXPECT_EQ(runtime_text("{}", ""), "{}");
  DaemonJsonInput input = cdi_only("{}", "28.5.2");
  EXPECT_EQ(planned(input).text, "{}");
  input.text = "{\"runtimes\":{\n\"nvidia\":{\n\"path\":\"nvidia-container-runtime\"}}}";
  const DaemonJsonPlan plan = planned(input);
  EXPECT_EQ(plan.text, *input.text);
  EXPECT_EQ(rules(plan), Words{"K11"});
  EXPECT_NE(plan.notes[0].text.find("as nvidia-container-runtime in line 3"), std::string::npos);
}

TEST(DaemonRuntime, NeverBecomesTheDefault) {
  for (const char* text : {"{}", R"({"default-runtime":"runc"})", R"({"default-runtime":null})"}) {
    const DaemonJsonPlan plan = planned(daemon_input(text));
    EXPECT_EQ(plan.text.find("\"default-runtime\":\"nvidia\""), std::string::npos);
    EXPECT_TRUE(std::none_of(plan.changes.begin(), plan.changes.end(),
                             [](const auto& change) { return change.path == "default-runtime"; }));
  }
}

// --- logs --------------------------------------------------------------------------------------

std::string with_logs(const std::string& text) {
  DaemonJsonInput input = daemon_input(text, "28.5.2");
  input.wish.nvidia_runtime.clear();
  return planned(input).text;
}

TEST(DaemonLogs, AreLimitedWhereNobodyHasChosen) {
  const struct {
    const char *before, *after;
  } cases[] = {
      {R"({"a":1})",
       R"({"a":1,"log-driver":"json-file","log-opts":{"max-size":"10m","max-file":"5"}})"},
      {R"({"log-opts":null})",
       R"({"log-opts":{"max-size":"10m","max-file":"5"},"log-driver":"json-file"})"},
      {R"({"log-opts":{}})",
       R"({"log-opts":{"max-size":"10m","max-file":"5"},"log-driver":"json-file"})"},
      {R"({"log-driver":"json-file"})",
       R"({"log-driver":"json-file","log-opts":{"max-size":"10m","max-file":"5"}})"},
      {R"({"log-driver":""})",
       R"({"log-driver":"json-file","log-opts":{"max-size":"10m","max-file":"5"}})"},
      {R"({"log-opts":{"labels":"x"}})",
       R"({"log-opts":{"labels":"x","max-size":"10m","max-file":"5"}})"},
      // How many files somebody wants stays; without a size it limits nothing.
      {R"({"log-opts":{"max-file":"3"}})", R"({"log-opts":{"max-file":"3","max-size":"10m"}})"},
      {R"({"log-driver":"json-file","log-opts":{"max-size":null,"max-file":"2"}})",
       R"({"log-driver":"json-file","log-opts":{"max-size":"10m","max-file":"2"}})"}};
  for (const auto& c : cases) EXPECT_EQ(with_logs(c.before), c.after);
}

TEST(DaemonLogs, StayWhereSomebodyHasChosen) {
  for (const char* text :
       {R"({"log-opts":{"max-size":"100m"}})", R"({"log-opts":{"max-size":"1g","max-file":"2"}})",
        R"({"log-driver":"local"})", R"({"log-driver":"local","log-opts":{"max-file":"2"}})",
        R"({"log-driver":"journald"})", R"({"log-driver":"none","log-opts":null})",
        R"({"log-driver":"syslog","log-opts":{"tag":"x"}})"})
    EXPECT_EQ(with_logs(text), text);
}

// --- dockerd's command line
// ------------------------------------------------------------------------

TEST(DockerdFlags, AreReadAsTheFileCallsThem) {
  const Words arguments{"-H",
                        "fd://",
                        "--log-opt",
                        "max-size=1m",
                        "--log-opt=max-file=3",
                        "-D",
                        "--tls=false",
                        "-Htcp://:1",
                        "-l=warn",
                        "--live-restore",
                        "--add-runtime",
                        "a=/b",
                        "--feature=cdi",
                        "stray",
                        "-"};
  std::vector<std::string> got;
  for (const DockerdFlag& flag : parse_dockerd_flags(arguments))
    got.push_back(flag.key + "|" + flag.value + "|" + flag.words);
  EXPECT_EQ(got, (Words{"hosts|fd://|-H fd://", "log-opts|max-size=1m|--log-opt max-size=1m",
                        "log-opts|max-file=3|--log-opt=max-file=3", "debug|true|-D",
                        "tls|false|--tls=false", "hosts|tcp://:1|-Htcp://:1",
                        "log-level|warn|-l=warn", "live-restore|true|--live-restore",
                        "runtimes|a=/b|--add-runtime a=/b", "features|cdi|--feature=cdi"}));
  EXPECT_TRUE(parse_dockerd_flags({}).empty());
}

TEST(DockerdFlags, WhatStandsInBothIsTold) {
  DaemonJsonInput input = daemon_input(
      R"({"hosts":[],"debug":true,"runtimes":{"nvidia":{"path":"/usr/bin/nvidia-container-runtime"}},)"
      R"("proxies":{"http-proxy":"x"},"log-driver":"local","features":{"mtu":true}})",
      "28.5.2");
  input.arguments = {"-H",         "fd://",         "-H",        "unix:///x",     "--http-proxy=y",
                     "--mtu=1400", "--add-runtime", "nvidia=/x", "--live-restore"};
  const DaemonJsonPlan plan = planned(input);
  EXPECT_EQ(plan.text, *input.text);
  ASSERT_EQ(rules(plan), (Words{"K8", "K8"}));
  EXPECT_EQ(plan.notes[0].text,
            "'hosts' is in the file and on dockerd's command line (-H fd:// -H unix:///x); Docker "
            "does not start with both");
  EXPECT_EQ(plan.notes[1].text,
            "'http-proxy' is in the file and on dockerd's command line (--http-proxy=y); Docker "
            "does not start with both");
}

DaemonJsonPlan with_arguments(const char* text, Words arguments, const char* version = "27.5.1") {
  DaemonJsonInput input = daemon_input(text, version);
  input.arguments = std::move(arguments);
  return planned(input);
}

TEST(DockerdFlags, FeaturesThereKeepTheFileFree) {
  for (const char* flag : {"--feature=cdi", "--feature=cdi=true"}) {
    const DaemonJsonPlan on = with_arguments(R"({"log-driver":"local"})", {flag});
    EXPECT_EQ(on.text.find("features"), std::string::npos);
    EXPECT_EQ(rules(on), Words{"K4"});
  }
  const DaemonJsonPlan other = with_arguments(R"({"log-driver":"local"})", {"--feature=buildkit"});
  EXPECT_EQ(other.text.find("features"), std::string::npos);
  EXPECT_EQ(rules(other), (Words{"K4", "K3"}));
  const DaemonJsonPlan off =
      with_arguments(R"({"log-driver":"local"})", {"--feature", "cdi=false"}, "28.5.2");
  EXPECT_EQ(rules(off), Words{"K3"});
  EXPECT_NE(off.notes[0].text.find("(--feature cdi=false)"), std::string::npos);
  EXPECT_TRUE(
      with_arguments(R"({"log-driver":"local"})", {"--feature=buildkit"}, "28.5.2").notes.empty());
}

TEST(DockerdFlags, ARuntimeThereIsEnough) {
  const char* text = R"({"log-driver":"local"})";
  EXPECT_EQ(with_arguments(text, {"--add-runtime", "nvidia=/x"}, "28.5.2").text, text);
  // Another one does not hinder, but in Docker before 20.10.
  EXPECT_NE(with_arguments(text, {"--add-runtime=runsc=/x"}, "20.10.0").text, text);
  const DaemonJsonPlan old = with_arguments(text, {"--add-runtime=runsc=/x"}, "19.03.15");
  EXPECT_EQ(old.text, text);
  EXPECT_EQ(rules(old), (Words{"K3", "K8"}));
  EXPECT_NE(with_arguments(text, {}, "19.03.15").text, text);
}

TEST(DockerdFlags, LogsThereKeepTheFileFree) {
  for (const char* flag : {"--log-driver=json-file", "--log-opt=max-size=1m"}) {
    const DaemonJsonPlan plan = with_arguments("{}", {flag}, "28.5.2");
    EXPECT_EQ(plan.text.find("log-"), std::string::npos);
    EXPECT_EQ(rules(plan), Words{""});
  }
  EXPECT_NE(with_arguments("{}", {"--log-level=info"}, "28.5.2").text.find("log-opts"),
            std::string::npos);
}

TEST(DockerdFlags, TheDefaultRuntimeThereIsTold) {
  const char* text = R"({"log-driver":"local"})";
  EXPECT_EQ(rules(with_arguments(text, {"--default-runtime", "nvidia"}, "28.5.2")), Words{"P8"});
  EXPECT_TRUE(with_arguments(text, {"--default-runtime=runc"}, "28.5.2").notes.empty());
}

}  // namespace
}  // namespace estiva::decide
