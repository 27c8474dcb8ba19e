// What a kernel module's file says of itself, without modinfo: its version and whether it is
// signed. Reads a few kilobytes of a file that may have 100 MB.
#pragma once
#include <string>

#include "observe/readiness/tree.h"

namespace estiva::observe {

struct ModuleFile {
  Reading<std::string> version;  // "version=" of its .modinfo
  Reading<bool> is_signed;       // it ends with the kernel's signature mark
};

// Of an uncompressed .ko (ELF, 64 bits). For a compressed one, or what is no module: not_supported.
ModuleFile read_module_file(const Tree& tree, const std::string& path);

}  // namespace estiva::observe
