// The [models.NAME] tables: what each key becomes, and every way to be wrong.
#include <gtest/gtest.h>

#include "format/settings.h"

namespace estiva::format {
namespace {

using namespace std::chrono_literals;

Settings good(std::string_view text) {
  auto settings = parse_settings(text, "t.toml");
  EXPECT_TRUE(settings.has_value()) << (settings ? "" : settings.error().sentence());
  return settings ? std::move(*settings) : Settings{};
}

std::string bad(std::string_view text) {
  const auto settings = parse_settings(text, "t.toml");
  return settings ? "accepted" : settings.error().sentence();
}

TEST(ModelSettings, EveryKeyArrives) {
  const auto settings = good(R"(
[models.tts]
engine = "process"
command = ["/opt/tts", "--port", "${PORT}"]
environment = ["HF_HOME=/models"]
directory = "/opt"
user = "tts"
url = "http://127.0.0.1:${PORT}/"
ready = "http://127.0.0.1:${PORT}/health"
model = "xtts-v2"
api_key = "file:/etc/key"
aliases = ["voice", "tts-1"]
vram = "3500MiB"
gpu = "GPU-1d"
gpus = 2
host_memory = "4GiB"
policy = "always-unload"
pinned = true
preload = true
priority = -3
group = "tts"
sleep = false
checkpoint = true
ttl = "5m"
quantum = "2s"
drain = "3s"
load_limit = "4s"
stop_limit = "5s"
wait_limit = "6s"
parallel = 2
queue_limit = 7
[residency]
ttl = "10m"
battery_ttl = "30s"
host_memory = "8GiB"
[gateway]
listen = "127.0.0.1:0"
)");
  ASSERT_EQ(settings.models.size(), 1U);
  ModelSpec want;
  want.name = "tts";
  want.aliases = {"voice", "tts-1"};
  want.engine = ModelEngine::process;
  want.command = {"/opt/tts", "--port", "${PORT}"};
  want.environment = {"HF_HOME=/models"};
  want.directory = "/opt";
  want.user = "tts";
  want.url = "http://127.0.0.1:${PORT}/";
  want.ready = "http://127.0.0.1:${PORT}/health";
  want.model = "xtts-v2";
  want.api_key = "file:/etc/key";
  want.vram = Bytes{3500LL << 20};
  want.gpu = "GPU-1d";
  want.gpus = 2;
  want.host_memory = Bytes{4LL << 30};
  want.policy = ResidencyPolicy::always_unload;
  want.pinned = true;
  want.preload = true;
  want.priority = -3;
  want.group = "tts";
  want.may_sleep = false;
  want.may_checkpoint = true;
  want.ttl = 5min;
  want.quantum = 2s;
  want.drain = 3s;
  want.load_limit = 4s;
  want.stop_limit = 5s;
  want.wait_limit = 6s;
  want.parallel = 2;
  want.queue_limit = 7;
  EXPECT_TRUE(settings.models[0] == want);
  EXPECT_EQ(settings.residency.ttl, 10min);
  EXPECT_EQ(settings.residency.battery_ttl, 30s);
  EXPECT_EQ(settings.residency.host_memory, Bytes{8LL << 30});
  EXPECT_EQ(settings.gateway.listen, std::vector<std::string>{"127.0.0.1:0"});
}

TEST(ModelSettings, TheGatewayListensOnOneAddressOrSeveralOrNone) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(good("[gateway]\nlisten = 'off'").gateway.listen, Words{});
  EXPECT_EQ(good("[gateway]\nlisten = 'docker'").gateway.listen, Words{"docker"});
  const auto both =
      good("[gateway]\nlisten = ['127.0.0.1:7701', 'docker:80', '[::1]:1']\nhosts = ['box.lan']");
  EXPECT_EQ(both.gateway.listen, (Words{"127.0.0.1:7701", "docker:80", "[::1]:1"}));
  EXPECT_EQ(both.gateway.hosts, Words{"box.lan"});
  const auto tls = good("[gateway]\ncertificate = '/c.pem'\nprivate_key = '/c.key'");
  EXPECT_EQ(tls.gateway.certificate + tls.gateway.private_key, "/c.pem/c.key");
  EXPECT_NE(bad("[gateway]\ncertificate = '/c.pem'").find("private_key"), std::string::npos);
  EXPECT_NE(bad("[gateway]\nprivate_key = 'c.key'").find("absolute"), std::string::npos);
  for (const std::string_view wrong :
       {"'dockers'", "'docker:'", "'docker:70000'", "7701", "['127.0.0.1:1', 'off']", "[1]"})
    EXPECT_NE(bad("[gateway]\nlisten = " + std::string(wrong)).find("gateway.listen"),
              std::string::npos)
        << wrong;
}

TEST(ModelSettings, WhatIsNotSaidHasItsDefault) {
  const auto settings = good("[models.a]\nengine = 'lease'");
  ModelSpec want;
  want.name = "a";
  want.engine = ModelEngine::lease;
  ASSERT_EQ(settings.models.size(), 1U);
  EXPECT_TRUE(settings.models[0] == want);
  EXPECT_FALSE(settings.models[0].ttl.has_value());
  EXPECT_EQ(settings.gateway.listen, std::vector<std::string>{"127.0.0.1:7701"});
}

TEST(ModelSettings, EachEngineSaysWhatItCantDoWithout) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"engine = 'process'", "has no 'command'"},
      {"engine = 'vllm'", "has no 'command'"},
      {"engine = 'container'", "has no 'container'"},
      {"engine = 'llama-server'", "has no 'file'"},
      {"engine = 'remote'", "has no 'url'"},
      {"", "has no 'engine'"},
      {"engine = 'ollama'", "accepted"},
      {"engine = 'lease'", "accepted"},
      {"engine = 'llama-server'\ncommand = ['llama-server']", "accepted"},
  };
  for (const auto& [text, want] : cases) {
    const std::string said = bad("[models.a]\n" + std::string(text));
    EXPECT_NE(said.find(want), std::string::npos) << text << " -> " << said;
  }
}

TEST(ModelSettings, WhatIsNotAcceptedIsNamedWithItsPlace) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"policy = 'stay'",
       "t.toml:3:10: 'models.a.policy': 'stay' is not accepted. Accepted: keep, "
       "swap, always-unload"},
      {"ttl = '25h'", "up to 24h"},
      {"ttl = 300", "a duration in quotes"},
      {"gpus = 0", "from 1 to 64"},
      {"priority = 11", "from -10 to 10"},
      {"queue_limit = 0", "from 1 to 4096"},
      {"file = 'model.gguf'", "an absolute path"},
      {"url = 'unix:/x'", "http://HOST/PATH"},
      {"vram = '4'", "without a unit"},
      {"aliases = ['b c']", "not a name for a model"},
      {"aliases = ['b', 'b']", "'b' is a name of the model 'a' already"},
      {"polcy = 'swap'", "Did you mean 'policy'"},
  };
  for (const auto& [text, want] : cases) {
    const std::string said = bad("[models.a]\nengine = 'lease'\n" + std::string(text));
    EXPECT_NE(said.find(want), std::string::npos) << text << " -> " << said;
  }
}

TEST(ModelSettings, ANameMeansOneModel) {
  const std::string said =
      bad("[models.a]\nengine = 'lease'\naliases = ['b']\n[models.b]\nengine = 'lease'");
  EXPECT_NE(said.find("'b' is a name of the model 'b' already"), std::string::npos) << said;
}

}  // namespace
}  // namespace estiva::format
