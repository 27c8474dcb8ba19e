// The header of a swap file, written and read by us: mkswap would have to be started, and its pages
// read from disk, at the very moment in which there is no memory.
#pragma once
#include <array>
#include <cstdint>

namespace estiva::memd {

using Uuid = std::array<std::uint8_t, 16>;

// Shown by blkid; at most 16 bytes. By it a file is known as ours.
inline constexpr char kLabel[] = "estiva-memd";

enum class FileHeaderKind : std::uint8_t {
  ours,
  blank,    // as fallocate leaves it: cut off before the header was written
  foreign,  // something else, or it can't be read
};

struct FileHeader {
  FileHeaderKind kind = FileHeaderKind::foreign;
  std::uint64_t size = 0;  // bytes, with the header's page
  Uuid uuid{};
};

// Writes the header for `size` bytes, a multiple of the page, into a file that holds only zeros.
// 0, or the errno. Source: union swap_header in include/linux/swap.h, format 1.
int write_header(int file, std::uint64_t size, const Uuid& uuid) noexcept;

FileHeader read_header(int file) noexcept;

}  // namespace estiva::memd
