// From what was found to a configuration: names, engines, and what is left out.
#include "decide/residency/propose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FoundFile gguf(const std::string& path) {
  FoundFile found;
  found.path = path;
  found.file.architecture = "llama";
  found.file.weights = gib(4);
  found.file.geometry.blocks = 32;
  found.file.geometry.embedding = 4096;
  found.file.geometry.heads = {32};
  found.file.geometry.kv_heads = {8};
  found.file.geometry.vocabulary = 32000;
  return found;
}
FoundContainer container(const std::string& name, const std::string& serves) {
  FoundContainer found;
  found.id = found.name = name;
  found.image = serves + ":latest";
  found.serves = serves;
  found.is_running = true;
  return found;
}
Proposals propose(const Discovery& found, const std::vector<format::ModelIdentity>& there = {}) {
  return propose_models(found, {}, there);
}
std::vector<std::string> names(const Proposals& proposals) {
  std::vector<std::string> out;
  for (const Proposal& one : proposals.models) out.push_back(one.spec.name);
  return out;
}

TEST(Propose, AGgufIsServedByLlamaServer) {
  Discovery found;
  found.files = {gguf("/m/Qwen3-8B-Q4_K_M-00001-of-00003.gguf")};
  const Proposals proposals = propose(found);
  ASSERT_EQ(names(proposals), std::vector<std::string>{"qwen3-8b-q4_k_m"});
  const Proposal& one = proposals.models.front();
  EXPECT_EQ(one.spec.engine, ModelEngine::llama_server);
  EXPECT_EQ(one.spec.file, found.files[0].path);
  EXPECT_EQ(one.spec.model, "");
  // 4096 + 512 + (32000 + 2 x 4096) x 512 x 4 bytes + 457, up to a whole MiB.
  EXPECT_EQ(one.spec.vram, mib(4096 + 512 + 79 + 457));
  EXPECT_THAT(one.need_text, HasSubstr("KV cache 512 MiB for 4096 tokens"));
}

TEST(Propose, NamesAreValidAndEachOnce) {
  Discovery found;
  found.files = {gguf("/a/x y.gguf"), gguf("/b/x y.gguf"),
                 gguf("/c/ggml-org_gemma-3-4b-it-GGUF_gemma-3-4b-it-Q4_K_M.gguf")};
  EXPECT_THAT(names(propose(found, {{.name = "x-y"}})),
              ElementsAre("gemma-3-4b-it-q4_k_m", "x-y-2", "x-y-3"));
}

TEST(Propose, WhatIsConfiguredKeepsItsName) {
  Discovery found;
  found.files = {gguf("/m/a.gguf"), gguf("/m/b.gguf")};
  const Proposals proposals =
      propose(found, {{.name = "mine", .engine = "llama-server", .file = "/m/a.gguf"},
                      {.name = "other", .engine = "process", .file = "/m/b.gguf"}});
  EXPECT_THAT(names(proposals), ElementsAre("b", "mine"));
  EXPECT_EQ(proposals.models[1].configured_as, "mine");
  const std::string text = format_proposals(proposals.models);
  EXPECT_THAT(text, HasSubstr("[models.b]"));
  EXPECT_THAT(text, Not(HasSubstr("mine")));
}

TEST(Propose, OllamasModelsKeepTheirNames) {
  Discovery found;
  FoundOllama ollama;
  ollama.url = "http://127.0.0.1:11434";
  ollama.version = "0.12.3";
  ollama.models.resize(3);
  ollama.models[0].name = "llama3:latest";
  ollama.models[0].file.weights = gib(4);
  ollama.models[0].vram = gib(5);
  ollama.models[1].name = "qwen2.5:7b";
  ollama.models[2].name = "big:cloud";
  ollama.models[2].is_remote = true;
  found.ollama = {ollama};
  const Proposals proposals = propose(found);
  EXPECT_THAT(names(proposals), ElementsAre("big:cloud", "llama3", "qwen2.5:7b"));
  EXPECT_EQ(proposals.models[1].spec.model, "llama3:latest");
  EXPECT_EQ(proposals.models[2].spec.model, "");
  EXPECT_EQ(proposals.models[1].spec.url, "");  // Ollama's usual place
  EXPECT_THAT(proposals.models[1].remarks, Contains(HasSubstr("5.00 GiB of VRAM")));
  EXPECT_FALSE(proposals.models[0].spec.vram);
  // Named by its full name, or by the table's own.
  EXPECT_EQ(propose(found, {{.name = "qwen2.5:7b", .engine = "ollama"}}).models[2].configured_as,
            "qwen2.5:7b");
}

TEST(Propose, AContainersServerIsOneModel) {
  Discovery found;
  FoundContainer vllm = container("chat-llm-1", "vLLM");
  vllm.project = "chat";
  vllm.service = "llm";
  vllm.ports = {8000};
  found.containers = {vllm, container("tts", "XTTS")};
  FoundServer server;
  server.url = "http://127.0.0.1:8000";
  server.port = 8000;
  server.engine = "vLLM";
  server.models = {"Qwen/Qwen3-8B"};
  found.servers = {server};
  const Proposals proposals = propose(found);
  ASSERT_THAT(names(proposals), ElementsAre("llm", "tts"));
  const ModelSpec& llm = proposals.models[0].spec;
  EXPECT_EQ(llm.engine, ModelEngine::container);
  EXPECT_EQ(llm.container, "chat/llm");
  EXPECT_EQ(llm.url, "http://127.0.0.1:8000");
  EXPECT_EQ(llm.model, "Qwen/Qwen3-8B");
  EXPECT_FALSE(llm.vram);
  EXPECT_THAT(proposals.models[1].remarks, Contains(HasSubstr("publishes no port")));
}

TEST(Propose, ReplicasAreOneServiceThatHasToBeNamed) {
  Discovery found;
  for (const char* name : {"chat-llm-1", "chat-llm-2"}) {
    FoundContainer one = container(name, "vLLM");
    one.project = "chat";
    one.service = "llm";
    found.containers.push_back(one);
  }
  const Proposals proposals = propose(found);
  ASSERT_EQ(proposals.models.size(), 1U);
  EXPECT_THAT(proposals.models[0].remarks, Contains(HasSubstr("several containers")));
}

TEST(Propose, AServerThatNobodyStartedForUsIsRemote) {
  Discovery found;
  FoundServer server;
  server.url = "http://127.0.0.1:8080";
  server.port = 8080;
  server.engine = "llama-server";
  server.models = {"/m/a.gguf"};
  server.file = "/m/a.gguf";
  found.servers = {server};
  Proposals proposals = propose(found);
  ASSERT_THAT(names(proposals), ElementsAre("a"));
  EXPECT_EQ(proposals.models[0].spec.engine, ModelEngine::remote);
  // Its file was found too: one model, with a warning.
  found.files = {gguf("/m/a.gguf")};
  proposals = propose(found);
  ASSERT_THAT(names(proposals), ElementsAre("a"));
  EXPECT_EQ(proposals.models[0].spec.engine, ModelEngine::llama_server);
  EXPECT_THAT(proposals.models[0].remarks, Contains(HasSubstr("has it loaded already")));
}

TEST(Propose, WhatIsNoModelIsNotProposed) {
  Discovery found;
  FoundFile pictures = gguf("/m/mmproj.gguf"), adapter = pictures, vocabulary = pictures,
            cut = pictures, odd = gguf("/m/\xff.gguf");
  pictures.file.architecture = "clip";
  adapter.file.kind = "adapter";
  vocabulary.file.weights = {};
  cut.path = "/m/cut.gguf";
  cut.problem = "1 of 2 are there";
  found.files = {pictures, adapter, vocabulary, cut, odd};
  found.containers = {container("ollama", "Ollama")};
  const Proposals proposals = propose(found);
  EXPECT_THAT(proposals.models, IsEmpty());
  EXPECT_THAT(proposals.left_out,
              ElementsAre("/m/cut.gguf is left out: 1 of 2 are there", HasSubstr("not UTF-8"),
                          HasSubstr("ollama (Ollama:latest) did not answer")));
}

TEST(Propose, TheConfigurationIsToml) {
  Discovery found;
  found.files = {gguf("/m/a.gguf"), gguf("/m/b \"c\".gguf")};
  found.containers = {container("tts", "XTTS")};
  const std::string text = format_proposals(propose(found).models);
  const auto models = format::parse_model_identities(text, "f");
  ASSERT_TRUE(models) << text;
  EXPECT_EQ(models->size(), 3U);
}

}  // namespace
}  // namespace estiva::decide
