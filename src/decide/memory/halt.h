// Why swap is not growing now, in words. Pure.
#pragma once
#include <string>
#include <string_view>

#include "decide/memory/law.h"

namespace estiva::decide::memory {

struct Halt {
  std::string_view name;  // for JSON: "disk_floor"; "none" where nothing is in the way
  std::string why;        // a sentence with its numbers
  std::string remedy;     // empty where nothing is in the way
};

std::string_view to_name(Blocked blocked);
Halt explain_halt(const Decision& decision);

}  // namespace estiva::decide::memory
