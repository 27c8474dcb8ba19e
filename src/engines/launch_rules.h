// What estiva-launch may run for whom: for the one who asks, anything, as that user; for another
// user only what the configuration of the machine says word for word, because the asker may be
// anybody who has taken over estivad.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "engines/launch_protocol.h"
#include "format/settings.h"

namespace estiva::engines {

struct Permit {
  std::string user;  // empty: the one who asks
  std::vector<std::string> words, environment;
  std::string directory;
};

// `ours`: the launcher's own variables, which a program of another user begins with. `settings` is
// asked only for another user than the one who asks. Errors: refused, with what is different;
// those of `settings`.
Result<Permit> permit_launch(const LaunchRequest& request, const std::string& asker,
                             const char* const* ours,
                             const std::function<Result<format::Settings>()>& settings);

}  // namespace estiva::engines
