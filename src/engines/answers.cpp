#include "engines/answers.h"

namespace estiva::engines {

net::ClientLimits patience_of_a_probe() {
  net::ClientLimits limits;
  limits.connect_time = std::chrono::seconds(2);
  limits.response_time = limits.idle_time = std::chrono::seconds(5);
  limits.body_bytes = 1 << 20;
  return limits;
}

net::Awaitable<bool> answers(net::Client& client, Url url, bool any_status) {
  net::ClientRequest request;
  request.target = url.path.empty() ? "/" : url.path;
  auto call = co_await client.open(url.endpoint, std::move(request));
  if (!call) co_return false;
  auto head = co_await (*call)->response();
  if (!head) co_return false;
  const int status = (*head)->status;
  (void)co_await (*call)->read_body(1 << 20);  // so that the connection is used again
  co_return any_status || (status >= 200 && status < 300);
}

}  // namespace estiva::engines
