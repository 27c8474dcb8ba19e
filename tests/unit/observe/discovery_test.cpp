// What servers and engines answer, and what is made of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/discovery/containers.h"
#include "observe/discovery/ollama.h"
#include "observe/discovery/servers.h"

namespace estiva::observe {
namespace {

using testing::ElementsAre;

TEST(Discovery, ModelListsTellTheirEngine) {
  struct Case {
    const char* owner;
    const char* engine;
  };
  for (const Case& one : {Case{"llamacpp", "llama-server"}, Case{"vllm", "vLLM"},
                          Case{"sglang", "SGLang"}, Case{"me", "OpenAI API"}}) {
    const auto server = read_model_list(R"({"object":"list","data":[{"id":"a","owned_by":")" +
                                        std::string(one.owner) + R"("},{"id":"b"},{"id":7}]})");
    ASSERT_TRUE(server);
    EXPECT_EQ(server->engine, one.engine);
    EXPECT_THAT(server->models, ElementsAre("a", "b"));
  }
  EXPECT_FALSE(read_model_list(R"({"data":[]})"));
  EXPECT_FALSE(read_model_list(R"({"data":{"id":"a"}})"));
  EXPECT_FALSE(read_model_list("<html>"));
}

TEST(Discovery, ImagesThatServeModels) {
  EXPECT_EQ(served_by_image("ollama/ollama"), "Ollama");
  EXPECT_EQ(served_by_image("docker.io/ollama/ollama:0.12.3-rocm"), "Ollama");
  EXPECT_EQ(served_by_image("localhost:5000/vllm/vllm-openai:v0.9@sha256:abc"), "vLLM");
  EXPECT_EQ(served_by_image("ghcr.io/ggml-org/llama.cpp:server-cuda"), "llama-server");
  EXPECT_EQ(served_by_image("ghcr.io/coqui-ai/xtts-streaming-server"), "XTTS");
  EXPECT_EQ(served_by_image("nginx:ollama"), "");  // a tag is no repository
  EXPECT_EQ(served_by_image("postgres"), "");
  EXPECT_EQ(served_by_image(""), "");
}

TEST(Discovery, ContainersHaveTheirPortsOnThisMachine) {
  const std::string id(64, 'a'), other(64, 'b');
  const auto found = parse_model_containers(
      R"([{"Id":")" + id + R"(","Names":["/chat-llm-1"],"Image":"vllm/vllm-openai:latest",)" +
      R"("State":"running","Labels":{"com.docker.compose.project":"chat",)" +
      R"("com.docker.compose.service":"llm"},"Ports":[)" +
      R"({"IP":"0.0.0.0","PrivatePort":8000,"PublicPort":8001,"Type":"tcp"},)" +
      R"({"IP":"::","PrivatePort":8000,"PublicPort":8001,"Type":"tcp"},)" +
      R"({"IP":"192.168.1.2","PrivatePort":9,"PublicPort":9,"Type":"tcp"},)" +
      R"({"PrivatePort":80,"Type":"tcp"}]},)" + R"({"Id":")" + other +
      R"(","Names":["/db"],"Image":"postgres","State":"running","Labels":{},"Ports":[]}])");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  const FoundContainer& one = found->front();
  EXPECT_EQ(one.project + "/" + one.service, "chat/llm");
  EXPECT_EQ(one.serves, "vLLM");
  EXPECT_TRUE(one.is_running);
  EXPECT_THAT(one.ports, ElementsAre(8001));
  EXPECT_FALSE(parse_model_containers("{}"));
}

TEST(Discovery, OllamaHostIsReadAsOllamaReadsIt) {
  struct Case {
    const char* host;
    const char* endpoint;  // empty: not this machine
  };
  for (const Case& one :
       {Case{"", "127.0.0.1:11434"}, Case{"0.0.0.0", "127.0.0.1:11434"},
        Case{":8080", "127.0.0.1:8080"}, Case{"127.0.0.1:1234", "127.0.0.1:1234"},
        Case{"http://localhost:11435/", "localhost:11435"}, Case{"[::1]", "[::1]:11434"},
        Case{"192.168.1.2:11434", ""}, Case{"https://ollama.example", ""}}) {
    const auto endpoint = ollama_endpoint(one.host);
    EXPECT_EQ(endpoint ? net::to_text(*endpoint) : "", one.endpoint) << one.host;
  }
}

}  // namespace
}  // namespace estiva::observe
