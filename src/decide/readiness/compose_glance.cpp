#include "decide/readiness/compose_glance.h"

#include <algorithm>

#include "format/text.h"

namespace estiva::decide {
namespace {

// A Compose file that is larger than this is not one that a person wrote.
constexpr std::size_t kMostBytes = 2UL << 20;
constexpr std::size_t kDash = static_cast<std::size_t>(-1);

struct Level {
  std::size_t indent = 0;
  bool is_item = false;
  std::string key;  // empty for an item of a list
};

// Up to a comment: '#' at the beginning or after a blank, outside quotes.
std::string_view without_comment(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

std::string plain(std::string_view text) {
  text = format::trim(text);
  const bool is_quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                         text.back() == text.front();
  return std::string(is_quoted ? text.substr(1, text.size() - 2) : text);
}

// The place of the colon that ends a key; kDash: the text is no "key: value".
std::size_t colon_of(std::string_view text) {
  if (text.empty() || text[0] == '[' || text[0] == '{') return kDash;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return i;
  }
  return kDash;
}

// The items of "[a, b]"; none for anything else.
std::vector<std::string> flow_items(std::string_view text) {
  std::vector<std::string> items;
  text = format::trim(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return items;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.push_back(plain(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

class Reader {
 public:
  std::vector<ComposeService> read(std::string_view text) {
    std::string_view line;
    while (format::next_line(text, line)) {
      ++line_;
      take(without_comment(line));
    }
    return std::move(services_);
  }

 private:
  void take(std::string_view line) {
    const std::size_t indent = line.find_first_not_of(" \r");
    if (indent == std::string_view::npos || line[indent] == '\t') return;
    take_at(indent, format::trim(line.substr(indent)));
  }
  void take_at(std::size_t indent, std::string_view text) {
    if (text == "-" || text.substr(0, 2) == "- ") {
      while (!path_.empty() && (path_.back().indent > indent ||
                                (path_.back().indent == indent && path_.back().is_item))) {
        path_.pop_back();
      }
      path_.push_back({indent, true, {}});
      const std::size_t next = text.find_first_not_of(' ', 1);
      begin_item();
      if (next != std::string_view::npos) take_at(indent + next, text.substr(next));
      return;
    }
    const std::size_t colon = colon_of(text);
    if (colon == kDash) {
      if (!path_.empty() && path_.back().is_item) see("", plain(text));
      return;
    }
    while (!path_.empty() && path_.back().indent >= indent) path_.pop_back();
    const std::string key = plain(text.substr(0, colon));
    path_.push_back({indent, false, key});
    see(key, format::trim(text.substr(colon + 1)));
  }

  // Whether the path is services, a service, and then these keys ("-": an item).
  bool is_at(std::initializer_list<std::string_view> keys) const {
    const bool is_in_service = path_.size() == keys.size() + 2 && path_[0].key == "services" &&
                               !path_[1].is_item && !services_.empty();
    if (!is_in_service) return false;
    return std::equal(keys.begin(), keys.end(), path_.begin() + 2,
                      [](std::string_view key, const Level& level) {
                        return level.is_item ? key == "-" : key == level.key;
                      });
  }
  bool is_in_request(std::string_view key) const {
    return is_at({"deploy", "resources", "reservations", "devices", "-", key}) ||
           is_at({"gpus", "-", key});
  }
  bool is_item_of_request(std::string_view key) const {
    return is_at({"deploy", "resources", "reservations", "devices", "-", key, "-"}) ||
           is_at({"gpus", "-", key, "-"});
  }
  void begin_item() {
    if (!is_at({"deploy", "resources", "reservations", "devices", "-"}) && !is_at({"gpus", "-"})) {
      return;
    }
    services_.back().requests.push_back({});
    services_.back().requests.back().line = line_;
    services_.back().requests.back().is_gpu = path_[2].key == "gpus";
  }

  void see(std::string_view key, std::string_view value) {
    if (path_.size() == 2 && path_[0].key == "services" && !path_[1].is_item) {
      services_.push_back({});
      services_.back().name = key;
      services_.back().line = line_;
      return;
    }
    if (services_.empty() || path_[0].key != "services" || path_.size() < 3) return;
    see_in(services_.back(), value);
  }
  void see_in(ComposeService& service, std::string_view value) {
    if (is_at({"image"})) {
      service.image = plain(value);
      service.image_line = line_;
    } else if (is_at({"runtime"})) {
      service.runtime = plain(value);
      service.runtime_line = line_;
    } else if (is_at({"devices", "-"})) {
      service.devices.push_back({plain(value), line_});
    } else if (is_at({"devices"})) {
      for (std::string& item : flow_items(value)) service.devices.push_back({item, line_});
    } else if (is_at({"gpus"})) {
      if (value.empty()) return;
      service.requests.push_back({});
      service.requests.back().is_gpu = true;
      service.requests.back().line = line_;
    } else if (!service.requests.empty()) {
      see_in(service.requests.back(), value);
    }
  }
  void see_in(ComposeGpuRequest& request, std::string_view value) {
    if (is_in_request("driver")) {
      request.driver = plain(value);
      request.driver_line = line_;
    } else if (is_in_request("count")) {
      request.has_count = true;
    } else if (is_in_request("device_ids")) {
      request.has_ids = true;
      for (std::string& item : flow_items(value)) request.ids.push_back(std::move(item));
    } else if (is_item_of_request("device_ids")) {
      request.ids.push_back(plain(value));
    } else if (is_in_request("capabilities")) {
      const auto items = flow_items(value);
      if (std::find(items.begin(), items.end(), "gpu") != items.end()) request.is_gpu = true;
    } else if (is_item_of_request("capabilities")) {
      if (plain(value) == "gpu") request.is_gpu = true;
    }
  }

  std::vector<Level> path_;
  std::vector<ComposeService> services_;
  unsigned line_ = 0;
};

}  // namespace

std::vector<ComposeService> glance_at_compose(std::string_view text) {
  // Tabs, a second document or a block of text would be misread; YAML has more forms than these.
  if (text.size() > kMostBytes || text.find('\t') != std::string_view::npos) return {};
  return Reader().read(text);
}

}  // namespace estiva::decide
