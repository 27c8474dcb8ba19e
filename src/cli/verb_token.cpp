#include "cli/verb_token.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/session.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::cli {

Result<int> run_token(Session& session, const Arguments&) {
  const auto text = host::read_local_file(session.token_file, 4096);
  if (!text)
    return fail(ErrorKind::refused, fmt::format(msg::cli::kNoToken, text.error().what),
                std::string(msg::cli::kNoTokenRemedy));
  const std::string token(format::trim(*text));
  if (auto ok = session.out.write(token + "\n"); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
