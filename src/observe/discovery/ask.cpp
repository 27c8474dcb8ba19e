#include "observe/discovery/ask.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/observe_discovery.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestAnswer = 4 << 20;  // a list of 256 models of Ollama has 100 kB

}  // namespace

Result<net::ClientResponse> LocalAsk::ask(const net::Endpoint& to,
                                          const net::ClientRequest& request) const {
  using std::chrono::milliseconds;
  if (!net::is_loopback(to)) return fail(ErrorKind::refused, net::to_text(to));
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - steady_now());
  const milliseconds time = std::min(left, each_);
  if (time.count() <= 0) return fail(ErrorKind::timed_out, std::string(msg::kDiscoverNoTime));
  net::FetchLimits limits;
  limits.connect_time = limits.total_time = time;
  limits.body_bytes = kLongestAnswer;
  auto answer = net::fetch(to, request, limits);
  if (answer && answer->head.status != 200)
    return fail(fmt::format(msg::kDiscoverStatus, request.target, answer->head.status));
  return answer;
}

Result<net::ClientResponse> LocalAsk::get(const net::Endpoint& to,
                                          const std::string& target) const {
  net::ClientRequest request;
  request.target = target;
  return ask(to, request);
}

Result<net::ClientResponse> LocalAsk::post(const net::Endpoint& to, const std::string& target,
                                           std::string json) const {
  net::ClientRequest request;
  request.method = "POST";
  request.target = target;
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(json);
  return ask(to, request);
}

}  // namespace estiva::observe
