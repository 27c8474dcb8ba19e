// The command line of estiva-gateway.
#include "gateway/options.h"

#include <gtest/gtest.h>

namespace estiva::gateway {
namespace {

Result<ParsedOptions> parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_options(arguments);
}

TEST(GatewayOptions, ListenOnLoopbackWithoutAKeyByDefault) {
  const auto options = parse({"--runtime-dir", "/r"})->options;
  ASSERT_EQ(options->listen.size(), 1u);
  EXPECT_EQ(net::to_text(options->listen[0].where), "127.0.0.1:7701");
  EXPECT_FALSE(options->listen[0].needs_key);
  EXPECT_EQ(options->socket, "/r/control/gateway.sock");
}

TEST(GatewayOptions, WhatOthersReachNeedsAKey) {
  const auto options =
      parse({"--listen=172.17.0.1:7701", "--listen", "unix:/x", "--listen-with-key", "127.0.0.1:1"})
          ->options;
  ASSERT_EQ(options->listen.size(), 3u);
  EXPECT_TRUE(options->listen[0].needs_key);
  EXPECT_FALSE(options->listen[1].needs_key);
  EXPECT_TRUE(options->listen[2].needs_key);
}

TEST(GatewayOptions, AreReadWithTheirUnits) {
  const auto options =
      parse({"--body-limit", "2MiB", "--idle-time", "90s", "--response-time=2h", "--socket", "/s"})
          ->options;
  EXPECT_EQ(options->body.kept, std::uint64_t{2} << 20);
  EXPECT_EQ(options->idle_time, std::chrono::seconds(90));
  EXPECT_EQ(options->response_time, std::chrono::hours(2));
  EXPECT_EQ(options->socket, "/s");
}

TEST(GatewayOptions, WhatIsWrongIsNamed) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--lisen", "x"},
                                                                 {"--listen"},
                                                                 {"--listen", "example.org:80"},
                                                                 {"--idle-time", "soon"},
                                                                 {"--body-limit", "much"},
                                                                 {"word"}}) {
    const auto parsed = parse(words);
    ASSERT_FALSE(parsed) << words[0];
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage) << words[0];
  }
  EXPECT_NE(parse({"--lisen", "x"}).error().what.find("--lisen"), std::string::npos);
}

TEST(GatewayOptions, HelpAndVersionArePrinted) {
  EXPECT_NE(parse({"--help"})->text.find("--listen"), std::string::npos);
  EXPECT_FALSE(parse({"--version"})->options);
}

}  // namespace
}  // namespace estiva::gateway
