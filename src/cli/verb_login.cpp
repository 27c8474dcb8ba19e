#include "cli/verb_login.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/daemon_client.h"
#include "cli/documents.h"
#include "cli/session.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

// "127.0.0.1:7700" of "http://127.0.0.1:7700/login?code=..."
std::string address_of(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const std::size_t end = url.find("/login?");
  if (!url.starts_with(kScheme) || end == std::string::npos) return {};
  return url.substr(kScheme.size(), end - kScheme.size());
}

// The links alone go to stdout, so that `xdg-open "$(estiva login)"` does what it should.
Result<void> print_links(Session& session, const LoginLinks& links) {
  std::string text;
  for (const std::string& url : links.urls) text += format::escape_for_terminal(url) + "\n";
  const std::string address = links.urls.empty() ? "" : address_of(links.urls.front());
  const std::string port = address.substr(address.rfind(':') + 1);
  std::string note = fmt::format(m::kLoginOpen, links.expires_seconds);
  if (format::parse_u64(port)) note = fmt::format(m::kLoginFar, port, address) + note;
  if (auto ok = session.err.write(note); !ok) return ok;
  return session.out.write(text);
}

std::string ended_line(std::uint64_t count) {
  return fmt::format(m::kLoginEnded, count, count == 1 ? m::kBrowser : m::kBrowsers);
}

}  // namespace

Result<int> run_login(Session& session, const Arguments& args) {
  const bool ends = args.has("--end-all");
  const auto answer = ask(session, ends ? "DELETE" : "POST", "/api/v1/login");
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  const auto links = read_login_document(answer->body);
  if (!links) return Failure(links.error());
  Result<void> printed;
  if (args.has("--json")) {
    printed = session.out.write(one_line_end(answer->body));
  } else if (ends) {
    printed = session.out.write(ended_line(links->ended));
  } else {
    printed = print_links(session, *links);
  }
  if (!printed) return Failure(printed.error());
  return 0;
}

}  // namespace estiva::cli
