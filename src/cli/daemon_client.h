// Asking the daemon: one blocking request over the control socket. What goes wrong on the way is a
// sentence that says how to start it, who may use it, or that the versions differ.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/session.h"

namespace estiva::cli {

struct Answer {
  int status = 0;
  std::string body;
};

// nullopt: nobody listens there, so that a verb may do without. Errors: denied (permissions of the
// socket), timed_out, failed.
Result<std::optional<Answer>> ask_if_running(const Session& session, std::string_view method,
                                             std::string_view target, std::string body = {});
// The same for verbs that need the daemon: `refused` (exit 5) with how to start it.
Result<Answer> ask(const Session& session, std::string_view method, std::string_view target,
                   std::string body = {});
// The same for what may take as long as loading a model does.
Result<Answer> ask_patiently(const Session& session, std::string_view method,
                             std::string_view target, std::string body = {});
// The same for what may take `most`, with an eye on a descriptor beside it: FetchLimits::beside
// says how. Errors: refused also where `stops` ended it.
Result<Answer> ask_watching(const Session& session, std::string_view method,
                            std::string_view target, std::string body,
                            std::chrono::milliseconds most, int beside,
                            std::function<bool()> stops);
// The body of a GET that must answer 200.
Result<std::string> get(const Session& session, std::string_view target);
// The body of a GET, nullopt when no daemon runs.
Result<std::optional<std::string>> get_if_running(const Session& session, std::string_view target);

// The same for verbs that can read the machine themselves: also nullopt where we may not ask the
// daemon, which is said on stderr, and noted in `denied`.
Result<std::optional<std::string>> get_if_allowed(Session& session, std::string_view target,
                                                  bool& denied);

// An answer that is not 200 as an error: the daemon's own sentence where it sent one.
Error error_of(const Answer& answer);
// What net says went wrong on the way, in terms of the daemon: not there, not allowed, silent.
Error worded(const Session& session, const Error& error);

// A document as it is printed: with exactly one line end.
std::string one_line_end(std::string document);

}  // namespace estiva::cli
