// SHA-256 (FIPS 180-4): names file contents and plans by what is in them. Pure.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace estiva::format {

class Sha256 {
 public:
  // Appends to the message.
  void add(std::string_view bytes);
  // The digest of all that was added. Call it once, last.
  std::array<std::uint8_t, 32> finish();

 private:
  void take_block(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::uint64_t length_ = 0;  // bytes so far
};

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);
// Is `text` such a name?
bool is_sha256_hex(std::string_view text);

}  // namespace estiva::format
