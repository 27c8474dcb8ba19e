#include "net/sse.h"

#include <fmt/format.h>

#include "base/messages/net.h"

namespace estiva::net {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value)
    if (c != '\r' && c != '\n' && c != '\0') out.push_back(c);
  out.push_back('\n');
}

}  // namespace

std::string format_event(const Event& event) {
  std::string out;
  out.reserve(event.data.size() + 64);
  if (!event.name.empty()) append_field(out, "event", event.name);
  if (!event.id.empty()) append_field(out, "id", event.id);
  std::string_view rest = event.data;
  while (true) {
    const std::size_t end = rest.find_first_of("\r\n");
    out.append("data: ").append(rest.substr(0, end)).push_back('\n');
    if (end == std::string_view::npos) break;
    const bool crlf = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (crlf ? 2 : 1));
  }
  out.push_back('\n');
  return out;
}

Result<void> EventReader::feed(std::string_view bytes) {
  if (at_ == pending_.size()) {
    pending_.clear();
    at_ = 0;
  } else if (at_ > (std::size_t{64} << 10) && at_ > pending_.size() / 2) {
    pending_.erase(0, at_);
    at_ = 0;
  }
  if (pending_.size() - at_ + event_.data.size() + bytes.size() > limit_)
    return fail(fmt::format(fmt::runtime(msg::kNetEventTooLarge), limit_));
  pending_.append(bytes);
  return {};
}

std::optional<Event> EventReader::next() {
  if (!seen_bom_ && pending_.size() - at_ >= 3) {
    if (std::string_view(pending_).substr(at_, 3) == "\xEF\xBB\xBF") at_ += 3;
    seen_bom_ = true;
  }
  while (true) {
    const std::string_view rest = std::string_view(pending_).substr(at_);
    const std::size_t end = rest.find_first_of("\r\n");
    // A CR at the very end may be half of a CR LF: wait for what follows.
    if (end == std::string_view::npos || (rest[end] == '\r' && end + 1 == rest.size()))
      return std::nullopt;
    seen_bom_ = true;
    at_ += end + (rest[end] == '\r' && rest[end + 1] == '\n' ? 2 : 1);
    if (!take_line(rest.substr(0, end))) continue;
    Event whole = std::move(event_);
    event_ = {};
    has_data_ = false;
    return whole;
  }
}

bool EventReader::take_line(std::string_view line) {
  if (line.empty()) {
    if (!has_data_) event_.name.clear();  // an event without data is no event
    return has_data_;
  }
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "data") {
    if (has_data_) event_.data.push_back('\n');
    event_.data.append(value);
    has_data_ = true;
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    event_.id = value;
  }
  return false;
}

}  // namespace estiva::net
