// An open file as bytes that are read where they are needed; never mapped, so a file that shrinks
// meanwhile is an early end and no signal. Thread-safe, blocking.
#pragma once
#include "format/byte_source.h"

namespace estiva::host {

class FileSource final : public format::ByteSource {
 public:
  // `fd` stays the caller's, and open as long as this is used.
  explicit FileSource(int fd) : fd_(fd) {}
  // What can't be read counts as the end.
  std::size_t read_at(std::uint64_t offset, std::span<char> out) const override;

 private:
  int fd_;
};

}  // namespace estiva::host
