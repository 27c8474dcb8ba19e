// What one container is, from an engine's answer; what a real dockerd answers is in tests/engines.
#include "container/standing.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::container {
namespace {

// An answer with these members, shortened from that of Docker 28.2.
std::string inspect(std::string_view ports, std::string_view exposed, std::string_view network) {
  return fmt::format(
      R"({{"Id":"{}","Name":"/tts","Image":"sha256:12","RestartCount":3,
"State":{{"Status":"running","Pid":7,"ExitCode":0,"OOMKilled":false,"StartedAt":"2026-11-30T10:00:00.5Z",
"Health":{{"Status":"starting"}}}},
"Config":{{"Image":"tts:1","ExposedPorts":{},"Labels":{{"com.docker.compose.project":"p","com.docker.compose.service":"s"}}}},
"HostConfig":{{"NetworkMode":"{}"}},
"NetworkSettings":{{"Ports":{},"Networks":{{"a":{{"IPAddress":"172.18.0.2"}}}}}}}})",
      std::string(64, 'a'), exposed, network, ports);
}

std::string address(const std::string& json) {
  const auto standing = parse_standing(json);
  if (!standing) return standing.error().what;
  const auto endpoint = address_of(*standing);
  return endpoint ? net::to_text(*endpoint) : std::string(kind_name(endpoint.error().kind));
}

TEST(Standing, WhatIsUsedOfIt) {
  const auto standing = parse_standing(inspect("{}", "{}", "p_default"));
  ASSERT_TRUE(standing);
  EXPECT_EQ(standing->name, "tts");
  EXPECT_EQ(standing->state, ContainerState::running);
  EXPECT_EQ(standing->started_at, "2026-11-30T10:00:00.5Z");
  EXPECT_EQ(standing->pid, 7);
  EXPECT_EQ(standing->restarts, 3U);
  EXPECT_EQ(standing->health, "starting");
  EXPECT_EQ(standing->project + "/" + standing->service, "p/s");
}

TEST(Standing, WhereItIsReached) {
  struct Case {
    const char* ports;
    const char* exposed;
    const char* network;
    const char* reached;
  };
  for (
      const Case& one : {
          Case{
              R"({"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}]})",
              R"({"80/tcp":{}})", "n", "127.0.0.1:8080"},
          Case{R"({"80/tcp":[{"HostIp":"::","HostPort":"8080"}]})", "{}", "n", "[::1]:8080"},
          Case{
              R"({"80/tcp":[{"HostIp":"192.168.1.2","HostPort":"80"}],"53/udp":[{"HostPort":"53"}]})",
              "{}", "n", "192.168.1.2:80"},
          Case{R"({"80/tcp":null})", R"({"80/tcp":{},"53/udp":{}})", "n", "172.18.0.2:80"},
          Case{"{}", R"({"80/tcp":{}})", "host", "127.0.0.1:80"},
          Case{"{}", R"({"80/tcp":{},"81/tcp":{}})", "n", "usage"},
          Case{"{}", "{}", "n", "usage"},
          Case{R"({"80/tcp":[{"HostPort":"99999"}]})", "null", "n", "usage"},
      }) {
    EXPECT_EQ(address(inspect(one.ports, one.exposed, one.network)), one.reached)
        << one.ports << one.exposed;
  }
}

TEST(Standing, WhatIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"message":"No such container: x"})"})
    EXPECT_FALSE(parse_standing(text)) << text;
}

}  // namespace
}  // namespace estiva::container
