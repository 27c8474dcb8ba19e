#include <cstring>
#include <utility>

#include "format/model_field.h"
#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kLongestHead = 16 << 10;  // of one part

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  return true;
}

// The value of a parameter of a field such as `form-data; name="model"; filename=x`.
std::string_view parameter(std::string_view field, std::string_view name) {
  std::size_t at = field.find(';');
  while (at != std::string_view::npos) {
    std::string_view rest = trim(field.substr(at + 1));
    const bool is_it =
        starts_with_word(rest, name) && rest.size() > name.size() && rest[name.size()] == '=';
    const std::size_t equal = rest.find('=');
    if (equal == std::string_view::npos) return {};
    std::string_view value = rest.substr(equal + 1);
    const bool is_quoted = value.starts_with('"');
    if (is_quoted) value.remove_prefix(1);
    const std::size_t end = value.find(is_quoted ? '"' : ';');
    if (is_it) return is_quoted ? value.substr(0, end) : trim(value.substr(0, end));
    if (end == std::string_view::npos) return {};
    field = value.substr(end);
    at = field.find(';');
  }
  return {};
}

// RFC 7578: parts between lines "--BOUNDARY", each with a head of its own.
class FormModelScanner final : public ModelScanner {
 public:
  explicit FormModelScanner(std::string_view boundary)
      : delimiter_("\r\n--" + std::string(boundary)) {}

  ModelField feed(std::string_view piece) override {
    std::size_t at = 0;
    while (at < piece.size() && is_open()) at = step(piece, at);
    offset_ += piece.size();
    return state_;
  }

  ModelField finish() override {
    if (!is_open() || where_ == Where::behind) return state_;
    return state_ = ModelField::malformed;
  }

  std::string written(std::string_view model) const override { return std::string(model); }

 private:
  enum class Where : std::uint8_t { preamble, delimiter_line, head, value, behind };

  bool is_open() const { return state_ == ModelField::more || state_ == ModelField::found; }

  std::size_t step(std::string_view piece, std::size_t at) {
    switch (where_) {
      case Where::preamble:
      case Where::value:
        return take_content(piece, at);
      case Where::delimiter_line:
        take_line_end(piece[at]);
        return at + 1;
      case Where::head:
        take_head(piece[at], offset_ + at + 1);
        return at + 1;
      default:
        return piece.size();
    }
  }

  // Everything up to the next delimiter. CR stands only at the delimiter's start, so a mismatch can
  // begin anew only with the byte that did not match.
  std::size_t take_content(std::string_view piece, std::size_t at) {
    const std::size_t begin = at;
    while (at < piece.size()) {
      if (matched_ == 0) {
        const void* cr = std::memchr(piece.data() + at, '\r', piece.size() - at);
        if (cr == nullptr) break;
        at = static_cast<std::size_t>(static_cast<const char*>(cr) - piece.data());
      }
      const char c = piece[at++];
      matched_ = c == delimiter_[matched_] ? matched_ + 1 : (c == '\r' ? 1 : 0);
      if (matched_ < delimiter_.size()) continue;
      keep(piece.substr(begin, at - begin));
      end_content(offset_ + at - delimiter_.size());
      return at;
    }
    keep(piece.substr(begin));
    return piece.size();
  }

  void keep(std::string_view bytes) {
    const std::size_t most = kLongestModel + delimiter_.size();
    if (is_ours_ && kept_.size() <= most) kept_.append(bytes.substr(0, most + 1));
  }

  void end_content(std::uint64_t place) {
    where_ = Where::delimiter_line;
    matched_ = 0;
    line_.clear();
    if (!std::exchange(is_ours_, false)) return;
    if (kept_.size() > kLongestModel + delimiter_.size()) return fail(ModelField::no_name);
    end_ = place;
    name_ = kept_.substr(0, kept_.size() - delimiter_.size());
    if (name_.empty() || !is_utf8(name_)) return fail(ModelField::no_name);
    state_ = ModelField::found;
  }

  // Behind a delimiter: "--" ends the form, else blanks and the end of the line.
  void take_line_end(char c) {
    line_.push_back(c);
    if (line_ == "--") {
      where_ = Where::behind;
      if (state_ == ModelField::more) state_ = ModelField::absent;
    } else if (c == '\n' && line_.ends_with("\r\n")) {
      where_ = Where::head;
      line_.clear();
      head_ = 0;
      is_ours_ = false;
    } else if ((c != '-' && c != ' ' && c != '\t' && c != '\r') || line_.size() > kLongestHead) {
      fail(ModelField::malformed);
    }
  }

  void take_head(char c, std::uint64_t place) {
    if (++head_ > kLongestHead) return fail(ModelField::malformed);
    line_.push_back(c);
    if (c != '\n') return;
    const std::string_view line = trim(line_);
    if (line.empty()) return start_value(place);
    if (starts_with_word(line, "content-disposition:") && parameter(line, "name") == "model" &&
        parameter(line, "filename").empty())
      is_ours_ = true;
    line_.clear();
  }

  void start_value(std::uint64_t place) {
    where_ = Where::value;
    line_.clear();
    // An empty value's delimiter may follow the blank line with nothing between.
    matched_ = 0;
    kept_.clear();
    if (!is_ours_) return;
    if (state_ == ModelField::found) return fail(ModelField::ambiguous);
    begin_ = place;
  }

  void fail(ModelField how) { state_ = how; }

  std::string delimiter_;
  Where where_ = Where::preamble;
  std::size_t matched_ = 2;  // the first delimiter may be at the very start, without CR LF
  std::size_t head_ = 0;
  std::uint64_t offset_ = 0;
  std::string line_, kept_;
  bool is_ours_ = false;
};

}  // namespace

std::unique_ptr<ModelScanner> scan_form_model(std::string_view boundary) {
  return std::make_unique<FormModelScanner>(boundary);
}

std::unique_ptr<ModelScanner> scan_model(std::string_view content_type) {
  if (!starts_with_word(trim(content_type), "multipart/form-data")) return scan_json_model();
  const std::string_view boundary = parameter(content_type, "boundary");
  // RFC 2046 section 5.1.1: 1 to 70 characters, none of them a line break.
  if (boundary.empty() || boundary.size() > 70 ||
      boundary.find_first_of("\r\n") != std::string_view::npos)
    return nullptr;
  return scan_form_model(boundary);
}

}  // namespace estiva::format
