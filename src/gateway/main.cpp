// estiva-gateway: one address for all models. It relays, asks estivad for models that are not
// loaded, and goes on relaying to those that are while estivad is away.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>

#include "base/log.h"
#include "gateway/gateway.h"

namespace {

using namespace estiva;

// Each request is two descriptors; shells and old units give 1,024.
void allow_descriptors() {
  constexpr rlim_t kDescriptors = 16'384;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kDescriptors) return;
  limit.rlim_cur = std::min(limit.rlim_max, kDescriptors);
  setrlimit(RLIMIT_NOFILE, &limit);
}

int complain(const Error& error) {
  std::fprintf(stderr, "estiva-gateway: %s\n", error.sentence().c_str());
  return exit_code(error.kind);
}

net::Awaitable<void> end(net::Loop& loop, gateway::Gateway& gateway) {
  co_await gateway.stop();
  loop.stop();
}

int run(const gateway::GatewayOptions& options) {
  net::Loop loop;
  gateway::Gateway gateway(loop, options);
  auto bound = gateway.start();
  if (!bound) return complain(bound.error());
  for (const net::Endpoint& one : *bound)
    log(LogLevel::info, "the gateway listens", {{"address", net::to_text(one)}});
  bool is_ending = false;
  const auto signals = loop.on_signals({SIGINT, SIGTERM}, [&](int) {
    if (is_ending) return loop.stop();  // a second one does not wait
    is_ending = true;
    loop.spawn(end(loop, gateway));
  });
  loop.run();
  std::_Exit(0);  // what did not end within the grace is dropped with the process
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  auto parsed =
      gateway::parse_options({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  if (!parsed) return complain(parsed.error());
  if (!parsed->options) {
    std::fputs(parsed->text.c_str(), stdout);
    return 0;
  }
  allow_descriptors();
  return run(*parsed->options);
}
