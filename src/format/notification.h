// What is told to the outside, in the shape that its receiver understands. Pure.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "format/settings.h"
#include "model/health.h"

namespace estiva::format {

struct Notification {
  HealthState state = HealthState::ok;  // ok: it is over
  std::string subject;                  // "GPU 0", "PCI:0000:41:00", "driver"
  std::string text, remedy;             // sentences
  std::string host;                     // this machine's name
  WallTime at;
};

// "box: GPU 0 is UNHEALTHY", "box: GPU 0: over".
std::string title_of(const Notification& notification);

// `automatic`: ntfy for hosts that begin with "ntfy.", Slack and Discord by their hosts, else JSON.
NotifyShape shape_for(std::string_view url, NotifyShape wanted);

// The body of the request, and its Content-Type. Lengths as the receivers take them: ntfy 4,096
// bytes (docs.ntfy.sh/publish), Slack 3,000 of a text block (api.slack.com), Discord 2,000
// characters (discord.com/developers). Markup and mentions in what is told do nothing.
struct WebhookBody {
  std::string content_type, body;
};
WebhookBody webhook_body(const Notification& notification, NotifyShape shape);

// A configuration for `curl --config -` that posts it: whatever is in it, curl reads no file and
// follows no redirect; the URL, which may hold a secret, never stands in a command line.
std::string curl_config(const std::string& url, const Notification& notification,
                        NotifyShape shape);

}  // namespace estiva::format
