#include "cli/verb_status.h"

#include <algorithm>

#include "api/json.h"
#include "cli/daemon_client.h"
#include "cli/local_world.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/watch.h"

namespace estiva::cli {
namespace {

struct Report {
  std::string document;
  bool no_daemon = false;
};

Result<Report> read_report(Session& session, const Arguments& args) {
  bool denied = false;
  if (!names_sources(args)) {
    auto body = get_if_allowed(session, "/api/v1/status", denied);
    if (!body) return Failure(body.error());
    if (*body) return Report{std::move(**body), false};
  }
  const auto world = read_local_world(sources_of(args), HostPart::with_cpu_shares);
  if (!world) return Failure(world.error());
  return Report{api::status_json(*world), !denied};
}

// Something is broken: 1. Something is not as it should be: 3.
int code_of(const StatusDocument& document) {
  const auto some = [&](auto is) {
    return std::any_of(document.checks.begin(), document.checks.end(), is);
  };
  if (some([](const CheckRow& check) { return check.state == "UNHEALTHY"; })) return 1;
  if (some([](const CheckRow& check) { return check.state != "OK" && check.state != "WARN"; }))
    return 3;
  return is_whole(document.gpu) ? 0 : 3;
}

Result<int> print_once(Session& session, const Arguments& args) {
  const auto report = read_report(session, args);
  if (!report) return Failure(report.error());
  const auto document = read_status_document(report->document);
  if (!document) return Failure(document.error());
  const std::string text =
      args.has("--json") ? one_line_end(report->document)
                         : render_status(*document, {session.style, wall_now(), report->no_daemon});
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return code_of(*document);
}

}  // namespace

Result<int> run_status(Session& session, const Arguments& args) {
  return repeat(session, args, std::chrono::seconds(5), [&] { return print_once(session, args); });
}

}  // namespace estiva::cli
