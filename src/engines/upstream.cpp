#include "engines/upstream.h"

#include <fmt/format.h>

#include "base/messages/engines.h"
#include "format/text.h"

namespace estiva::engines {
namespace {

constexpr std::size_t kShownWords = 300;

bool is_good(int status) {
  return status >= 200 && status < 300;
}

std::string shown(std::string_view body) {
  const auto words = format::trim(body).substr(0, kShownWords);
  return words.empty() ? "" : ": " + format::escape_for_terminal(words);
}

net::ClientLimits limits_for(Nanoseconds most) {
  net::ClientLimits limits;
  limits.response_time = limits.idle_time = std::chrono::ceil<std::chrono::milliseconds>(most);
  return limits;
}

}  // namespace

net::Awaitable<Result<net::ClientResponse>> Upstream::get(Url where, std::string bearer) {
  net::ClientRequest request;
  request.target = where.path.empty() ? "/" : where.path;
  if (!bearer.empty()) request.headers.add("Authorization", "Bearer " + bearer);
  auto answer = co_await client_.send(where.endpoint, std::move(request));
  co_return answer;
}

net::Awaitable<std::string> Upstream::why_not_ready(std::string url) {
  if (url.empty()) {
    co_return accepts(endpoint_) ? "" : fmt::format(msg::kNobodyAccepts, net::to_text(endpoint_));
  }
  const auto where = parse_url(url);
  if (!where) co_return where.error().what;
  Url target = *where;
  std::string no_key;
  const auto answer = co_await get(std::move(target), std::move(no_key));
  if (!answer) co_return answer.error().what;
  if (is_good(answer->head.status)) co_return std::string();
  co_return fmt::format(msg::kReadyStatus, url, answer->head.status, shown(answer->body));
}

net::Awaitable<Result<std::string>> Upstream::ask(std::string method, std::string target,
                                                  std::string body, Nanoseconds most) {
  net::Client client(loop_, limits_for(most));  // its time is this question's
  net::ClientRequest request;
  request.method = std::move(method);
  request.target = target;
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  auto answer = co_await client.send(endpoint_, std::move(request));
  if (!answer) {
    co_return Failure(
        answer.error().in(fmt::format(msg::kAskingEngine, net::to_text(endpoint_), target)));
  }
  if (!is_good(answer->head.status)) {
    co_return fail(fmt::format(msg::kAnswerStatus, net::to_text(endpoint_), target,
                               answer->head.status, shown(answer->body)));
  }
  co_return std::move(answer->body);
}

}  // namespace estiva::engines
