// The token that TCP clients of the API must show: 256 random bits, in a file only we may read.
#pragma once
#include <string>

#include "base/error.h"

namespace estiva::daemon {

// Reads the token, or makes it where there is none. A file that others may read, or one that holds
// something else, is refused with what to do.
Result<std::string> load_token(const std::string& path);

}  // namespace estiva::daemon
