// Status documents as they are made, to be waited for beside keys and signals: the daemon's event
// stream, or readings by this process where no daemon runs.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"

namespace estiva::cli {

struct LocalSources;
struct Session;

class Feed {
 public:
  virtual ~Feed() = default;
  // Readable where take() has something to look at.
  virtual int fd() const = 0;
  // The newest document that has arrived since the last call; nullopt: none. Never waits. Errors:
  // the daemon is gone, or reading failed; there is nothing to come then.
  virtual Result<std::optional<std::string>> take() = 0;
};

// Null where no daemon listens. Waits for the daemon's answer, two seconds at most.
Result<std::unique_ptr<Feed>> follow_daemon(const Session& session);
// Reads once at once and then at each interval, on a thread of its own, since a driver may hang:
// its end waits for a reading that is under way, a few seconds at most. The signals that the caller
// has blocked are blocked there, too.
Result<std::unique_ptr<Feed>> follow_machine(LocalSources sources,
                                             std::chrono::nanoseconds interval);

}  // namespace estiva::cli
