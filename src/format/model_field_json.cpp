#include <cstring>
#include <optional>

#include "format/json_scan.h"
#include "format/json_writer.h"
#include "format/model_field.h"

namespace estiva::format {
namespace {

constexpr std::string_view kName = "model";
constexpr std::size_t kLongestWord = 8;  // of a value that may be "true"
// "model" with each letter as \uNNNN, and its quotes.
constexpr std::size_t kLongestKey = 6 * kName.size() + 2;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// What it means; nothing where it is no JSON text.
std::optional<std::string> meaning_of(std::string_view quoted) {
  if (check_json(quoted)) return std::nullopt;
  return unquote_json(quoted);
}

bool is_model(std::string_view quoted) {
  const bool is_plain = quoted.find('\\') == std::string_view::npos;
  if (is_plain && quoted.size() != kName.size() + 2) return false;
  const std::string name = meaning_of(quoted).value_or("");
  if (name.size() != kName.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] | 0x20) : name[i];
    if (c != kName[i]) return false;
  }
  return true;
}

// A state machine over the members of the outermost object. What lies deeper is stepped over by its
// brackets and strings.
class JsonModelScanner final : public ModelScanner {
 public:
  ModelField feed(std::string_view piece) override {
    std::size_t at = 0;
    while (at < piece.size() && is_open()) at = step(piece, at);
    offset_ += piece.size();
    return state_;
  }

  ModelField finish() override {
    if (!is_open() || where_ == Where::behind) return state_;
    return state_ = ModelField::malformed;  // it broke off
  }

  std::string written(std::string_view model) const override {
    std::string out;
    append_json_string(out, model);
    return out;
  }

 private:
  enum class Where : std::uint8_t {
    start,         // before the object
    key_or_end,    // behind '{'
    key,           // behind ','
    key_text,      // inside a member's name
    colon,         // behind a name
    value,         // behind ':'
    text,          // inside a text that is a member's value
    word,          // inside a number, true, false or null
    nested,        // inside a value that is an array or object
    nested_text,   // inside a text in there
    comma_or_end,  // behind a value
    behind,        // behind the object
  };

  bool is_open() const { return state_ == ModelField::more || state_ == ModelField::found; }

  // Takes one byte, or all bytes of a text that are in `piece`. Returns where to go on.
  std::size_t step(std::string_view piece, std::size_t at) {
    switch (where_) {
      case Where::key_text:
      case Where::text:
      case Where::nested_text:
        return take_text(piece, at);
      case Where::nested:
        return take_nested(piece, at);
      case Where::behind:
        return piece.size();
      default:
        take(piece[at], offset_ + at);
        return at + 1;
    }
  }

  void take(char c, std::uint64_t place) {
    if (where_ == Where::word) {
      if (c != ',' && c != '}' && !is_blank(c)) return keep_word(c);
      if (is_stream_) wants_stream_ = kept_ == "true";
      where_ = Where::comma_or_end;
    }
    if (is_blank(c)) return;
    switch (where_) {
      case Where::start:
        return c == '{' ? go(Where::key_or_end) : fail();
      case Where::key_or_end:
        if (c == '}') return end_object();
        [[fallthrough]];
      case Where::key:
        return c == '"' ? start_text(Where::key_text, c) : fail();
      case Where::colon:
        return c == ':' ? go(Where::value) : fail();
      case Where::value:
        return start_value(c, place);
      default:  // comma_or_end
        return c == ',' ? go(Where::key) : c == '}' ? end_object() : fail();
    }
  }

  void start_value(char c, std::uint64_t place) {
    if (is_ours_ && state_ == ModelField::found) return fail(ModelField::ambiguous);
    if (is_ours_ && c != '"') return fail(ModelField::no_name);
    if (c == '"') {
      if (is_ours_) begin_ = place;
      return start_text(Where::text, c);
    }
    if (c == ',' || c == '}' || c == ']' || c == ':') return fail();
    kept_.clear();
    keep_word(c);
    const bool is_nested = c == '{' || c == '[';
    depth_ = is_nested ? 1 : 0;
    go(is_nested ? Where::nested : Where::word);
  }

  void keep_word(char c) {
    if (is_stream_ && kept_.size() < kLongestWord) kept_.push_back(c);
  }

  void start_text(Where where, char quote) {
    go(where);
    is_escaped_ = false;
    kept_.assign(1, quote);
  }

  // What may be the name or the model is kept, up to a little more than it may be long.
  void keep(std::string_view bytes) {
    const bool is_kept = where_ == Where::key_text || (where_ == Where::text && is_ours_);
    const std::size_t most = where_ == Where::key_text ? kLongestKey : kLongestModel;
    if (is_kept && kept_.size() <= most) kept_.append(bytes.substr(0, most + 1));
  }

  std::size_t take_text(std::string_view piece, std::size_t at) {
    const std::size_t begin = at;
    if (is_escaped_) {
      is_escaped_ = false;
      ++at;
    }
    while (at < piece.size()) {
      const void* quote = std::memchr(piece.data() + at, '"', piece.size() - at);
      const std::size_t end =
          quote == nullptr
              ? piece.size()
              : static_cast<std::size_t>(static_cast<const char*>(quote) - piece.data());
      std::size_t slashes = 0;
      while (end - slashes > at && piece[end - slashes - 1] == '\\') ++slashes;
      const bool is_escaped = slashes % 2 == 1;
      if (quote == nullptr) {
        is_escaped_ = is_escaped;
        break;
      }
      at = end + 1;
      if (is_escaped) continue;
      keep(piece.substr(begin, at - begin));
      end_text(offset_ + at);
      return at;
    }
    keep(piece.substr(begin));
    return piece.size();
  }

  void end_text(std::uint64_t place) {
    if (where_ == Where::nested_text) return go(Where::nested);
    if (where_ == Where::key_text) {
      is_ours_ = kept_.size() <= kLongestKey && is_model(kept_);
      is_stream_ = kept_ == R"("stream")";
      return go(Where::colon);
    }
    go(Where::comma_or_end);
    if (!is_ours_) return;
    end_ = place;
    if (kept_.size() > kLongestModel) return fail(ModelField::no_name);
    const auto name = meaning_of(kept_);
    if (!name) return fail();
    if (name->empty()) return fail(ModelField::no_name);
    name_ = *name;
    state_ = ModelField::found;
  }

  std::size_t take_nested(std::string_view piece, std::size_t at) {
    for (; at < piece.size(); ++at) {
      const char c = piece[at];
      if (c == '"') {
        start_text(Where::nested_text, c);
        return at + 1;
      }
      if (c == '{' || c == '[') ++depth_;
      if ((c == '}' || c == ']') && --depth_ == 0) {
        go(Where::comma_or_end);
        return at + 1;
      }
    }
    return at;
  }

  void end_object() {
    go(Where::behind);
    if (state_ == ModelField::more) state_ = ModelField::absent;
  }
  void go(Where where) { where_ = where; }
  void fail(ModelField how = ModelField::malformed) { state_ = how; }

  Where where_ = Where::start;
  std::uint64_t offset_ = 0;  // of the piece, in the body
  std::uint64_t depth_ = 0;   // of brackets inside the member's value
  std::string kept_;
  bool is_ours_ = false, is_stream_ = false, is_escaped_ = false;
};

}  // namespace

std::unique_ptr<ModelScanner> scan_json_model() {
  return std::make_unique<JsonModelScanner>();
}

}  // namespace estiva::format
