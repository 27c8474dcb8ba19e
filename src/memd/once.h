// One status, without changing anything: of the estiva-memd that runs, or else of what is read
// here.
#pragma once
#include <string>

#include "memd/options.h"

namespace estiva::memd {

// The JSON document of format_status. Needs no root. An error where memory can't be read at all.
Result<std::string> read_once(const Options& options);

}  // namespace estiva::memd
