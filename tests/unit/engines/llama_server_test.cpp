// The real llama-server (bench/peers llama-server) with a GGUF of tests/tiny_gguf.py.
#include <filesystem>
#include <fmt/ranges.h>

#include "engine_fixture.h"
#include "engines/program_kind.h"
#include "host/program.h"
#include "net/fetch.h"

namespace estiva::engines {
namespace {

std::string peers() {
  const char* folder = std::getenv("ESTIVA_PEERS_DIR");
  return folder != nullptr ? folder : ESTIVA_SOURCE_DIR "/build/peers";
}

TEST(LlamaServerCommand, a_file_is_enough) {
  ModelSpec spec;
  spec.name = "tiny";
  spec.file = "/m/tiny.gguf";
  EXPECT_EQ(fmt::format("{}", fmt::join(llama_server_kind().command(spec), " ")),
            "llama-server --model /m/tiny.gguf --host 127.0.0.1 --port ${PORT} --alias tiny");
  spec.model = "llama-3";
  spec.command = {"/opt/llama-server", "-ngl", "99", "--port=${PORT}"};
  EXPECT_EQ(fmt::format("{}", fmt::join(llama_server_kind().command(spec), " ")),
            "/opt/llama-server -ngl 99 --port=${PORT} --model /m/tiny.gguf --alias llama-3");
}

struct LlamaServer : EngineTest {
  void SetUp() override {
    const std::string program = peers() + "/bin/llama-server";
    if (!std::filesystem::exists(program))
      GTEST_SKIP() << "no llama-server: bench/peers fetches it";
    spec.engine = ModelEngine::llama_server;
    spec.file = dir.path() + "/tiny.gguf";
    spec.command = {program, "--threads", "1"};
    const auto made = host::ask_program(
        {"python3", "-B", ESTIVA_SOURCE_DIR "/tests/tiny_gguf.py", spec.file}, {20'000ms});
    ASSERT_TRUE(made && made->exit_code == 0);
    make();
  }
};

TEST_F(LlamaServer, tells_its_version) {
  const auto facts = run(engine->probe());
  ASSERT_TRUE(facts) << facts.error().sentence();
  EXPECT_TRUE(facts->version.starts_with("0.") || facts->version.starts_with("1."))
      << facts->version;
  EXPECT_FALSE(facts->can_sleep);
}

TEST_F(LlamaServer, loads_answers_is_adopted_and_ends) {
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const std::string record = engine->record();
  make();
  const auto adopted = run(engine->adopt(record));
  ASSERT_TRUE(adopted) << adopted.error().sentence();

  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/completions";
  request.headers.add("Content-Type", "application/json");
  request.body = R"({"model":"tiny","prompt":"hello","max_tokens":2})";
  const auto answer = net::fetch(adopted->endpoint, request);
  ASSERT_TRUE(answer) << answer.error().sentence();
  EXPECT_EQ(answer->head.status, 200) << answer->body;
  EXPECT_NE(answer->body.find("\"model\":\"tiny\""), std::string::npos) << answer->body;
  EXPECT_FALSE(engine->log_tail().empty());

  ASSERT_TRUE(run(engine->stop()));
  EXPECT_FALSE(is_alive(running->holder->pid));
}

TEST_F(LlamaServer, a_file_that_is_no_model_is_told_in_its_own_words) {
  spec.file = dir.write("broken.gguf", "GGUF and no more");
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().kind, ErrorKind::failed);
  EXPECT_NE(running.error().what.find("exiting due to model loading error"), std::string::npos)
      << running.error().what;
}

}  // namespace
}  // namespace estiva::engines
