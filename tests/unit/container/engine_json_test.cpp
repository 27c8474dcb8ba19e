// Answers of the Docker Engine API. The texts are in the form that dockerd 20.10.24 and
// Podman 4.3.1 of Debian 12 give (the members that are not used are left out).
#include "container/engine_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace estiva::container {
namespace {

const std::string kId(64, 'a');

std::string row(const std::string& id, const std::string& more) {
  return R"({"Id":")" + id + R"(",)" + more + "}";
}

TEST(EngineJson, AVersionOfDockerAndOfPodman) {
  const auto docker = parse_version(
      R"({"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"20.10.24+dfsg1"}],)"
      R"("Version":"20.10.24+dfsg1","ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux"})");
  ASSERT_TRUE(docker);
  EXPECT_EQ(docker->name, "Docker");
  EXPECT_EQ(docker->version, "20.10.24+dfsg1");
  EXPECT_EQ(docker->api_version, "1.41");
  EXPECT_EQ(docker->min_api_version, "1.12");
  const auto podman = parse_version(
      R"({"Components":[{"Name":"Podman Engine","Version":"4.3.1"}],"Version":"4.3.1",)"
      R"("ApiVersion":"1.41","MinAPIVersion":"1.24"})");
  ASSERT_TRUE(podman);
  EXPECT_EQ(podman->name, "Podman");
}

TEST(EngineJson, WhatIsNoVersion) {
  for (const char* text : {"", "[]", "null", "{}", R"({"ApiVersion":1.41})",
                           R"({"ApiVersion":"one"})", "<html>502 Bad Gateway</html>"}) {
    EXPECT_FALSE(parse_version(text)) << text;
  }
}

TEST(EngineJson, AContainerOfAComposeProject) {
  const auto containers = parse_containers(
      "[" +
      row(kId, R"("Names":["/chat-llm-1"],"Image":"ollama/ollama:0.5","State":"running",)"
               R"j("Status":"Up 2 hours (healthy)","Labels":{"com.docker.compose.project":"chat",)j"
               R"("com.docker.compose.service":"llm","estiva.model":"qwen2.5:7b"})") +
      "]");
  ASSERT_TRUE(containers);
  ASSERT_EQ(containers->size(), 1U);
  EXPECT_EQ((*containers)[0], (Container{kId, "chat-llm-1", "ollama/ollama:0.5", "chat", "llm",
                                         "qwen2.5:7b", ContainerState::running, "healthy"}));
}

TEST(EngineJson, HealthStandsAtTheEndOfTheStatus) {
  const auto health = [](const std::string& status) {
    const auto containers = parse_containers("[" + row(kId, R"("Status":")" + status + "\"") + "]");
    return containers ? containers->at(0).health : "none";
  };
  EXPECT_EQ(health("Up 5 seconds (health: starting)"), "starting");
  EXPECT_EQ(health("Up 5 minutes (unhealthy)"), "unhealthy");
  EXPECT_EQ(health("Up 5 minutes"), "");
  EXPECT_EQ(health("Exited (0) 3 days ago"), "");
}

TEST(EngineJson, EachStateHasItsName) {
  for (const char* state :
       {"created", "running", "paused", "restarting", "removing", "exited", "dead"}) {
    const auto containers =
        parse_containers("[" + row(kId, fmt::format(R"("State":"{}")", state)) + "]");
    ASSERT_TRUE(containers);
    EXPECT_EQ(to_name(containers->at(0).state), state);
  }
}

TEST(EngineJson, AnAliasOfAnOldLinkIsNotTheName) {
  const auto containers =
      parse_containers("[" + row(kId, R"("Names":["/web/db","/real","/other/db"])") + "]");
  ASSERT_TRUE(containers);
  EXPECT_EQ(containers->at(0).name, "real");
}

TEST(EngineJson, RowsWithoutAnIdAreLeftOutAndTheRestIsSorted) {
  const std::string b(64, 'b');
  const auto containers = parse_containers(
      "[" + row(b, R"("Image":"x")") + ",7,null,{}," + row("short", R"("Image":"x")") + "," +
      row(kId, R"("Image":5,"Labels":[],"Names":"no")") + "," + row(b, R"("Image":"again")") + "]");
  ASSERT_TRUE(containers);
  ASSERT_EQ(containers->size(), 2U);
  EXPECT_EQ((*containers)[0].id, kId);
  EXPECT_EQ((*containers)[1].id, b);
}

TEST(EngineJson, FiveThousandAreCutAndLongTextsToo) {
  std::string text = "[";
  for (int i = 0; i < 5000; ++i) {
    text += (i == 0 ? "" : ",") +
            row(fmt::format("{:064x}", i), R"("Image":")" + std::string(600, 'x') + "\"");
  }
  const auto containers = parse_containers(text + "]");
  ASSERT_TRUE(containers);
  EXPECT_EQ(containers->size(), kMostContainers);
  EXPECT_EQ(containers->at(0).image.size(), 512U);
}

TEST(EngineJson, WhatIsNoListOfContainers) {
  for (const char* text : {"", "{}", R"({"message":"page not found"})", "[", "null"}) {
    EXPECT_FALSE(parse_containers(text)) << text;
  }
  EXPECT_FALSE(parse_containers(std::string(100, '[')));
}

TEST(EngineJson, AnEventNamesItsContainer) {
  EXPECT_EQ(
      parse_event(R"({"status":"die","id":"x","Type":"container","Action":"die","Actor":{"ID":")" +
                  kId + R"(","Attributes":{"name":"a"}},"time":1})"),
      kId);
  EXPECT_EQ(parse_event(R"({"Type":"network","Action":"connect","Actor":{"ID":")" + kId + "\"}}"),
            std::nullopt);
  for (const char* text : {"", "{}", "[]", R"({"Type":"container"})",
                           R"({"Type":"container","Actor":{"ID":"../../etc"}})"}) {
    EXPECT_EQ(parse_event(text), std::nullopt) << text;
  }
}

TEST(EngineJson, VersionsAreNumbers) {
  EXPECT_TRUE(is_older("1.5", "1.41"));
  EXPECT_TRUE(is_older("1.41", "1.47"));
  EXPECT_FALSE(is_older("1.47", "1.47"));
  EXPECT_FALSE(is_older("2.0", "1.47"));
  EXPECT_FALSE(is_older("", "1.47"));
  EXPECT_FALSE(is_older("x.y", "1.47"));
}

}  // namespace
}  // namespace estiva::container
