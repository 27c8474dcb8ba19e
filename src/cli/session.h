// What a verb is given: where to print, and where things are. Built once by main().
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/style.h"

namespace estiva::cli {

// stdout or stderr, written whole at each call.
class Output {
 public:
  virtual ~Output() = default;
  // Errors: failed (a full disk). A reader that went away is not an error: see closed().
  virtual Result<void> write(std::string_view text) = 0;
  // True once the reader went away (EPIPE): stop printing, and end quietly.
  virtual bool closed() const = 0;
};

struct Session {
  Output& out;
  Output& err;
  Style style;                 // of stdout
  std::string control_socket;  // where the daemon listens
  // It is the lease socket, as in a container: only leases of one's own.
  bool is_lease_socket = false;
  std::string token_file;  // where the daemon keeps its token
};

}  // namespace estiva::cli
