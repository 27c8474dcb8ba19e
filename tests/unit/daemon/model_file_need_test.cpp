// What a llama-server's model needs, from the head of its GGUF and the options of its command.
#include "daemon/model_file_need.h"

#include <fstream>
#include <gtest/gtest.h>

#include "host/program.h"
#include "support.h"

namespace estiva::daemon {
namespace {

using Words = std::vector<std::string>;

TEST(ModelFileNeed, OptionsAreReadAsLlamaServerReadsThem) {
  EXPECT_EQ(wish_of({}).context, 0U);
  EXPECT_EQ(wish_of({"llama-server", "-c", "8192"}).context, 8192U);
  EXPECT_EQ(wish_of({"llama-server", "--ctx-size=2048", "-c", "512"}).context, 512U) << "the last";
  EXPECT_EQ(wish_of({"x", "--parallel", "4"}).slots, 4U);
  EXPECT_EQ(wish_of({"x", "-np", "nonsense"}).slots, 1U);
  EXPECT_EQ(wish_of({"x"}).value_bytes, 2);
  EXPECT_EQ(wish_of({"x", "-ctk", "q8_0", "-ctv", "q8_0"}).value_bytes, 34.0 / 32);
  EXPECT_EQ(wish_of({"x", "-c"}).context, 0U) << "nothing behind it";
}

TEST(ModelFileNeed, OnlyAFileWithoutADeclaredNeedIsRead) {
  ModelSpec spec;
  spec.engine = ModelEngine::llama_server;
  EXPECT_FALSE(is_estimated(spec));
  spec.file = "/m/x.gguf";
  EXPECT_TRUE(is_estimated(spec));
  spec.vram = gib(1);
  EXPECT_FALSE(is_estimated(spec));
  spec.vram.reset();
  spec.engine = ModelEngine::process;
  EXPECT_FALSE(is_estimated(spec));
}

class ModelFile : public testing::Test {
 protected:
  ModelFile() {
    spec_.engine = ModelEngine::llama_server;
    spec_.file = folder_.path() + "/tiny.gguf";
    const auto made =
        host::ask_program({"python3", "-B", ESTIVA_SOURCE_DIR "/tests/tiny_gguf.py", spec_.file},
                          {std::chrono::milliseconds(20'000)});
    EXPECT_TRUE(made && made->exit_code == 0);
  }
  Result<ModelFileNeed> read() { return read_model_file_need(root_, spec_); }

  TemporaryFolder folder_;
  host::Root root_ = *host::Root::open("/");
  ModelSpec spec_;
};

TEST_F(ModelFile, TheContextOfTheEstimateIsWhatTheServerIsTold) {
  const auto need = read();
  ASSERT_TRUE(need) << need.error().sentence();
  EXPECT_GT(need->need, decide::kProcessNeed);
  EXPECT_EQ(need->need.value % (1 << 20), 0U);
  ASSERT_EQ(need->options.size(), 2U);
  EXPECT_EQ(need->options[0], "-c");
  spec_.command = {"llama-server", "-c", "1048576"};
  const auto longer = read();
  ASSERT_TRUE(longer);
  EXPECT_GT(longer->need, need->need) << "a longer context needs more";
  EXPECT_TRUE(longer->options.empty()) << "it says one itself";
}

TEST_F(ModelFile, WhatIsNoModelIsAnError) {
  std::ofstream(spec_.file) << "no model";
  EXPECT_FALSE(read());
  spec_.file = folder_.path() + "/nothing";
  EXPECT_FALSE(read());
}

}  // namespace
}  // namespace estiva::daemon
