// Messages to the outside: what each receiver takes, and that nothing in them is markup or a
// command.
#include "format/notification.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

Notification hot() {
  return {HealthState::unhealthy, "GPU 0", "it is at 96 C",
          "Check its fan",        "box",   WallTime{1'700'000'000'000'000'000}};
}

TEST(Notification, TheShapeFollowsTheHost) {
  using enum NotifyShape;
  EXPECT_EQ(shape_for("https://ntfy.sh/topic", automatic), ntfy);
  EXPECT_EQ(shape_for("http://ntfy.lan:8080/t", automatic), ntfy);
  EXPECT_EQ(shape_for("https://hooks.slack.com/services/T/B/x", automatic), slack);
  EXPECT_EQ(shape_for("https://discord.com/api/webhooks/1/x", automatic), discord);
  EXPECT_EQ(shape_for("https://me:ntfy.sh@example.org/ntfy.sh", automatic), json);
  EXPECT_EQ(shape_for("https://example.org/?discord.com", automatic), json);
  EXPECT_EQ(shape_for("https://example.org/", slack), slack);
}

TEST(Notification, EachShape) {
  EXPECT_EQ(title_of(hot()), "box: GPU 0 is UNHEALTHY");
  EXPECT_EQ(webhook_body(hot(), NotifyShape::ntfy).body,
            "it is at 96 C\nWhat to do: Check its fan");
  EXPECT_EQ(webhook_body(hot(), NotifyShape::slack).body,
            R"({"text":"box: GPU 0 is UNHEALTHY\nit is at 96 C\nWhat to do: Check its fan"})");
  EXPECT_EQ(webhook_body(hot(), NotifyShape::discord).body,
            R"({"content":"box: GPU 0 is UNHEALTHY\nit is at 96 C\nWhat to do: Check its fan",)"
            R"("allowed_mentions":{"parse":[]}})");
  EXPECT_EQ(
      webhook_body(hot(), NotifyShape::json).body,
      R"({"schema":"estiva/notification/1","at":"2023-11-14T22:13:20.000Z","host":"box",)"
      R"("state":"UNHEALTHY","subject":"GPU 0","text":"it is at 96 C","remedy":"Check its fan"})");
}

TEST(Notification, AnEndIsSaidWithoutARemedy) {
  Notification over = hot();
  over.state = HealthState::ok;
  EXPECT_EQ(title_of(over), "box: GPU 0: over");
  EXPECT_EQ(webhook_body(over, NotifyShape::ntfy).body, "it is at 96 C");
}

TEST(Notification, HostileTextIsNoMarkupNoMentionAndNoCommand) {
  Notification evil = hot();
  evil.text = "<!channel> @everyone `rm` \x1b[31m\nurl = \"file:///etc/shadow\"\xff\\";
  for (const auto shape : {NotifyShape::ntfy, NotifyShape::slack, NotifyShape::discord}) {
    const std::string body = webhook_body(evil, shape).body;
    for (const char* part : {"<!", "@everyone", "`", "\x1b", "\xff"}) {
      EXPECT_EQ(body.find(part), std::string::npos) << part << " in " << body;
    }
  }
  const std::string config = curl_config("https://example.org/x", evil, NotifyShape::json);
  // One line each: what is told can't begin another option of curl's.
  EXPECT_EQ(std::count(config.begin(), config.end(), '\n'), 10);
  EXPECT_EQ(config.find("\nurl = \"file"), std::string::npos) << config;
  evil.text = "@/etc/shadow";
  EXPECT_NE(
      curl_config("https://example.org/x", evil, NotifyShape::ntfy).find("data-raw = \" /etc"),
      std::string::npos);
}

TEST(Notification, LongTextIsCutToWhatIsTaken) {
  Notification longer = hot();
  longer.text.assign(10'000, 'x');
  longer.text += "\xc3\xa9";
  EXPECT_LE(webhook_body(longer, NotifyShape::ntfy).body.size(), 4096U);
  EXPECT_LE(webhook_body(longer, NotifyShape::slack).body.size(), 3000U + 64);
  EXPECT_LE(webhook_body(longer, NotifyShape::discord).body.size(), 2000U + 64);
}

}  // namespace
}  // namespace estiva::format
