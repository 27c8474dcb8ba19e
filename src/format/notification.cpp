#include "format/notification.h"

#include <fmt/format.h>

#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kNtfyMost = 4096, kSlackMost = 3000, kDiscordMost = 2000;

// At most so many bytes, and no half character at the end.
std::string cut(std::string_view text, std::size_t most) {
  std::string out = to_valid_utf8(text.substr(0, most));
  return out.size() <= most ? out : std::string(text.substr(0, most - 3));
}

// One line that no receiver takes for markup: what is told may hold the names of processes.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : escape_for_terminal(to_valid_utf8(text))) {
    if (c == '`' || c == '*' || c == '~' || c == '|') continue;
    // "@everyone" and "<!channel>" begin so.
    out += c == '@' ? ' ' : c == '<' ? '(' : c == '>' ? ')' : c;
  }
  return out;
}

std::string words_of(const Notification& notification) {
  std::string words = plain(notification.text);
  if (!notification.remedy.empty() && notification.state != HealthState::ok) {
    words += "\nWhat to do: " + plain(notification.remedy);
  }
  return words;
}

std::string json_text(std::string_view member, std::string_view text, bool no_mentions) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field(member, text);
  if (no_mentions) {
    json.key("allowed_mentions").begin_object().key("parse").begin_array().end_array().end_object();
  }
  json.end_object();
  return body;
}

std::string document(const Notification& notification) {
  std::string body;
  JsonWriter json(body);
  json.begin_object()
      .field("schema", "estiva/notification/1")
      .field("at", to_rfc3339(notification.at))
      .field("host", notification.host)
      .field("state", to_name(notification.state))
      .field("subject", notification.subject)
      .field("text", notification.text)
      .field("remedy", notification.remedy)
      .end_object();
  return body;
}

// Inside double quotes of curl's configuration.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) >= ' ' || c == '\t') {
      out += c;
    }
  }
  return out + "\"";
}

std::string_view host_of(std::string_view url) {
  const std::size_t from = url.find("://");
  if (from == url.npos) return {};
  url.remove_prefix(from + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != url.npos) url.remove_prefix(at + 1);
  return url;
}

}  // namespace

std::string title_of(const Notification& notification) {
  const std::string who = plain(notification.host), what = plain(notification.subject);
  return notification.state == HealthState::ok
             ? fmt::format("{}: {}: over", who, what)
             : fmt::format("{}: {} is {}", who, what, to_name(notification.state));
}

NotifyShape shape_for(std::string_view url, NotifyShape wanted) {
  if (wanted != NotifyShape::automatic) return wanted;
  const std::string_view host = host_of(url);
  if (host.starts_with("ntfy.")) return NotifyShape::ntfy;
  if (host == "hooks.slack.com") return NotifyShape::slack;
  if (host == "discord.com" || host == "discordapp.com") return NotifyShape::discord;
  return NotifyShape::json;
}

WebhookBody webhook_body(const Notification& notification, NotifyShape shape) {
  const std::string title = title_of(notification), words = words_of(notification);
  switch (shape) {
    case NotifyShape::ntfy:
      return {"text/plain; charset=utf-8", cut(words, kNtfyMost)};
    case NotifyShape::slack:
      return {"application/json", json_text("text", cut(title + "\n" + words, kSlackMost), false)};
    case NotifyShape::discord:
      return {"application/json",
              json_text("content", cut(title + "\n" + words, kDiscordMost), true)};
    default:
      return {"application/json", document(notification)};
  }
}

std::string curl_config(const std::string& url, const Notification& notification,
                        NotifyShape shape) {
  const WebhookBody request = webhook_body(notification, shape);
  std::string config = fmt::format(
      "url = {}\nproto = \"=http,https\"\nmax-redirs = 0\nmax-time = 10\nsilent\nshow-error\nfail\n"
      "output = \"/dev/null\"\nheader = {}\n",
      quoted(url), quoted("Content-Type: " + request.content_type));
  if (shape == NotifyShape::ntfy) {
    const bool is_urgent = notification.state == HealthState::unhealthy;
    config +=
        fmt::format("header = {}\nheader = \"Priority: {}\"\nheader = \"Tags: {}\"\n",
                    quoted("Title: " + title_of(notification)), is_urgent ? "high" : "default",
                    notification.state == HealthState::ok ? "white_check_mark" : "warning");
  }
  // data-raw: a leading '@' is no file.
  return config + "data-raw = " + quoted(request.body) + "\n";
}

}  // namespace estiva::format
