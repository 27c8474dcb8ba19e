// The parts of a GGUF header, one after the other, from a small window on the source. Only gguf.cpp
// includes this.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/byte_source.h"
#include "format/gguf_keys.h"

namespace estiva::format {

// Once something is wrong every further read gives zeros, and error() says what it was.
class GgufCursor {
 public:
  explicit GgufCursor(const ByteSource& source) : source_(source) {}

  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  // Little endian, of 1 to 8 bytes.
  std::uint64_t number(unsigned bytes);
  void skip(std::uint64_t bytes);
  // Its length and so many bytes; a longer one is damage.
  std::string text(std::uint64_t most);
  // The same, but a longer one is passed over: nothing.
  std::string short_text(std::uint64_t most);
  void skip_text() { skip(u64()); }

  std::uint64_t at() const { return at_; }
  bool is_good() const { return error_.what.empty(); }
  const Error& error() const { return error_; }
  void damaged(std::string_view what);

 private:
  bool has(std::size_t bytes);

  const ByteSource& source_;
  std::uint64_t at_ = 0, window_at_ = 0;
  std::size_t window_size_ = 0;
  std::vector<char> window_;
  Error error_;
};

// One value of the type that stands before it. Floating numbers and what is long are passed over.
GgufValue read_gguf_value(GgufCursor& in);

}  // namespace estiva::format
