#include "base/error.h"

#include <fmt/format.h>
#include <system_error>

namespace estiva {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
    case ErrorKind::no_room:
    case ErrorKind::not_found:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::degraded:
      return 3;
    case ErrorKind::timed_out:
      return 4;
    case ErrorKind::refused:
    case ErrorKind::denied:
      return 5;
  }
  return 1;
}

int http_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return 500;
    case ErrorKind::no_room:
      return 409;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::usage:
      return 400;
    case ErrorKind::degraded:
      return 200;
    case ErrorKind::timed_out:
      return 504;
    case ErrorKind::refused:
      return 503;
    case ErrorKind::denied:
      return 403;
  }
  return 500;
}

std::string_view kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return "failed";
    case ErrorKind::no_room:
      return "no_room";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::degraded:
      return "degraded";
    case ErrorKind::timed_out:
      return "timed_out";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::denied:
      return "denied";
  }
  return "failed";
}

std::string Error::sentence() const {
  if (remedy.empty()) return what + ".";
  return fmt::format("{}. {}.", what, remedy);
}

Error Error::in(std::string_view context) const {
  return Error{kind, fmt::format("{}: {}", context, what), remedy};
}

Failure fail_errno(std::string_view doing, int number, std::string remedy) {
  return fail(ErrorKind::failed,
              fmt::format("{}: {}", doing, std::generic_category().message(number)),
              std::move(remedy));
}

}  // namespace estiva
