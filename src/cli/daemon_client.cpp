#include "cli/daemon_client.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include "base/messages/cli.h"
#include "cli/documents.h"
#include "format/text.h"
#include "net/fetch.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

Error no_daemon(const Session& session) {
  return {ErrorKind::refused, fmt::format(m::kNoDaemon, session.control_socket),
          std::string(m::kStartDaemon)};
}

// Whom the socket lets in, as the file system says: its group where that may use it. A folder that
// hides the socket has the same group.
std::string how_to_be_let_in(const std::string& socket) {
  struct stat at {};
  const std::string folder = socket.substr(0, socket.rfind('/'));
  if (::stat(socket.c_str(), &at) != 0 && ::stat(folder.c_str(), &at) != 0)
    return fmt::format(m::kJoinGroup, "estiva");
  const ::group* group = ::getgrgid(at.st_gid);
  if ((at.st_mode & S_IXGRP) != 0 || (at.st_mode & S_IWGRP) != 0) {
    if (group != nullptr && at.st_gid != 0) return fmt::format(m::kJoinGroup, group->gr_name);
  }
  if (at.st_uid == 0) return std::string(m::kBeRoot);
  const ::passwd* owner = ::getpwuid(at.st_uid);
  return fmt::format(m::kAskOwner, owner != nullptr ? std::string(owner->pw_name)
                                                    : fmt::format("uid {}", at.st_uid));
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 400:
      return ErrorKind::usage;
    case 401:
    case 403:
      return ErrorKind::denied;
    case 404:
      return ErrorKind::not_found;
    case 409:
      return ErrorKind::no_room;
    case 503:
      return ErrorKind::refused;
    case 504:
      return ErrorKind::timed_out;
    default:
      return ErrorKind::failed;
  }
}

}  // namespace

Error worded(const Session& session, const Error& error) {
  const std::string& socket = session.control_socket;
  switch (error.kind) {
    case ErrorKind::not_found:
      return no_daemon(session);
    case ErrorKind::denied:
      return {error.kind, fmt::format(m::kSocketDenied, socket), how_to_be_let_in(socket)};
    case ErrorKind::timed_out:
      return {error.kind, fmt::format(m::kDaemonMute, socket), std::string(m::kDaemonMuteRemedy)};
    default:
      return {error.kind, fmt::format(m::kDaemonTalk, socket, error.what), error.remedy};
  }
}

namespace {

Result<std::optional<Answer>> ask_within(const Session& session, std::string_view method,
                                         std::string_view target, std::string body,
                                         const net::FetchLimits& limits) {
  net::ClientRequest request;
  request.method = method;
  request.target = target;
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  auto response = net::fetch(net::Endpoint::unix_path(session.control_socket), request, limits);
  if (response) return Answer{response->head.status, std::move(response->body)};
  if (response.error().kind == ErrorKind::not_found) return std::nullopt;
  return Failure(worded(session, response.error()));
}

}  // namespace

Result<std::optional<Answer>> ask_if_running(const Session& session, std::string_view method,
                                             std::string_view target, std::string body) {
  return ask_within(session, method, target, std::move(body), {});
}

Result<Answer> ask_patiently(const Session& session, std::string_view method,
                             std::string_view target, std::string body) {
  net::FetchLimits limits;
  limits.total_time = std::chrono::minutes(30);
  auto answer = ask_within(session, method, target, std::move(body), limits);
  if (!answer) return Failure(answer.error());
  if (!*answer) return Failure(no_daemon(session));
  return std::move(**answer);
}

Result<Answer> ask_watching(const Session& session, std::string_view method,
                            std::string_view target, std::string body,
                            std::chrono::milliseconds most, int beside,
                            std::function<bool()> stops) {
  net::FetchLimits limits;
  limits.total_time = most;
  limits.beside = beside;
  limits.stops = std::move(stops);
  auto answer = ask_within(session, method, target, std::move(body), limits);
  if (!answer) return Failure(answer.error());
  if (!*answer) return Failure(no_daemon(session));
  return std::move(**answer);
}

Result<Answer> ask(const Session& session, std::string_view method, std::string_view target,
                   std::string body) {
  auto answer = ask_if_running(session, method, target, std::move(body));
  if (!answer) return Failure(answer.error());
  if (!*answer) return Failure(no_daemon(session));
  return std::move(**answer);
}

Result<std::optional<std::string>> get_if_running(const Session& session, std::string_view target) {
  auto answer = ask_if_running(session, "GET", target);
  if (!answer) return Failure(answer.error());
  if (!*answer) return std::nullopt;
  if ((*answer)->status == 200) return std::move((*answer)->body);
  if ((*answer)->status == 404)
    return fail(fmt::format(m::kDaemonOlder, "GET", target, ESTIVA_VERSION),
                std::string(m::kSameVersion));
  return Failure(error_of(**answer));
}

Result<std::optional<std::string>> get_if_allowed(Session& session, std::string_view target,
                                                  bool& denied) {
  auto body = get_if_running(session, target);
  // In a container there is nothing of the machine to read: its answer stands.
  denied = !body && body.error().kind == ErrorKind::denied && !session.is_lease_socket;
  if (!denied) return body;
  const std::string note = fmt::format(m::kReadsItself, body.error().sentence());
  if (auto ok = session.err.write(note + "\n"); !ok) return Failure(ok.error());
  return std::nullopt;
}

Result<std::string> get(const Session& session, std::string_view target) {
  auto body = get_if_running(session, target);
  if (!body) return Failure(body.error());
  if (!*body) return Failure(no_daemon(session));
  return std::move(**body);
}

Error error_of(const Answer& answer) {
  if (auto error = read_error(answer.body)) {
    error->what = format::escape_for_terminal(error->what);
    error->remedy = format::escape_for_terminal(error->remedy);
    while (!error->what.empty() && error->what.back() == '.') error->what.pop_back();
    while (!error->remedy.empty() && error->remedy.back() == '.') error->remedy.pop_back();
    return *error;
  }
  return {kind_of_status(answer.status), fmt::format(m::kDaemonSaid, answer.status),
          std::string(m::kDaemonMuteRemedy)};
}

std::string one_line_end(std::string document) {
  while (!document.empty() && document.back() == '\n') document.pop_back();
  return document + "\n";
}

}  // namespace estiva::cli
