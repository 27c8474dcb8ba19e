// Bytes that are read where they are needed, for files of which only a few places matter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace estiva::format {

// A file, or bytes in memory.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` from `offset` on; the number of bytes, less than asked for only at the end.
  virtual std::size_t read_at(std::uint64_t offset, std::span<char> out) const = 0;
};

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : text_(text) {}
  std::size_t read_at(std::uint64_t offset, std::span<char> out) const override {
    if (offset >= text_.size()) return 0;
    return text_.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
  }

 private:
  std::string_view text_;
};

}  // namespace estiva::format
