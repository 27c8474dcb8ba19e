// What an engine's answers say of GPUs in containers. Shapes: Docker Engine API 1.51 and what
// Podman 4.3 answers; written by hand.
#include "container/engine_facts.h"

#include <gtest/gtest.h>
#include <map>

namespace estiva::container {
namespace {

const std::string kId(64, 'a'), kOther(64, 'b');

TEST(EngineFacts, WhichEngineItIs) {
  const auto kind = [](const char* json) {
    EngineFacts engine;
    EXPECT_TRUE(read_version(json, engine)) << json;
    return engine.kind;
  };
  EXPECT_EQ(kind(R"({"ApiVersion":"1.51","Version":"28.5.2"})"), EngineKind::docker);
  EXPECT_EQ(kind(R"({"ApiVersion":"1.41","Components":[{"Name":"Podman Engine"}]})"),
            EngineKind::podman);
  EXPECT_EQ(kind(R"({"ApiVersion":"1.51","Components":[{"Name":"Engine"}],)"
                 R"("Platform":{"Name":"Docker Desktop 4.50.0"}})"),
            EngineKind::docker_desktop);
  EngineFacts engine;
  for (const char* json : {"", "{}", "[1]", R"({"ApiVersion":null})"}) {
    EXPECT_FALSE(read_version(json, engine)) << json;
  }
}

TEST(EngineFacts, Info) {
  EngineFacts engine;
  engine.kind = EngineKind::docker;
  const std::string json = R"({"CgroupDriver":"systemd","DefaultRuntime":"nvidia",
    "Runtimes":{"nvidia":{"path":"x"},"runc":{}},"CDISpecDirs":["/etc/cdi","/var/run/cdi"],
    "DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=0"},{"Source":"other","ID":"x"}],
    "Warnings":["CDI: Error associated with spec file /etc/cdi/x.yaml: bad"],
    "SecurityOptions":["name=seccomp,profile=builtin","name=rootless"]})";
  ASSERT_TRUE(read_info(json, engine));
  EXPECT_EQ(engine.info, json);
  EXPECT_EQ(engine.cgroup_driver, "systemd");
  EXPECT_EQ(engine.default_runtime, "nvidia");
  EXPECT_EQ(engine.runtimes, (std::vector<std::string>{"nvidia", "runc"}));
  EXPECT_EQ(engine.cdi_dirs, (std::vector<std::string>{"/etc/cdi", "/var/run/cdi"}));
  EXPECT_TRUE(engine.cdi_known);
  EXPECT_EQ(engine.discovered, std::vector<std::string>{"nvidia.com/gpu=0"});
  EXPECT_EQ(engine.warnings.size(), 1u);
  EXPECT_TRUE(engine.is_rootless);
  EXPECT_EQ(engine.kind, EngineKind::docker);
}

TEST(EngineFacts, AnEngineThatDoesNotKnowOfCdiIsNotOneThatHasItOff) {
  EngineFacts old, off, desktop, snap;
  ASSERT_TRUE(read_info(R"({"CgroupDriver":"cgroupfs"})", old));
  EXPECT_FALSE(old.cdi_known);
  EXPECT_FALSE(old.is_rootless);
  ASSERT_TRUE(read_info(R"({"CDISpecDirs":null})", off));
  EXPECT_TRUE(off.cdi_known);
  EXPECT_TRUE(off.cdi_dirs.empty());
  ASSERT_TRUE(read_info(R"({"OperatingSystem":"Docker Desktop"})", desktop));
  EXPECT_EQ(desktop.kind, EngineKind::docker_desktop);
  ASSERT_TRUE(read_info(R"({"DockerRootDir":"/var/snap/docker/common/var-lib-docker"})", snap));
  EXPECT_EQ(snap.kind, EngineKind::docker_snap);
}

TEST(EngineFacts, AContainerAsInspectShowsIt) {
  const auto container = parse_inspect(R"({"Id":")" + kId + R"(","Name":"/ai-ollama-1",
    "Created":"2026-02-20T10:00:00.5Z","Image":"sha256:11","State":{"Status":"exited","ExitCode":255,
    "Error":"no such device","Pid":77,"StartedAt":"2026-03-01T08:00:20Z"},
    "HostConfig":{"Runtime":"nvidia","RestartPolicy":{"Name":"always"},"ShmSize":67108864,
     "Devices":[{"PathOnHost":"nvidia.com/gpu=0"}],
     "DeviceRequests":[{"Driver":"cdi","DeviceIDs":["nvidia.com/gpu=0"],"Capabilities":null},
      {"Driver":"","Count":-1,"DeviceIDs":null,"Capabilities":[["gpu","compute"],["utility"]]}]},
    "Config":{"Image":"ollama/ollama","Env":["PASSWORD=x","NVIDIA_VISIBLE_DEVICES=all","CUDA_VERSION=12.4.1"],
     "Labels":{"com.docker.compose.project":"ai","com.docker.compose.service":"ollama",
      "com.docker.compose.project.config_files":"/srv/a.yaml,/srv/b.yaml",
      "com.docker.compose.project.working_dir":"/srv","com.docker.compose.config-hash":"d9c8",
      "com.docker.compose.project.environment_file":"/srv/.env,/srv/b.env",
      "com.docker.compose.oneoff":"True"}}})");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->id, kId);
  EXPECT_EQ(container->name, "ai-ollama-1");
  EXPECT_EQ(container->image, "ollama/ollama");
  EXPECT_EQ(container->image_id, "sha256:11");
  EXPECT_EQ(container->project, "ai");
  EXPECT_EQ(container->service, "ollama");
  EXPECT_EQ(container->runtime, "nvidia");
  EXPECT_EQ(container->restart_policy, "always");
  EXPECT_EQ(container->state, "exited");
  EXPECT_EQ(container->exit_code, 255);
  EXPECT_EQ(container->error, "no such device");
  EXPECT_EQ(container->pid, 77);
  EXPECT_EQ(container->compose_dir, "/srv");
  EXPECT_EQ(container->compose_hash, "d9c8");
  EXPECT_EQ(container->compose_env_files, (std::vector<std::string>{"/srv/.env", "/srv/b.env"}));
  EXPECT_TRUE(container->is_one_off);
  EXPECT_EQ(container->shm_bytes, 64u << 20);
  EXPECT_EQ(container->created_at, 1771581600);
  EXPECT_EQ(container->started_at, 1772352020);
  EXPECT_EQ(container->device_paths, std::vector<std::string>{"nvidia.com/gpu=0"});
  EXPECT_EQ(container->compose_files, (std::vector<std::string>{"/srv/a.yaml", "/srv/b.yaml"}));
  EXPECT_EQ(container->environment,
            (std::vector<std::string>{"NVIDIA_VISIBLE_DEVICES=all", "CUDA_VERSION=12.4.1"}))
      << "no other value is kept";
  ASSERT_EQ(container->requests.size(), 2u);
  EXPECT_EQ(container->requests[0].driver, "cdi");
  EXPECT_EQ(container->requests[0].ids, std::vector<std::string>{"nvidia.com/gpu=0"});
  EXPECT_EQ(container->requests[1].count, -1);
  EXPECT_EQ(container->requests[1].capabilities,
            (std::vector<std::string>{"gpu", "compute", "utility"}));
}

TEST(EngineFacts, DamagedAnswersAreErrorsOrHaveLess) {
  for (const char* json : {"", "[]", "{}", R"({"Id":7})"}) EXPECT_FALSE(parse_inspect(json));
  const auto bare = parse_inspect(
      R"({"Id":"ab","HostConfig":{"DeviceRequests":"x","Devices":{}},"Config":[],"State":null})");
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->requests.empty());
  EXPECT_TRUE(bare->device_paths.empty());
  EXPECT_FALSE(parse_image("null"));
  EXPECT_FALSE(parse_ids("{}", 9));
}

TEST(EngineFacts, IdsRunningOnesFirstAndNoMoreThanAsked) {
  const std::string json = R"([{"Id":"aa","State":"exited"},{"Id":"bb","State":"running"},
    {"Id":"../x","State":"running"},{"Id":"","State":"running"},{"State":"running"},
    {"Id":"cc","State":"running"}])";
  EXPECT_EQ(parse_ids(json, 3).value(), (std::vector<std::string>{"bb", "cc", "aa"}));
  EXPECT_EQ(parse_ids(json, 2).value(), (std::vector<std::string>{"bb", "cc"}));
}

TEST(EngineFacts, WhatConcernsAGpu) {
  ContainerFact container;
  container.image = "postgres:17";
  EXPECT_FALSE(concerns_gpu(container));
  const auto with = [&](auto change) {
    ContainerFact changed = container;
    change(changed);
    return concerns_gpu(changed);
  };
  EXPECT_TRUE(with([](auto& c) { c.requests.emplace_back(); }));
  EXPECT_TRUE(with([](auto& c) { c.runtime = "nvidia"; }));
  EXPECT_TRUE(with([](auto& c) { c.device_paths = {"/dev/nvidia0"}; }));
  EXPECT_TRUE(with([](auto& c) { c.device_paths = {"nvidia.com/gpu=0"}; }));
  EXPECT_TRUE(with([](auto& c) { c.environment = {"NVIDIA_VISIBLE_DEVICES=all"}; }));
  EXPECT_TRUE(with([](auto& c) { c.image = "vllm/vllm-openai:v0.9"; }));
  EXPECT_FALSE(with([](auto& c) { c.device_paths = {"/dev/ttyUSB0"}; }));
  EXPECT_FALSE(with([](auto& c) { c.environment = {"LD_LIBRARY_PATH=/x"}; }));
}

TEST(EngineFacts, Images) {
  const auto image = parse_image(R"({"Id":"sha256:11","RepoTags":["nvidia/cuda:12.4.1-base","b"],
    "Config":{"Env":["CUDA_VERSION=12.4.1","NVIDIA_REQUIRE_CUDA=cuda>=12.4","SECRET=x"]}})");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->id, "sha256:11");
  EXPECT_EQ(image->name, "nvidia/cuda:12.4.1-base");
  EXPECT_EQ(image->cuda_version, "12.4.1");
  EXPECT_EQ(image->environment.size(), 2u);
}

TEST(EngineFacts, PathsOfComposeFilesAreMadeWhole) {
  const auto files = [](const std::string& named, const std::string& folder) {
    const auto container = parse_inspect(
        R"({"Id":"1","Config":{"Labels":{)"
        R"("com.docker.compose.project.working_dir":")" +
        folder + R"(","com.docker.compose.project.config_files":")" + named + R"("}}})");
    std::string all;
    for (const std::string& file : container.value().compose_files) all += file + " ";
    return all;
  };
  EXPECT_EQ(files("docker-compose.yml", "/srv/ai"), "/srv/ai/docker-compose.yml ");
  EXPECT_EQ(files("a.yaml,b/c.yaml", "/srv/ai"), "/srv/ai/a.yaml /srv/ai/b/c.yaml ");
  EXPECT_EQ(files("ai/a.yaml,ai/b.yaml,c.yaml", "/srv/ai"),
            "/srv/ai/a.yaml /srv/ai/b.yaml c.yaml ");
  EXPECT_EQ(files("../ai/a.yaml", "/srv/ai"), "/srv/ai/a.yaml ");
  EXPECT_EQ(files("/srv/a.yaml,b.yaml", "/srv"), "/srv/a.yaml b.yaml ");
  EXPECT_EQ(files("a.yaml", ""), "a.yaml ");
  EXPECT_EQ(files("", "/srv"), "");
}

TEST(EngineFacts, LogsWithAndWithoutFrames) {
  const auto frame = [](char stream, const std::string& text) {
    std::string out{stream, 0, 0, 0, 0, 0, 0};
    out += static_cast<char>(text.size());
    return out + text;
  };
  const std::vector<std::string> expected = {"one", "two"};
  EXPECT_EQ(parse_log(frame(1, "one\n") + frame(2, "two\n")), expected);
  EXPECT_EQ(parse_log("one\r\ntwo\r\n"), expected) << "of a terminal";
  EXPECT_EQ(parse_log(frame(1, "one\ntwo") + std::string("\1\0\0\0", 4)).size(), 2u) << "cut";
  EXPECT_TRUE(parse_log("").empty());
  EXPECT_EQ(parse_log(std::string(5000, 'x') + "\n").at(0).size(), 2048u);
}

TEST(EngineFacts, Times) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_time("2026-03-01T08:00:20.123456789Z"), 1772352020);
  EXPECT_EQ(parse_time("2026-03-01T10:00:20+02:00"), 1772352020);
  EXPECT_EQ(parse_time("2026-03-01T04:30:20.5-03:30"), 1772352020);
  EXPECT_EQ(parse_time("2024-02-29T00:00:00Z"), 1709164800);
  for (const char* text : {"", "0001-01-01T00:00:00Z", "2026", "2026-13-01T00:00:00Z", "x"}) {
    EXPECT_EQ(parse_time(text), 0) << text;
  }
}

class Report : public testing::Test {
 protected:
  EngineReport read(EngineQuestions questions = {}) {
    return read_engine(
        [this](const std::string& target) -> Result<std::string> {
          asked_.push_back(target);
          const auto found = answers_.find(target);
          if (found == answers_.end()) return fail(ErrorKind::not_found, "no " + target);
          return found->second;
        },
        questions, error_);
  }
  static std::string inspect(const std::string& id, const std::string& image, const char* name) {
    return R"({"Id":")" + id + R"(","Name":"/)" + name + R"(","Image":"sha256:11",)" +
           R"("State":{"StartedAt":"2026-03-01T08:00:20Z"},"Config":{"Image":")" + image + R"("}})";
  }

  std::map<std::string, std::string> answers_ = {
      {"/version", R"({"ApiVersion":"1.51","Version":"28.5.2"})"},
      {"/info", R"({"CgroupDriver":"systemd"})"},
      {"/containers/json?all=1", R"([{"Id":")" + kId + R"("},{"Id":")" + kOther + R"("}])"},
      {"/containers/" + kId + "/json", inspect(kId, "ollama/ollama", "ollama")},
      {"/containers/" + kOther + "/json", inspect(kOther, "postgres", "db")},
      {"/images/sha256:11/json", R"({"Id":"sha256:11"})"},
      {"/containers/" + kId + "/logs?stdout=1&stderr=1&tail=200&since=1772352020",
       "wanted\nnot\n"}};
  std::vector<std::string> asked_;
  Error error_;
};

TEST_F(Report, OnlyWhatConcernsAGpu) {
  EngineQuestions questions;
  questions.keeps_line = [](std::string_view line) { return line == "wanted"; };
  const auto report = read(questions);
  EXPECT_EQ(report.engine.state, EngineState::ready);
  EXPECT_TRUE(report.trouble.empty());
  ASSERT_EQ(report.containers.size(), 1u);
  EXPECT_EQ(report.containers[0].name, "ollama");
  EXPECT_EQ(report.containers[0].log, std::vector<std::string>{"wanted"});
  EXPECT_EQ(report.images.size(), 1u);
  EXPECT_EQ(asked_.size(), 7u);
}

TEST_F(Report, NoLogsAreAskedForUnlessWanted) {
  EXPECT_EQ(read().containers.at(0).log.size(), 0u);
  EXPECT_EQ(asked_.size(), 6u);
}

TEST_F(Report, WhatIsGoneMeanwhileIsNoted) {
  answers_.erase("/containers/" + kOther + "/json");
  answers_.erase("/images/sha256:11/json");
  answers_.erase("/info");
  const auto report = read();
  EXPECT_EQ(report.engine.state, EngineState::ready);
  EXPECT_EQ(report.containers.size(), 1u);
  EXPECT_EQ(report.trouble.size(), 3u);
}

TEST_F(Report, TheNumberOfContainersHasALimit) {
  EngineQuestions questions;
  questions.most_containers = 1;
  (void)read(questions);
  EXPECT_EQ(std::count(asked_.begin(), asked_.end(), "/containers/" + kOther + "/json"), 0);
  EXPECT_EQ(std::count(asked_.begin(), asked_.end(), "/containers/" + kId + "/json"), 1);
}

TEST_F(Report, WithoutAVersionNothingElseIsAsked) {
  answers_.erase("/version");
  const auto report = read();
  EXPECT_EQ(report.engine.state, EngineState::absent);
  EXPECT_EQ(error_.kind, ErrorKind::not_found);
  EXPECT_EQ(asked_.size(), 1u);
}

}  // namespace
}  // namespace estiva::container
