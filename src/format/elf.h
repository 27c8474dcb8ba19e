// What a shared library says of itself: word size, machine and DT_SONAME. Reads only the few places
// that are needed, so a library of 100 MB costs three small reads. Pure: the bytes come from a
// source of the caller's. Any bytes are safe; what does not hold together is no library.
// Layout: the System V ABI, "Object Files" and "Dynamic Linking".
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "format/byte_source.h"

namespace estiva::format {

constexpr unsigned kElf386 = 3, kElfX86_64 = 62, kElfAarch64 = 183;  // e_machine

struct ElfLibrary {
  bool is_32bit = false;
  unsigned machine = 0;  // e_machine
  std::string soname;    // empty: none, or one that is no file name
  friend bool operator==(const ElfLibrary&, const ElfLibrary&) = default;
};

// Program headers and dynamic entries beyond these are not looked at; the linkers' own output has
// below 20 and 60.
constexpr std::size_t kMaxElfSegments = 64, kMaxElfDynamic = 1024;
// The longest name of a file (NAME_MAX).
constexpr std::size_t kMaxSoname = 255;

// nullopt: no ELF file of type shared object (ET_DYN), or its header is damaged. A damaged dynamic
// section leaves `soname` empty.
std::optional<ElfLibrary> read_elf(const ByteSource& source);

}  // namespace estiva::format
