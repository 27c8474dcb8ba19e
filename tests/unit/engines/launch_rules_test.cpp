#include "engines/launch_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace estiva::engines {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A user of every Debian that is none of ours.
constexpr const char* kOther = "nobody";

format::Settings configured() {
  format::Settings settings;
  ModelSpec spec;
  spec.name = "xtts";
  spec.user = kOther;
  spec.command = {"/bin/sh", "-c", "serve ${PORT}"};
  spec.environment = {"VOICE=anna", "URL=http://127.0.0.1:${PORT}"};
  settings.models = {spec};
  return settings;
}

LaunchRequest wish() {
  LaunchRequest request;
  request.model = "xtts";
  request.user = kOther;
  request.words = {"/bin/sh", "-c", "serve 4711"};
  request.environment = {"LD_PRELOAD=/tmp/mine.so", "PATH=/tmp", "CUDA_VISIBLE_DEVICES=GPU-1",
                         "ESTIVA_ENGINE_ID=abc"};
  request.directory = "/";
  request.port = 4711;
  return request;
}

Result<Permit> permit(const LaunchRequest& request,
                      const Result<format::Settings>& settings = configured()) {
  static const char* const ours[] = {"PATH=/usr/bin", nullptr};
  return permit_launch(request, "estiva", ours, [&] { return settings; });
}

TEST(LaunchRules, AsItselfTheAskerRunsWhatItLikes) {
  LaunchRequest request = wish();
  for (const char* user : {"", "estiva"}) {
    request.user = user;
    request.words = {"/tmp/anything"};
    const auto allowed = permit(request, fail("is not read"));
    ASSERT_TRUE(allowed) << allowed.error().sentence();
    EXPECT_EQ(allowed->user, "") << "the asker";
    EXPECT_EQ(allowed->words, request.words);
    EXPECT_EQ(allowed->environment, request.environment);
  }
}

TEST(LaunchRules, AsAnotherOnlyWhatTheConfigurationSays) {
  const auto allowed = permit(wish());
  ASSERT_TRUE(allowed) << allowed.error().sentence();
  EXPECT_EQ(allowed->user, kOther);
  EXPECT_EQ(allowed->words, wish().words);
  const auto refused = [](auto change) {
    LaunchRequest request = wish();
    change(request);
    const auto answer = permit(request);
    return !answer && answer.error().kind == ErrorKind::refused;
  };
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.user = "root"; }));
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.model = "other"; }));
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.words[2] += "; rm -r /"; }));
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.words[0] = "/tmp/sh"; }));
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.port = 1; }));
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.directory = "/tmp"; }));
  EXPECT_TRUE(refused([](LaunchRequest& one) { one.words.clear(); }));
}

TEST(LaunchRules, OfTheAskersVariablesOnlyThoseThatNameGpusLeaseAndModel) {
  const auto allowed = permit(wish());
  ASSERT_TRUE(allowed);
  EXPECT_THAT(allowed->environment, Contains("CUDA_VISIBLE_DEVICES=GPU-1"));
  EXPECT_THAT(allowed->environment, Contains("ESTIVA_ENGINE_ID=abc"));
  EXPECT_THAT(allowed->environment, Contains("VOICE=anna"));
  EXPECT_THAT(allowed->environment, Contains("URL=http://127.0.0.1:4711"));
  EXPECT_THAT(allowed->environment, Contains("PATH=/usr/bin"));
  EXPECT_THAT(allowed->environment, Contains("USER=nobody"));
  EXPECT_THAT(allowed->environment, Each(Not(StartsWith("LD_PRELOAD"))));
  EXPECT_THAT(allowed->environment, Each(Not(HasSubstr("/tmp"))));
}

TEST(LaunchRules, ConfigurationThatCantBeReadOrTrustedAllowsNothing) {
  const auto answer = permit(wish(), fail(ErrorKind::denied, "others can write it"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().what, "others can write it");
}

TEST(LaunchProtocol, APacketBringsItsWordsAndItsDescriptors) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
  const UniqueFd one(pair[0]);
  UniqueFd other(pair[1]);
  EXPECT_FALSE(receive_packet(one)) << "nothing is there yet";
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const UniqueFd reads(pipe[0]), writes(pipe[1]);
  ASSERT_EQ(send_packet(other, to_text(wish()), {reads.get(), writes.get()}), 0);
  auto packet = receive_packet(one);
  ASSERT_TRUE(packet);
  const auto request = parse_launch_request(packet->text);
  ASSERT_TRUE(request) << request.error().what;
  EXPECT_EQ(request->words, wish().words);
  EXPECT_EQ(request->environment, wish().environment);
  EXPECT_EQ(request->port, 4711);
  ASSERT_EQ(packet->handed.size(), 2U);
  ASSERT_EQ(::write(packet->handed[1].get(), "x", 1), 1);
  char got = 0;
  EXPECT_EQ(::read(reads.get(), &got, 1), 1) << "it is the same pipe";
  EXPECT_EQ(send_packet(other, std::string(kMostLaunchPacket + 1, 'x')), E2BIG);
  other.reset();
  packet = receive_packet(one);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->text, "") << "the other end has gone";
}

TEST(LaunchProtocol, WhatIsNoRequestIsAnError) {
  for (const char* text : {"", "{", "[]x", R"({"port":70000})", R"({"words":"one"})"})
    EXPECT_FALSE(parse_launch_request(text)) << text;
  LaunchAnswer answer;
  answer.has_ended = true;
  answer.status = 9;
  const auto again = parse_launch_answer(to_text(answer));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->has_ended);
  EXPECT_EQ(again->status, 9);
}

}  // namespace
}  // namespace estiva::engines
