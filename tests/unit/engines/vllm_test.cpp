// vLLM's sleep, by a stand-in of its documented API: no vLLM runs without a GPU.
#include "engine_fixture.h"
#include "engines/program_kind.h"
#include "net/fetch.h"

namespace estiva::engines {
namespace {

struct Vllm : EngineTest {
  Vllm() {
    spec.engine = ModelEngine::vllm;
    spec.command = {"python3", "-B", ESTIVA_SOURCE_DIR "/tests/unit/engines/vllm_stand_in.py",
                    "serve", "tiny"};
  }
  void load_it(const std::vector<std::string>& further = {}) {
    spec.command.insert(spec.command.end(), further.begin(), further.end());
    make();
    const auto loaded = load();
    ASSERT_TRUE(loaded) << loaded.error().sentence();
    running = *loaded;
  }
  std::string ask(const char* method, const char* target) {
    net::ClientRequest request;
    request.method = method;
    request.target = target;
    const auto answer = net::fetch(running.endpoint, request);
    return answer ? fmt::format("{} {}", answer->head.status, answer->body) : answer.error().what;
  }
  std::string completion() { return ask("POST", "/v1/completions"); }

  Running running;
};

TEST_F(Vllm, its_command_says_what_to_serve_and_where) {
  ModelSpec wanted;
  wanted.name = "qwen";
  wanted.model = "Qwen/Qwen3-0.6B";
  EXPECT_EQ(
      fmt::format("{}", fmt::join(vllm_kind().command(wanted), " ")),
      "vllm serve Qwen/Qwen3-0.6B --served-model-name Qwen/Qwen3-0.6B --host 127.0.0.1 --port "
      "${PORT} --enable-sleep-mode");
  wanted.command = {"vllm", "serve", "/m", "--port", "8000"};
  wanted.may_sleep = false;
  EXPECT_EQ(fmt::format("{}", fmt::join(vllm_kind().command(wanted), " ")),
            "vllm serve /m --port 8000");
}

TEST_F(Vllm, sleeps_and_wakes_at_level_one) {
  load_it();
  EXPECT_TRUE(run(engine->probe())->can_sleep);
  EXPECT_EQ(completion(), "200 right");
  ASSERT_TRUE(run(engine->sleep()));
  EXPECT_EQ(completion(), "503 the model is sleeping");
  const auto woken = run(engine->wake({}));
  ASSERT_TRUE(woken) << woken.error().sentence();
  EXPECT_EQ(woken->holder, running.holder);
  EXPECT_EQ(completion(), "200 right");
  EXPECT_EQ(ask("GET", "/asked").find("reload"), std::string::npos);
}

TEST_F(Vllm, where_ram_is_not_allowed_the_weights_are_read_again) {
  spec.host_memory = Bytes{0};
  load_it();
  ASSERT_TRUE(run(engine->sleep()));
  ASSERT_TRUE(run(engine->wake({})));
  EXPECT_EQ(completion(), "200 right");
  EXPECT_NE(ask("GET", "/asked")
                .find("POST /sleep?level=2\nGET /is_sleeping\nPOST /wake_up\nPOST "
                      "/collective_rpc\nPOST /reset_prefix_cache"),
            std::string::npos)
      << ask("GET", "/asked");
}

TEST_F(Vllm, one_that_sleeps_is_adopted_asleep_and_wakes_from_its_own_level) {
  spec.host_memory = Bytes{0};
  load_it();
  ASSERT_TRUE(run(engine->sleep()));
  const std::string record = engine->record();
  EXPECT_EQ(record, kept.back());
  spec.host_memory.reset();  // the next daemon's configuration would sleep at level 1
  make();
  const auto adopted = run(engine->adopt(record));
  ASSERT_TRUE(adopted) << adopted.error().sentence();
  EXPECT_TRUE(adopted->is_asleep);
  const auto woken = run(engine->wake({}));
  ASSERT_TRUE(woken) << woken.error().sentence();
  EXPECT_FALSE(woken->is_asleep);
  EXPECT_EQ(completion(), "200 right");
}

TEST_F(Vllm, one_that_woke_before_it_was_kept_is_adopted_awake) {
  load_it();
  ASSERT_TRUE(run(engine->sleep()));
  const std::string record = engine->record();
  ask("POST", "/wake_up");
  make();
  const auto adopted = run(engine->adopt(record));
  ASSERT_TRUE(adopted) << adopted.error().sentence();
  EXPECT_FALSE(adopted->is_asleep);
}

TEST_F(Vllm, without_its_sleep_mode_it_stays_as_it_was_and_says_what_to_do) {
  load_it({"--no-sleep"});
  const auto slept = run(engine->sleep());
  ASSERT_FALSE(slept);
  EXPECT_NE(slept.error().remedy.find("--enable-sleep-mode"), std::string::npos);
  EXPECT_EQ(completion(), "200 right");
  EXPECT_NE(engine->record(), "");
}

TEST_F(Vllm, an_error_of_sleep_leaves_it_as_it_was) {
  load_it({"--fail", "/sleep"});
  const auto slept = run(engine->sleep());
  ASSERT_FALSE(slept);
  EXPECT_NE(slept.error().what.find("/sleep?level=1 with status 500: Internal Server Error"),
            std::string::npos)
      << slept.error().what;
  EXPECT_EQ(completion(), "200 right");
}

TEST_F(Vllm, one_that_does_not_wake_up_whole_is_ended) {
  spec.host_memory = Bytes{0};
  load_it({"--fail", "/collective_rpc"});
  ASSERT_TRUE(run(engine->sleep()));
  const auto woken = run(engine->wake({}));
  ASSERT_FALSE(woken);
  EXPECT_EQ(woken.error().kind, ErrorKind::no_room) << woken.error().what;
  EXPECT_EQ(engine->record(), "");
  EXPECT_FALSE(is_alive(running.holder->pid));
  EXPECT_TRUE(ended.empty()) << "wake() has told it";
}

TEST_F(Vllm, who_may_not_sleep_is_not_asked_to) {
  spec.may_sleep = false;
  load_it();
  EXPECT_FALSE(run(engine->probe())->can_sleep);
  const auto slept = run(engine->sleep());
  ASSERT_FALSE(slept);
  EXPECT_EQ(slept.error().kind, ErrorKind::refused);
  EXPECT_EQ(ask("GET", "/asked").find("/sleep"), std::string::npos);
}

}  // namespace
}  // namespace estiva::engines
