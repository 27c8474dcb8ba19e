// The words after "estiva-memd".
#pragma once
#include <string>

#include "base/error.h"
#include "decide/memory/law.h"

namespace estiva::memd {

enum class Mode : std::uint8_t { loop, once, clean, help };

struct Options {
  Mode mode = Mode::loop;
  std::string folder = "/var/lib/estiva/swap";
  std::string run_folder = "/run/estiva";  // of the journal and the socket
  std::string meminfo = "/proc/meminfo";
  std::string group;
  decide::memory::LawSettings law;
};

// Sizes are whole numbers with K, M or G (1024 each), or without; times are seconds.
Result<Options> read_options(int count, char** words);
extern const char kHelp[];

}  // namespace estiva::memd
