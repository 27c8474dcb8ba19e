// Server-sent events (WHATWG HTML section 9.2): the text form, and a reader fed with spans.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace estiva::net {

struct Event {
  std::string name;  // empty: "message"
  std::string id;    // empty: none
  std::string data;  // may hold newlines
};

// "event: world\ndata: {...}\n\n". Newlines in data become further data lines; newlines in name or
// id are dropped (they could forge an event).
std::string format_event(const Event& event);
// A comment line, which keeps proxies from closing an idle stream.
inline constexpr std::string_view kEventKeepAlive = ":\n\n";

class EventReader {
 public:
  // An event larger than `limit` bytes is an error.
  explicit EventReader(std::size_t limit = std::size_t{4} << 20) : limit_(limit) {}
  // Adds bytes as they came. Fails (failed) when an unfinished event outgrows the limit.
  Result<void> feed(std::string_view bytes);
  // The next whole event, if there is one.
  std::optional<Event> next();

 private:
  bool take_line(std::string_view line);  // true at the blank line that ends an event
  std::size_t limit_;
  std::string pending_;
  std::size_t at_ = 0;  // read position in pending_
  bool seen_bom_ = false, has_data_ = false;
  Event event_;
};

}  // namespace estiva::net
