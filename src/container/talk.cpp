#include "container/talk.h"

#include <fmt/format.h>

#include "base/messages/container.h"
#include "container/ask_once.h"
#include "format/json_tree.h"
#include "net/fetch.h"

namespace estiva::container {

using std::chrono::milliseconds;

std::string TalkAnswer::message() const {
  constexpr std::size_t kShown = 500;
  const std::string text = member("message");
  return text.empty() ? fmt::format("HTTP {}: {}", status, body.substr(0, kShown)) : text;
}

std::string TalkAnswer::member(std::string_view name) const {
  const auto tree = format::JsonTree::parse(body);
  if (!tree) return {};
  return std::string(tree->root()[name].text().value_or(""));
}

Talk::Talk(net::Endpoint engine, milliseconds limit)
    : engine_(std::move(engine)), deadline_(steady_now() + limit), limit_(limit) {}

Result<TalkAnswer> Talk::say(std::string_view method, std::string target, std::string body,
                             std::string_view type) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - steady_now());
  if (left.count() <= 0)
    return fail(ErrorKind::timed_out, fmt::format(msg::kEngineSlow, limit_.count()));
  net::FetchLimits limits;
  limits.connect_time = limits.total_time = left;
  net::ClientRequest request;
  request.method = method;
  request.target = std::move(target);
  if (!body.empty()) request.headers.add("Content-Type", std::string(type));
  request.body = std::move(body);
  auto answer = net::fetch(engine_, request, limits);
  if (!answer) return Failure(with_engines_remedy(answer.error()));
  return TalkAnswer{answer->head.status, std::move(answer->body)};
}

}  // namespace estiva::container
