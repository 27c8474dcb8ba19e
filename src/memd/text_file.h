// One file of /proc or of a control group, opened once and read again and again without a call that
// needs memory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace estiva::memd {

class TextFile {
 public:
  TextFile() = default;
  // False, with errno, where it can't be opened; then read() is always empty.
  bool open(const std::string& path);
  bool is_open() const noexcept { return static_cast<bool>(fd_); }
  // What it says now, at most 16 KiB less one byte; empty where it can't be read. Valid until the
  // next read of any TextFile: they share a buffer. One thread only.
  std::string_view read() const noexcept;

 private:
  UniqueFd fd_;
};

// The number after `name` at the beginning of a line, or `otherwise`. "max" is UINT64_MAX.
std::uint64_t number_after(std::string_view text, std::string_view name,
                           std::uint64_t otherwise = 0) noexcept;
// The number with which the text begins.
std::uint64_t number_of(std::string_view text, std::uint64_t otherwise = 0) noexcept;
// "total=" in the line of a pressure file that begins with `line`: microseconds.
std::uint64_t pressure_total(std::string_view text, std::string_view line) noexcept;

}  // namespace estiva::memd
