// Which model a request names, read while its body arrives: the top-level member "model" of a JSON
// object, or the field "model" of a multipart form, wherever in the body it stands. Only what leads
// there is looked at; nothing is stored but the name. Pure; every byte is looked at once.
//
// A body that names a model twice is `ambiguous`: parsers differ in which of the two counts (Python
// takes the last, others the first), so the engine might serve another than we made room for. Names
// of members are compared as what they mean ("\u006dodel" is "model") and without case, because
// Go's JSON reader, and so Ollama, does that. A scanner goes on looking behind the name, so that
// the second one is seen before the body's end has been passed on.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace estiva::format {

enum class ModelField : std::uint8_t {
  more,       // not found yet; the body goes on
  found,      // name(), begin() and end() are valid
  absent,     // the body ended, or its object, and there was none
  ambiguous,  // it names two
  no_name,    // there is one, but it is no text, or empty, or longer than kLongestModel
  malformed,  // no JSON object, or no such form
};

inline constexpr std::size_t kLongestModel = 1024;  // bytes of the body

class ModelScanner {
 public:
  virtual ~ModelScanner() = default;

  // The next bytes of the body. Returns where it stands after them; what is not `more` or `found`
  // is final. Pieces may be cut anywhere.
  virtual ModelField feed(std::string_view piece) = 0;
  // The body ended.
  virtual ModelField finish() = 0;
  // How bytes [begin, end) of the body are to be written so that they name `model` instead.
  virtual std::string written(std::string_view model) const = 0;

  const std::string& name() const { return name_; }
  std::uint64_t begin() const { return begin_; }  // of the value, with its quotes where it has some
  std::uint64_t end() const { return end_; }
  // A member "stream" with the value true was seen so far; of forms never.
  bool wants_stream() const { return wants_stream_; }

 protected:
  std::string name_;
  std::uint64_t begin_ = 0, end_ = 0;
  ModelField state_ = ModelField::more;
  bool wants_stream_ = false;
};

std::unique_ptr<ModelScanner> scan_json_model();
// `boundary` as the Content-Type gives it, without quotes.
std::unique_ptr<ModelScanner> scan_form_model(std::string_view boundary);
// For a request of this Content-Type: a form's scanner for multipart/form-data, else JSON's (many
// clients send JSON without saying so). Nothing: a form without a usable boundary.
std::unique_ptr<ModelScanner> scan_model(std::string_view content_type);

}  // namespace estiva::format
