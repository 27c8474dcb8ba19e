#include "net/target.h"

#include <fmt/format.h>

#include "base/messages/net.h"

namespace estiva::net {
namespace {

constexpr std::size_t kMaxParts = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Failure refuse(std::string_view why) {
  return fail(ErrorKind::usage, std::string(why));
}

// Cuts the part before `separator` off the front of `rest`.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

Result<void> parse_path(std::string_view path, Target& target) {
  std::string_view rest = path.substr(1);
  while (!rest.empty()) {
    auto segment = percent_decode(cut(rest, '/'));
    if (!segment) return Failure(segment.error());
    // An encoded slash would make one segment look like two to whoever joins them again.
    if (segment->empty() || *segment == "." || *segment == ".." ||
        segment->find('/') != std::string::npos)
      return refuse(msg::kNetBadTarget);
    if (target.segments.size() == kMaxParts) return refuse(msg::kNetTooManyParts);
    target.path.append("/").append(*segment);
    target.segments.push_back(std::move(*segment));
  }
  if (target.path.empty()) target.path = "/";
  return {};
}

Result<void> parse_query(std::string_view rest, Target& target) {
  while (!rest.empty()) {
    std::string_view value = cut(rest, '&');
    if (value.empty()) continue;
    auto name = percent_decode(cut(value, '='));
    if (!name) return Failure(name.error());
    auto decoded = percent_decode(value);
    if (!decoded) return Failure(decoded.error());
    if (target.query.size() == kMaxParts) return refuse(msg::kNetTooManyParts);
    target.query.push_back({std::move(*name), std::move(*decoded)});
  }
  return {};
}

// "box.lan:7700" -> "box.lan"; "[::1]:7700" -> "[::1]".
std::string_view without_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return host;
  if (bracket != std::string_view::npos && colon < bracket) return host;
  return host.substr(0, colon);
}

bool is_one_of(std::string_view host, std::span<const std::string> allowed) {
  if (host.empty()) return false;
  for (const std::string& one : allowed)
    if (same_token(host, one)) return true;
  return false;
}

}  // namespace

std::optional<std::string_view> Target::find(std::string_view name) const {
  for (const QueryItem& item : query)
    if (item.name == name) return item.value;
  return std::nullopt;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return refuse(msg::kNetBadEncoding);
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out.push_back(c);
    else
      out.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return out;
}

Result<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return refuse(msg::kNetBadTarget);
  Target target;
  const std::string_view path = cut(text, '?');
  if (auto done = parse_path(path, target); !done) return Failure(done.error());
  if (auto done = parse_query(text, target); !done) return Failure(done.error());
  return target;
}

bool host_allowed(const RequestHead& head, std::span<const std::string> allowed) {
  const auto host = head.headers.find("host");
  return host && is_one_of(without_port(*host), allowed);
}

bool origin_allowed(const RequestHead& head, std::span<const std::string> allowed) {
  if (head.headers.count("origin") > 1) return false;
  const auto origin = head.headers.find("origin");
  if (!origin) return true;
  std::string_view rest = *origin;
  if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else if (rest.starts_with("https://"))
    rest.remove_prefix(8);
  else
    return false;
  return rest.find_first_of("/@?# \t") == std::string_view::npos &&
         is_one_of(without_port(rest), allowed);
}

bool is_same_origin(const RequestHead& head) {
  if (head.headers.count("origin") != 1 || head.headers.count("host") != 1) return false;
  const std::string_view origin = *head.headers.find("origin");
  const std::string_view host = *head.headers.find("host");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && same_token(origin.substr(scheme.size()), host)) return true;
  }
  return false;
}

std::optional<std::string_view> bearer_token(const RequestHead& head) {
  constexpr std::string_view kScheme = "Bearer ";
  if (head.headers.count("authorization") != 1) return std::nullopt;
  const std::string_view value = *head.headers.find("authorization");
  if (value.size() <= kScheme.size() || !same_token(value.substr(0, kScheme.size()), kScheme))
    return std::nullopt;
  return value.substr(kScheme.size());
}

bool equal_in_constant_time(std::string_view given, std::string_view secret) {
  if (secret.empty() || given.empty()) return false;
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^
                  static_cast<unsigned>(static_cast<unsigned char>(secret[i % secret.size()]));
  // The compiler must not leave the loop early once it knows the answer.
  volatile unsigned result = difference;
  return result == 0;
}

}  // namespace estiva::net
