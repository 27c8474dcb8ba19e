#include "cli/verb_notify.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/daemon_client.h"
#include "cli/session.h"
#include "format/text.h"

namespace estiva::cli {

namespace m = msg::cli;

Result<int> run_notify(Session& session, const Arguments& args) {
  if (args.words[0] != "test") {
    return fail(ErrorKind::usage,
                fmt::format(m::kNotifyWhat, format::escape_for_terminal(args.words[0])),
                std::string(m::kNotifyWhatRemedy));
  }
  const auto answer = ask(session, "POST", "/api/v1/notify/test");
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  const std::string text =
      args.has("--json") ? one_line_end(answer->body) : std::string(m::kNotifySent) + "\n";
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
