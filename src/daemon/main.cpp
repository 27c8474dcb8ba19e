// estivad: parse, run, say what went wrong in one sentence.
#include <cstdio>

#include "daemon/core.h"
#include "daemon/model_service.h"
#include "daemon/options.h"

int main(int argc, char** argv) {
  using namespace estiva;
  auto parsed =
      daemon::parse_options({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  if (!parsed) {
    std::fprintf(stderr, "estivad: %s\n", parsed.error().sentence().c_str());
    return exit_code(parsed.error().kind);
  }
  if (!parsed->options) {
    std::fputs(parsed->text.c_str(), stdout);
    return 0;
  }
  auto ran = parsed->options->exec_gateway ? daemon::become_gateway(*parsed->options)
                                           : daemon::run_daemon(*parsed->options);
  if (!ran) {
    std::fprintf(stderr, "estivad: %s\n", ran.error().sentence().c_str());
    return exit_code(ran.error().kind);
  }
  return 0;
}
