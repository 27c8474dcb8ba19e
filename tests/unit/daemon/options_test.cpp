// estivad's command line, and the token's file.
#include "daemon/options.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/token.h"
#include "support.h"

namespace estiva::daemon {
namespace {

Result<ParsedOptions> parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_options(arguments);
}

TEST(Options, TakesValuesInBothForms) {
  const auto parsed = parse({"--state-dir=/s", "--runtime-dir", "/r", "--listen", "127.0.0.1:0",
                             "--interval", "250ms", "--simulated", "--nvml", "/x.so"});
  ASSERT_TRUE(parsed) << parsed.error().sentence();
  const DaemonOptions& options = *parsed->options;
  EXPECT_EQ(options.places.state_dir, "/s");
  EXPECT_EQ(options.places.control_socket, "/r/control/api.sock");
  EXPECT_EQ(options.listen, "127.0.0.1:0");
  EXPECT_EQ(options.settings.daemon.interval, std::chrono::milliseconds(250));
  EXPECT_TRUE(options.simulated);
  EXPECT_EQ(options.nvml_file, "/x.so");
}

TEST(Options, RefusesWithASentence) {
  struct Bad {
    std::vector<std::string> words;
    const char* said;
  };
  const Bad cases[] = {
      {{"--stat-dir", "/s"}, "Did you mean --state-dir?"},
      {{"--simulated=yes"}, "takes no value"},
      {{"--listen"}, "needs a value"},
      {{"--listen="}, "needs a value"},
      {{"--interval", "1ms"}, "between 50ms and 1h"},
      {{"--interval", "fast"}, "--interval"},
      {{"--listen", "everywhere"}, "everywhere"},
      {{"--config", "/nonexistent/estiva.toml"}, "/nonexistent/estiva.toml"},
  };
  for (const Bad& bad : cases) {
    const auto parsed = parse(bad.words);
    ASSERT_FALSE(parsed) << bad.words[0];
    EXPECT_NE(parsed.error().sentence().find(bad.said), std::string::npos)
        << parsed.error().sentence();
  }
}

TEST(Options, HelpIsNotAnError) {
  const auto parsed = parse({"--help"});
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->options);
  EXPECT_NE(parsed->text.find("--state-dir"), std::string::npos);
}

TEST(Token, IsMadeOnceWith256BitsForItsOwnerOnly) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/token";
  const auto first = load_token(path);
  ASSERT_TRUE(first) << first.error().sentence();
  EXPECT_EQ(first->size(), 64u);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(*load_token(path), *first);
  TemporaryFolder other;
  EXPECT_NE(*load_token(other.path() + "/token"), *first);
}

TEST(Token, AFileThatOthersReadOrThatHoldsSomethingElseIsRefused) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/token";
  ASSERT_TRUE(load_token(path));
  ::chmod(path.c_str(), 0644);
  ASSERT_FALSE(load_token(path));
  EXPECT_EQ(load_token(path).error().kind, ErrorKind::refused);
  ::chmod(path.c_str(), 0600);
  EXPECT_TRUE(load_token(path));
  std::ofstream(path) << "short\n";
  EXPECT_FALSE(load_token(path));
}

}  // namespace
}  // namespace estiva::daemon
