// The assign request's body: what is accepted, and the sentence for what is not.
#include <gtest/gtest.h>

#include "api/places.h"
#include "api/request_json.h"

namespace estiva::api {
namespace {

TEST(AssignBody, TakesTheSizeInThreeForms) {
  for (const char* text :
       {R"({"model":"xtts","vram_bytes":3670016000})", R"({"model":"xtts","vram":"3500MiB"})",
        R"({"model":"xtts","required_vram_mb":3500})"}) {
    const auto body = parse_assign(text);
    ASSERT_TRUE(body) << text << ": " << body.error().sentence();
    EXPECT_EQ(body->request.model, "xtts");
    ASSERT_EQ(body->request.shares.size(), 1u);
    EXPECT_EQ(body->request.shares[0].bytes, mib(3500)) << text;
    EXPECT_EQ(body->request.shares[0].gpu, "auto");
    EXPECT_FALSE(body->pid);
  }
}

TEST(AssignBody, TakesGpuPolicyCountAndProcess) {
  const auto named =
      parse_assign(R"({"model":"a","vram":"1GiB","gpu":1,"policy":"pack","pid":42})");
  ASSERT_TRUE(named) << named.error().sentence();
  EXPECT_EQ(named->request.shares[0].gpu, "1");
  EXPECT_EQ(named->request.choice, decide::Choice::pack);
  EXPECT_EQ(named->pid, 42);
  const auto two = parse_assign(R"({"model":"a","vram":"1GiB","gpus":2})");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->request.shares.size(), 2u);
}

struct BadBody {
  const char* name;
  std::string text;
  const char* said;  // part of the sentence
};

TEST(AssignBody, RefusesWithASentence) {
  const BadBody cases[] = {
      {"no JSON", "model=xtts", "not a JSON object"},
      {"an array", "[1]", "not a JSON object"},
      {"cut off", R"({"model":"x")", "not a JSON object"},
      {"no name", R"({"vram":"1GiB"})", "\"model\" must be given"},
      {"empty name", R"({"model":"","vram":"1GiB"})", "\"model\" must be a name"},
      {"name with a newline", R"({"model":"a\nb","vram":"1GiB"})", "control characters"},
      {"name of 257 bytes", R"({"model":")" + std::string(257, 'a') + R"(","vram":"1GiB"})",
       "1 to 256"},
      {"no size", R"({"model":"x"})", "how much VRAM"},
      {"two sizes", R"({"model":"x","vram":"1GiB","vram_bytes":5})", "only size"},
      {"size without unit", R"({"model":"x","vram":"3500"})", "3500"},
      {"negative size", R"({"model":"x","vram_bytes":-1})", "whole number of bytes"},
      {"size zero", R"({"model":"x","vram_bytes":0})", "whole number of bytes"},
      {"size as a fraction", R"({"model":"x","vram_bytes":1.5})", "whole number of bytes"},
      {"MiB that overflow", R"({"model":"x","required_vram_mb":18446744073709551615})", "MiB"},
      {"misspelt member", R"({"model":"x","vram_byte":1})", "Did you mean \"vram_bytes\"?"},
      {"unknown policy", R"({"model":"x","vram":"1GiB","policy":"best"})", "best"},
      {"gpus 0", R"({"model":"x","vram":"1GiB","gpus":0})", "1 to 64"},
      {"two on a named GPU", R"({"model":"x","vram":"1GiB","gpus":2,"gpu":"0"})",
       "where a GPU is named"},
      {"another holder", R"({"model":"x","vram":"1GiB","holder":"init"})", "or \"container\""},
      {"pid 0", R"({"model":"x","vram":"1GiB","pid":0})", "process id"},
      {"deep nesting", R"({"model":[[[[[[[[[[[[1]]]]]]]]]]]]})", "not a JSON object"},
  };
  for (const BadBody& bad : cases) {
    const auto body = parse_assign(bad.text);
    ASSERT_FALSE(body) << bad.name;
    EXPECT_EQ(body.error().kind, ErrorKind::usage) << bad.name;
    EXPECT_NE(body.error().sentence().find(bad.said), std::string::npos)
        << bad.name << ": " << body.error().sentence();
  }
}

Environment environment(std::map<std::string, std::string> values) {
  return [values](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

TEST(Places, FlagsBeatTheEnvironmentAndThatBeatsTheDefaults) {
  const auto env = environment({{"ESTIVA_STATE_DIR", "/s"}, {"HOME", "/home/ann"}});
  EXPECT_EQ(resolve_places(env, true).state_dir, "/s");
  EXPECT_EQ(resolve_places(env, true, {.state_dir = "/flag", .runtime_dir = {}, .config_file = {}})
                .state_dir,
            "/flag");
  EXPECT_EQ(resolve_places(env, true).control_socket, "/run/estiva/control/api.sock");
  EXPECT_EQ(resolve_places(env, true).lease_socket, "/run/estiva/lease/estiva.sock");
  EXPECT_EQ(resolve_places(env, true).config_file, "/etc/estiva/estiva.toml");
}

TEST(Places, AnOrdinaryUserHasXdgFolders) {
  const auto plain = resolve_places(environment({{"HOME", "/home/ann"}}), false);
  EXPECT_EQ(plain.state_dir, "/home/ann/.local/state/estiva");
  EXPECT_EQ(plain.runtime_dir, "/home/ann/.local/state/estiva/run");
  EXPECT_EQ(plain.config_file, "/home/ann/.config/estiva/estiva.toml");
  const auto xdg = resolve_places(environment({{"HOME", "/home/ann"},
                                               {"XDG_STATE_HOME", "/x/s"},
                                               {"XDG_RUNTIME_DIR", "/run/user/7"},
                                               {"XDG_CONFIG_HOME", "/x/c"}}),
                                  false);
  EXPECT_EQ(xdg.state_dir, "/x/s/estiva");
  EXPECT_EQ(xdg.control_socket, "/run/user/7/estiva/control/api.sock");
  EXPECT_EQ(xdg.config_file, "/x/c/estiva/estiva.toml");
}

}  // namespace
}  // namespace estiva::api
