// Errors are sentences with a remedy. What happens on real machines travels as Result<T>; an
// exception never crosses a room's door, and our own bugs are assertions.
#pragma once
#include <string>
#include <tl/expected.hpp>

namespace estiva {

// What kind of failure this is: decides the exit code (DESIGN: 0 fine, 1 failed, 2 usage,
// 3 degraded, 4 timed out, 5 refused) and the HTTP status.
enum class ErrorKind {
  failed,     // tried and did not work                          exit 1, HTTP 500
  no_room,    // a request that is right but does not fit now    exit 1, HTTP 409
  not_found,  // the thing named does not exist                  exit 1, HTTP 404
  usage,      // the caller's words are wrong                    exit 2, HTTP 400
  degraded,   // done, but with something missing                exit 3, HTTP 200
  timed_out,  // did not end within its limit                    exit 4, HTTP 504
  refused,  // a precondition does not hold                    exit 5, HTTP 503 (403 without right)
  denied,   // the caller may not do this                      exit 5, HTTP 403
};

int exit_code(ErrorKind kind);
int http_status(ErrorKind kind);
std::string_view kind_name(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::failed;
  std::string what;    // one sentence: what was tried, on what, why it failed
  std::string remedy;  // what to do; may be empty where `what` says it already

  // "what. remedy", the form that is shown to a person.
  std::string sentence() const;
  // The same error one layer up: "opening the store: <what>".
  Error in(std::string_view context) const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

inline Failure fail(std::string what, std::string remedy = {}) {
  return Failure(Error{ErrorKind::failed, std::move(what), std::move(remedy)});
}
inline Failure fail(ErrorKind kind, std::string what, std::string remedy = {}) {
  return Failure(Error{kind, std::move(what), std::move(remedy)});
}
// "open /x: No such file or directory"; `number` is an errno value.
Failure fail_errno(std::string_view doing, int number, std::string remedy = {});

}  // namespace estiva
