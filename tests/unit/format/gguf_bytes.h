// GGUF files made by a test: well-formed unless the test says otherwise.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::test {

// Little endian, appended.
inline void put(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}
inline void put_text(std::string& out, std::string_view text) {
  put(out, text.size(), 8);
  out += text;
}

struct GgufBytes {
  std::uint32_t version = 3;
  std::string keys, infos;
  std::uint64_t key_count = 0, tensor_count = 0, next_offset = 0;

  GgufBytes& key(std::string_view name, std::uint32_t type) {
    put_text(keys, name);
    put(keys, type, 4);
    ++key_count;
    return *this;
  }
  GgufBytes& number(std::string_view name, std::uint32_t value) {
    key(name, 4);
    put(keys, value, 4);
    return *this;
  }
  GgufBytes& text(std::string_view name, std::string_view value) {
    key(name, 8);
    put_text(keys, value);
    return *this;
  }
  GgufBytes& numbers(std::string_view name, const std::vector<std::uint32_t>& values) {
    key(name, 9);
    put(keys, 4, 4);
    put(keys, values.size(), 8);
    for (const std::uint32_t value : values) put(keys, value, 4);
    return *this;
  }
  GgufBytes& texts(std::string_view name, std::size_t count, std::string_view each) {
    key(name, 9);
    put(keys, 8, 4);
    put(keys, count, 8);
    for (std::size_t i = 0; i < count; ++i) put_text(keys, each);
    return *this;
  }
  // `bytes` only moves the next tensor's offset.
  GgufBytes& tensor(std::string_view name, const std::vector<std::uint64_t>& dims,
                    std::uint32_t type, std::uint64_t bytes) {
    put_text(infos, name);
    put(infos, dims.size(), 4);
    for (const std::uint64_t length : dims) put(infos, length, 8);
    put(infos, type, 4);
    put(infos, next_offset, 8);
    next_offset += (bytes + 31) / 32 * 32;
    ++tensor_count;
    return *this;
  }
  // Without the tensors' own bytes.
  std::string bytes() const {
    std::string out = "GGUF";
    put(out, version, 4);
    put(out, tensor_count, 8);
    put(out, key_count, 8);
    return out + keys + infos;
  }
};

}  // namespace estiva::test
