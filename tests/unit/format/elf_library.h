// The bytes of a shared library, as small as one can be: header, PT_LOAD, PT_DYNAMIC, SONAME.
#pragma once
#include <string>

#include "format/elf.h"

namespace estiva::test {

// A small library in either word size and byte order; the places that a case damages are members.
struct Library {
  bool wide = true, big_endian = false;
  unsigned type = 3, machine = format::kElfX86_64, segment_count = 2, segment_size = 0;
  std::string strings = std::string("\0libx.so.1\0", 11);
  std::uint64_t name = 1, strings_size = 11;
  std::uint64_t load_address = 0x10000;  // where the file is mapped: not its offset
  std::uint64_t load_size = 0;           // 0: all of it
  std::size_t tags = 4;                  // of STRTAB, STRSZ, SONAME, NULL
  std::size_t padding = 0;               // NULL-less tags before them

  std::string number(std::uint64_t value, std::size_t size) const {
    std::string out(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      out[big_endian ? size - 1 - i : i] = static_cast<char>(value >> (8 * i));
    }
    return out;
  }
  std::string word(std::uint64_t value) const { return number(value, wide ? 8 : 4); }

  std::string program(unsigned kind, std::uint64_t at, std::uint64_t size) const {
    const std::string place = word(at) + word(load_address + at) + word(load_address + at);
    const std::string sizes = word(size) + word(size);
    const std::string flags = number(4, 4), align = word(8);
    return number(kind, 4) + (wide ? flags + place + sizes + align : place + sizes + flags + align);
  }

  std::string bytes() const {
    const std::size_t head = wide ? 64 : 52, segment = wide ? 56 : 32, entry = wide ? 16 : 8;
    const std::size_t dynamic_at = head + 2 * segment;
    const std::size_t strings_at = dynamic_at + (padding + tags) * entry;
    std::string out = std::string(
                          "\x7f"
                          "ELF") +
                      (wide ? '\2' : '\1') + (big_endian ? '\2' : '\1');
    out += '\1' + std::string(9, '\0');
    out += number(type, 2) + number(machine, 2) + number(1, 4) + word(0) + word(head) + word(0);
    out += number(0, 4) + number(head, 2) + number(segment_size ? segment_size : segment, 2);
    out += number(segment_count, 2) + std::string(6, '\0');
    const std::size_t size = strings_at + strings.size();
    out += program(1, 0, load_size != 0 ? load_size : size);
    out += program(2, dynamic_at, (padding + tags) * entry);
    for (std::size_t i = 0; i < padding; ++i) out += word(1) + word(0);  // DT_NEEDED
    const std::string all = word(5) + word(load_address + strings_at) + word(10) +
                            word(strings_size) + word(14) + word(name) + word(0) + word(0);
    return out + all.substr(0, tags * entry) + strings;
  }
};

// The bytes of a library with that SONAME; an empty one has none.
inline std::string elf_bytes(const std::string& soname, unsigned machine = format::kElfX86_64) {
  Library library;
  library.wide = machine != format::kElf386;
  library.machine = machine;
  library.strings = '\0' + soname + '\0';
  library.strings_size = library.strings.size();
  if (soname.empty()) library.tags = 2;
  return library.bytes();
}

}  // namespace estiva::test
