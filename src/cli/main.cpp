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

// An ordinary user without a daemon of their own talks to the machine's. Where there is not even a
// control folder, as in a container that the lease folder is mounted into, it is the lease socket.
Socket socket_of(const api::Places& places) {
  static constexpr const char* kSystemFolder = "/run/estiva/control";
  static constexpr const char* kSystemControl = "/run/estiva/control/api.sock";
  static constexpr const char* kSystemLease = "/run/estiva/lease/estiva.sock";
  const bool is_named = !api::process_environment("ESTIVA_RUNTIME_DIR").empty();
  const auto exists = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  Socket own{places.control_socket, false};
  if (exists(own.path)) return own;
  if (!is_named && exists(kSystemControl)) return {kSystemControl, false};
  if (exists(places.control_dir) || (!is_named && exists(kSystemFolder))) return own;
  if (exists(places.lease_socket)) return {places.lease_socket, true};
  if (!is_named && exists(kSystemLease)) return {kSystemLease, true};
  return own;
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
