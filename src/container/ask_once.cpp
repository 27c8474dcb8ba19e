#include "container/ask_once.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/messages/container.h"
#include "net/fetch.h"

namespace estiva::container {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLongestAnswer = 16 << 20;  // 4,096 containers are about 8 MB

bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

// The file of a recorded answer, "inspect/ID.json"; empty: none is kept of such questions.
std::string file_of(std::string_view target) {
  if (target == "/version" || target == "/info") return std::string(target.substr(1)) + ".json";
  if (target.starts_with("/containers/json")) return "containers.json";
  const bool is_image = target.starts_with("/images/");
  if (!is_image && !target.starts_with("/containers/")) return {};
  target.remove_prefix(is_image ? 8 : 12);
  const std::size_t slash = target.find('/');
  if (slash == target.npos) return {};
  std::string_view id = target.substr(0, slash);
  (void)take(id, "sha256:");
  if (target.substr(slash) == "/json") {
    return fmt::format("{}/{}.json", is_image ? "images" : "inspect", id);
  }
  return target.substr(slash).starts_with("/logs") ? fmt::format("logs/{}.txt", id) : std::string();
}

ErrorKind kind_called(std::string_view state) {
  if (state == to_name(EngineState::absent)) return ErrorKind::not_found;
  if (state == to_name(EngineState::denied)) return ErrorKind::denied;
  if (state == to_name(EngineState::unsupported)) return ErrorKind::usage;
  return ErrorKind::failed;
}

}  // namespace

EngineAsk ask_engine(net::Endpoint endpoint, milliseconds limit) {
  const SteadyTime deadline = steady_now() + limit;
  return [endpoint = std::move(endpoint), deadline,
          limit](const std::string& target) -> Result<std::string> {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_now());
    if (left.count() <= 0) {
      return fail(ErrorKind::timed_out, fmt::format(msg::kEngineSlow, limit.count()));
    }
    net::FetchLimits limits;
    limits.connect_time = limits.total_time = left;
    limits.body_bytes = kLongestAnswer;
    net::ClientRequest request;
    request.target = target;
    auto answer = net::fetch(endpoint, request, limits);
    if (!answer) return Failure(with_engines_remedy(answer.error()));
    if (answer->head.status != 200) {
      return fail(fmt::format(msg::kEngineStatus, target, answer->head.status));
    }
    return std::move(answer->body);
  };
}

EngineAsk ask_recorded_engine(const host::Root& root, std::string folder) {
  return [&root, folder = std::move(folder)](const std::string& target) -> Result<std::string> {
    if (const auto error = host::read_file(root, folder + "/error")) {
      std::string_view text(*error);
      const std::size_t colon = std::min(text.find(": "), text.size());
      const std::string_view state = text.substr(0, colon);
      text.remove_prefix(std::min(colon + 2, text.size()));
      return fail(kind_called(state), std::string(text.substr(0, text.find('\n'))));
    }
    const std::string file = file_of(target);
    if (file.empty())
      return fail(ErrorKind::not_found, fmt::format(msg::kEngineStatus, target, 404));
    return host::read_file(root, folder + "/" + file, kLongestAnswer);
  };
}

Error with_engines_remedy(Error error) {
  if (error.kind == ErrorKind::not_found) error.remedy = msg::kEngineStartRemedy;
  return error;
}

EngineState state_of(const Error& error, const net::Endpoint& endpoint) {
  // A socket that nobody listens on is left behind by an engine that crashed.
  const bool is_there = endpoint.kind == net::Endpoint::Kind::unix_socket &&
                        ::access(endpoint.path.c_str(), F_OK) == 0;
  if (error.kind == ErrorKind::not_found && !is_there) return EngineState::absent;
  if (error.kind == ErrorKind::denied) return EngineState::denied;
  if (error.kind == ErrorKind::usage) return EngineState::unsupported;
  return EngineState::unreachable;
}

std::string explain_state(EngineState state, const Error& error, const std::string& address) {
  switch (state) {
    case EngineState::absent:
      return Error{error.kind, fmt::format(msg::kEngineAbsent, address),
                   std::string(msg::kEngineAbsentRemedy)}
          .sentence();
    case EngineState::denied:
      return Error{error.kind, fmt::format(msg::kEngineDenied, address),
                   std::string(msg::kEngineDeniedRemedy)}
          .sentence();
    case EngineState::unsupported:
      return error.sentence();
    default:
      return Error{error.kind, fmt::format(msg::kEngineSilent, address, error.what),
                   std::string(msg::kEngineSilentRemedy)}
          .sentence();
  }
}

}  // namespace estiva::container
