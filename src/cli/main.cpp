// The command line: finds the verb, runs it, and turns what went wrong into one sentence and an
// exit code.
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <unistd.h>

#include "api/places.h"
#include "base/messages/cli.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"

namespace estiva::cli {
namespace {

struct Socket {
  std::string path;
  bool is_lease = false;
};

// An ordinary user without a daemon of their own talks to the machine's; who has no control socket,
// as in a container that the lease folder is mounted into, to the lease socket.
Socket socket_of(const api::Places& places) {
  const bool is_named = !api::process_environment("ESTIVA_RUNTIME_DIR").empty();
  const Socket candidates[] = {{places.control_socket, false},
                               {"/run/estiva/control/api.sock", false},
                               {places.lease_socket, true},
                               {"/run/estiva/lease/estiva.sock", true}};
  for (const Socket& one : candidates) {
    const bool is_ours = one.path == places.control_socket || one.path == places.lease_socket;
    if ((is_ours || !is_named) && ::access(one.path.c_str(), F_OK) == 0) return one;
  }
  return {places.control_socket, false};
}

Result<int> run_words(Session& session, const std::vector<std::string>& words) {
  const auto args = parse_arguments(all_verbs(), words);
  if (!args) return Failure(args.error());
  if (!args->wants_help) return args->verb->run(session, *args);
  if (auto ok = session.out.write(help_text(*args->verb)); !ok) return Failure(ok.error());
  return 0;
}

int run(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is told by write(2)
  FileOutput out(STDOUT_FILENO), err(STDERR_FILENO);
  const api::Places places = api::resolve_places();
  const Socket socket = socket_of(places);
  Session session{
      out, err, style_of(STDOUT_FILENO), socket.path, socket.is_lease, places.token_file};
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto code = run_words(session, words);
  if (out.closed()) return 0;
  if (code) return *code;
  (void)err.write("estiva: " + code.error().sentence() + "\n");
  return exit_code(code.error().kind);
}

}  // namespace
}  // namespace estiva::cli

int main(int argc, char** argv) {
  try {
    return estiva::cli::run(argc, argv);
  } catch (const std::exception& error) {  // a bug or no memory: still no stack trace
    estiva::cli::FileOutput err(STDERR_FILENO);
    (void)err.write(fmt::format(estiva::msg::cli::kBug, error.what()));
    return 1;
  }
}
