#include "format/settings.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "format/listen.h"

namespace estiva::format {
namespace {

using namespace std::chrono_literals;

Settings good(std::string_view text) {
  auto settings = parse_settings(text, "t.toml");
  EXPECT_TRUE(settings) << (settings ? "" : settings.error().sentence());
  return settings.value_or(Settings());
}

std::string bad(std::string_view text) {
  const auto settings = parse_settings(text, "t.toml");
  EXPECT_FALSE(settings) << text;
  if (settings) return {};
  EXPECT_EQ(settings.error().kind, ErrorKind::usage);
  return settings.error().sentence();
}

TEST(SettingsFile, EmptyMeansDefaults) {
  const auto settings = good("");
  EXPECT_EQ(settings.daemon.interval, 1s);
  EXPECT_EQ(settings.daemon.listen, "127.0.0.1:7700");
  EXPECT_TRUE(settings.daemon.history);
  EXPECT_EQ(settings.placement.policy, PlacementChoice::automatic);
  EXPECT_EQ(settings.placement.foreign_window, 0s);
  EXPECT_EQ(settings.placement.desktop_window, 10min);
  EXPECT_EQ(settings.placement.desktop_reserve, Bytes{});
  EXPECT_EQ(settings.leases.per_client, 8u);
  EXPECT_FALSE(settings.health.max_temperature);
}

TEST(SettingsFile, EverySettingIsRead) {
  const auto settings = good(R"(
[daemon]
interval = "250ms"
listen = "[::1]:0"
history = false
log_level = "debug"
state_dir = "/s"
runtime_dir = "/r"
[placement]
policy = "pack"
margin = "256MiB"
context_allowance = "0"
foreign_window = "5s"
desktop_window = "0s"
desktop_reserve = "128MiB"
[leases]
per_client = 3
[health]
max_temperature = 85
[paths]
model_folders = ["/m", "/n o"]
docker_root = "/d"
[docker]
host = "tcp://127.0.0.1:2375"
[events]
file = "/var/log/e.log"
max_size = "64KiB"
keep = 0
[notify]
url = "https://ntfy.sh/x"
shape = "slack"
command = ["/bin/tell", "me"]
from = "warn"
per_hour = 7
[models.xtts]
engine = "process"
command = ["/opt/tts/xtts", "--port", "${PORT}"]
ready = "http://127.0.0.1:${PORT}/health"
vram = "3500MiB"
policy = "keep"
[models."qwen2.5:7b"]
engine = "ollama"
)");
  EXPECT_EQ(settings.daemon.interval, 250ms);
  EXPECT_EQ(settings.daemon.listen, "[::1]:0");
  EXPECT_FALSE(settings.daemon.history);
  EXPECT_EQ(settings.daemon.log_level, LogLevel::debug);
  EXPECT_EQ(settings.daemon.state_dir, "/s");
  EXPECT_EQ(settings.leases.per_client, 3u);
  EXPECT_EQ(settings.placement.policy, PlacementChoice::pack);
  EXPECT_EQ(settings.placement.margin, mib(256));
  EXPECT_EQ(settings.placement.foreign_window, 5s);
  EXPECT_EQ(settings.placement.desktop_window, 0s);
  EXPECT_EQ(settings.placement.desktop_reserve, mib(128));
  EXPECT_EQ(settings.health.max_temperature, Celsius{85});
  EXPECT_EQ(settings.paths.model_folders, (std::vector<std::string>{"/m", "/n o"}));
  EXPECT_EQ(settings.docker.host, "tcp://127.0.0.1:2375");
  EXPECT_EQ(settings.events.file, "/var/log/e.log");
  EXPECT_EQ(settings.events.max_size, Bytes{64 << 10});
  EXPECT_EQ(settings.events.keep, 0U);
  EXPECT_EQ(settings.notify.url, "https://ntfy.sh/x");
  EXPECT_EQ(settings.notify.shape, NotifyShape::slack);
  EXPECT_EQ(settings.notify.command, (std::vector<std::string>{"/bin/tell", "me"}));
  EXPECT_EQ(settings.notify.from, "warn");
  EXPECT_EQ(settings.notify.per_hour, 7U);
  ASSERT_EQ(settings.models.size(), 2u);
  EXPECT_EQ(settings.models[0].name, "qwen2.5:7b");
  EXPECT_EQ(settings.models[1].vram, mib(3500));
  EXPECT_EQ(settings.models[1].command.size(), 3u);
  EXPECT_TRUE(has_commands(settings));
  EXPECT_FALSE(has_commands(good("")));
  EXPECT_TRUE(has_commands(good("[notify]\ncommand = ['/bin/true']")));
}

TEST(SettingsFile, TheAliasOfTheIntervalWorksAtTheTopAndInDaemon) {
  EXPECT_EQ(good("gpu_monitoring_interval_seconds = 5").daemon.interval, 5s);
  EXPECT_EQ(good("[daemon]\ngpu_monitoring_interval_seconds = 0.5").daemon.interval, 500ms);
  EXPECT_EQ(good("gpu_monitoring_interval_seconds = '2s'").daemon.interval, 2s);
  EXPECT_EQ(bad("gpu_monitoring_interval_seconds = 5\n[daemon]\ninterval = '1s'"),
            "t.toml:3:12: 'interval' says again what 'gpu_monitoring_interval_seconds' has said "
            "already in line 1. Keep one of the two.");
}

TEST(SettingsFile, ErrorsNamePlaceKeyAndWhatIsAccepted) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"[daemon]\nintervall = '1s'",
       "t.toml:2:1: there is no setting 'daemon.intervall'. Did you "
       "mean 'interval'?"},
      {"[deamon]\n", "t.toml:1:2: there is no setting 'deamon'. Did you mean 'daemon'?"},
      {"zzzzzz = 1", "Known here: daemon, placement"},
      {"[daemon]\nhistory = 'yes'", "t.toml:2:11: 'daemon.history' is a text, and must be true or"},
      {"[daemon]\ninterval = 5", "'daemon.interval' is a number, and must be a duration in quotes"},
      {"[daemon]\ninterval = '5'", "'5' is a number without a unit"},
      {"[daemon]\ninterval = '1ms'", "from 50ms to 1h"},
      {"[leases]\nper_client = 0", "from 1 to 1000"},
      {"gpu_monitoring_interval_seconds = 0", "from 0.05 to 3600"},
      {"gpu_monitoring_interval_seconds = nan", "nan is not accepted"},
      {"gpu_monitoring_interval_seconds = -1", "-1 is not accepted"},
      {"[daemon]\nlisten = 'localhost:1'", "is not an address to listen on"},
      {"[daemon]\nlog_level = 'loud'", "Accepted: \"debug\", \"info\""},
      {"[daemon]\nstate_dir = 'relative'", "an absolute path"},
      {"daemon = 3", "'daemon' is a number, and must be a table"},
      {"[placement]\npolicy = 'best'", "Write auto, least-utilized or pack"},
      {"[placement]\nmargin = '3,5GB'", "comma"},
      {"[health]\nmax_temperature = 500", "from 30 to 120"},
      {"[docker]\nhost = 'ssh://box'", "unix:///PATH"},
      {"[events]\nfile = 'relative.log'", "an absolute path"},
      {"[events]\nmax_size = '1KiB'", "64KiB"},
      {"[events]\nkeep = 101", "from 0 to 100"},
      {"[notify]\nurl = 'ftp://x'", "https://HOST/PATH"},
      {"[notify]\nurl = 'https://x/\\\"'", "https://HOST/PATH"},
      {"[notify]\nshape = 'teams'", "discord"},
      {"[notify]\nfrom = 'ok'", "degraded"},
      {"[notify]\nper_hour = 0", "from 1 to 1000"},
      {"[notify]\ncommand = 'a'", "the program first"},
      {"[paths]\nmodel_folders = ['/a', 3]", "t.toml:2:24"},
      {"[paths]\nmodel_folders = '/a'", "a list of at most 32 absolute paths"},
      {"[models.a]\nvram = '1GiB'", "[models.a] has no 'engine'"},
      {"[models.a]\nengine = 'process'", "[models.a] has no 'command'"},
      {"[models.a]\nengine = 'vlm'", "process, container, ollama"},
      {"[models.a]\nengine = 'vllm'\npolcy = 'keep'", "Did you mean 'policy'?"},
      {"[models.'a b']\nengine = 'vllm'", "not a name for a model"},
      {"[models]\na = 3", "'models.a' is a number, and must be a table"},
      {"a = ", "t.toml:1:"},
      {"[,,", "t.toml:1:"},
      {"\u00e9\u00e9 = 1", "t.toml:1:1"},
      {"a = 1\na = 2", "t.toml:2:"},
      {"\x1b[31m = 1", "t.toml:1:1"},
      {"[daemon]\nstate_dir = \"/a\\u0000b\"", "NUL"},
  };
  for (const auto& [text, part] : cases) {
    const auto sentence = bad(text);
    EXPECT_NE(sentence.find(part), std::string::npos) << text << "\n-> " << sentence;
    EXPECT_EQ(sentence.find('\x1b'), std::string::npos) << text;
  }
}

TEST(SettingsFile, BoundsHold) {
  EXPECT_NE(bad(std::string(kMaxSettingsFile + 1, '#')).find("larger than"), std::string::npos);
  EXPECT_NE(bad("a = " + std::string(100000, '[')).find("t.toml:1"), std::string::npos);
  std::string many;
  for (int i = 0; i < 1025; ++i) many += fmt::format("[models.m{}]\nengine='lease'\n", i);
  EXPECT_NE(bad(many).find("at most 1024"), std::string::npos);
}

// packaging/estiva.toml shows each setting, commented out, with its default.
TEST(SettingsFile, TheShippedExampleIsValidAndShowsTheDefaults) {
  std::ifstream file(ESTIVA_SOURCE_DIR "/packaging/estiva.toml");
  ASSERT_TRUE(file.good());
  std::string line, active;
  while (std::getline(file, line)) {
    // "#key = value" is a setting; "# words" is a sentence.
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
    active += line + "\n";
  }
  const auto shown = good(active);
  const Settings defaults;
  EXPECT_EQ(shown.daemon.interval, defaults.daemon.interval);
  EXPECT_EQ(shown.daemon.listen, defaults.daemon.listen);
  EXPECT_EQ(shown.daemon.history, defaults.daemon.history);
  EXPECT_EQ(shown.daemon.log_level, defaults.daemon.log_level);
  EXPECT_EQ(shown.placement.policy, defaults.placement.policy);
  EXPECT_EQ(shown.placement.margin, defaults.placement.margin);
  EXPECT_EQ(shown.placement.context_allowance, defaults.placement.context_allowance);
  EXPECT_EQ(shown.placement.foreign_window, defaults.placement.foreign_window);
  EXPECT_EQ(shown.placement.desktop_window, defaults.placement.desktop_window);
  EXPECT_EQ(shown.placement.desktop_reserve, defaults.placement.desktop_reserve);
  EXPECT_EQ(shown.events.max_size, defaults.events.max_size);
  EXPECT_EQ(shown.events.keep, defaults.events.keep);
  EXPECT_EQ(shown.notify.shape, defaults.notify.shape);
  EXPECT_EQ(shown.notify.from, defaults.notify.from);
  EXPECT_EQ(shown.notify.per_hour, defaults.notify.per_hour);
  for (const auto key : {"interval",
                         "listen",
                         "history",
                         "log_level",
                         "state_dir",
                         "runtime_dir",
                         "policy",
                         "margin",
                         "context_allowance",
                         "foreign_window",
                         "desktop_window",
                         "desktop_reserve",
                         "max_temperature",
                         "model_folders",
                         "docker_root",
                         "host",
                         "file",
                         "max_size",
                         "keep",
                         "url",
                         "shape",
                         "from",
                         "per_hour",
                         "engine",
                         "command",
                         "ready",
                         "vram"}) {
    EXPECT_NE(active.find(fmt::format("\n{} ", key)), std::string::npos) << key;
  }
}

TEST(Listen, AddressesAndPorts) {
  EXPECT_EQ(parse_gateway_listen("docker"), (GatewayListen{true, {"", 7701}}));
  EXPECT_EQ(parse_gateway_listen("docker:80"), (GatewayListen{true, {"", 80}}));
  EXPECT_EQ(parse_gateway_listen("[::1]:80"), (GatewayListen{false, {"::1", 80}}));
  for (const std::string_view text : {"docker:", "docker:x", "dockerx", "docker:65536", "host:80"})
    EXPECT_FALSE(parse_gateway_listen(text)) << text;
  EXPECT_EQ(to_text(ListenAddress{"::1", 80}), "[::1]:80");
  EXPECT_EQ(to_text(ListenAddress{"10.0.0.1", 80}), "10.0.0.1:80");
  EXPECT_EQ(parse_listen("127.0.0.1:7700"), (ListenAddress{"127.0.0.1", 7700}));
  EXPECT_EQ(parse_listen("[::1]:0"), (ListenAddress{"::1", 0}));
  for (const std::string_view text : {"", ":7700", "7700", "localhost:1", "::1:7700", "1.2.3:4",
                                      "1.2.3.4:65536", "1.2.3.4:-1", "[::1]", "[]:1"}) {
    EXPECT_FALSE(parse_listen(text)) << text;
  }
  EXPECT_TRUE(is_loopback({"127.9.9.9", 1}));
  EXPECT_TRUE(is_loopback({"::1", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
}

}  // namespace
}  // namespace estiva::format
