#include "format/model_toml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::format {
namespace {

using testing::ElementsAre;

TEST(ModelToml, ATableIsReadBackAsWhatItWas) {
  ModelTable table;
  table.spec.name = "qwen2.5:7b";
  table.spec.engine = ModelEngine::llama_server;
  table.spec.file = "/models/a \"b\"\\c\n\x7fü.gguf";
  table.spec.url = "http://127.0.0.1:8080";
  table.spec.model = "id";
  table.spec.command = {"vllm", "--port", "${PORT}"};
  table.spec.vram = mib(3500);
  table.remarks = {"Found:\nx = 1", "\x1b[31mred"};
  table.vram_remark = "estimated";
  const std::string text = format_model_table(table);
  const auto models = parse_model_identities(text, "f");
  ASSERT_TRUE(models) << models.error().sentence() << text;
  ASSERT_EQ(models->size(), 1U);
  const ModelIdentity& one = models->front();
  EXPECT_EQ(one.name, table.spec.name);
  EXPECT_EQ(one.engine, "llama-server");
  EXPECT_EQ(one.file, table.spec.file);
  EXPECT_EQ(one.url, table.spec.url);
  EXPECT_EQ(one.model, "id");
  EXPECT_THAT(one.command, ElementsAre("vllm", "--port", "${PORT}"));
  EXPECT_THAT(text, testing::HasSubstr("vram = \"3500MiB\"  # estimated\n"));
  EXPECT_EQ(text.find('\x1b'), text.npos);
}

TEST(ModelToml, AnUnknownNeedIsALineToFillIn) {
  ModelTable table;
  table.spec.name = "tts";
  table.spec.engine = ModelEngine::container;
  table.spec.container = "voice/tts";
  table.vram_remark = "not known";
  EXPECT_EQ(format_model_table(table),
            "[models.tts]\nengine = \"container\"\ncontainer = \"voice/tts\"\n"
            "# vram = \"4GiB\"  # not known\n");
}

TEST(ModelToml, NamesAreMadeValid) {
  EXPECT_EQ(to_model_name("Qwen3-8B-Q4_K_M"), "qwen3-8b-q4_k_m");
  EXPECT_EQ(to_model_name("..-My Model (v2)"), "my-model--v2-");
  EXPECT_EQ(to_model_name("hf.co/Qwen/x:Q4"), "hf.co/qwen/x:q4");
  EXPECT_EQ(to_model_name("\xff\xfe"), "model");
  EXPECT_EQ(to_model_name(std::string(500, 'a')).size(), 100U);
  for (const char* text : {"", "-", "...", "ü", "a b"})
    EXPECT_TRUE(is_model_name(to_model_name(text))) << text;
  EXPECT_FALSE(is_model_name(".a"));
  EXPECT_FALSE(is_model_name("a b"));
}

TEST(ModelToml, OtherTablesDoNotMatter) {
  const auto models = parse_model_identities(
      "[daemon]\nlisten = \"off\"\n[models.a]\nengine = \"process\"\ncommand = [\"x\"]\nnew = 1\n"
      "[models.\"b:c\"]\nengine = 7\n",
      "f");
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 2U);
  EXPECT_EQ((*models)[0].name, "a");
  EXPECT_EQ((*models)[1].name, "b:c");
  EXPECT_EQ((*models)[1].engine, "");
  EXPECT_TRUE(parse_model_identities("", "f")->empty());
  const auto broken = parse_model_identities("[models.a\n", "here.toml");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().what, testing::StartsWith("here.toml:1:"));
}

}  // namespace
}  // namespace estiva::format
