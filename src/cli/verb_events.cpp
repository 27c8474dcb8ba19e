#include "cli/verb_events.h"

#include <fmt/format.h>

#include "base/units.h"
#include "cli/daemon_client.h"
#include "cli/documents.h"
#include "cli/session.h"
#include "format/text.h"
#include "net/fetch.h"

namespace estiva::cli {
namespace {

std::string gpu_phrase(const GpuRow& gpu) {
  const std::string used = gpu.used_bytes ? to_text(Bytes{*gpu.used_bytes}) : "n/a";
  const std::string busy = gpu.utilization ? to_text(Ratio{*gpu.utilization}) : "n/a";
  return fmt::format("GPU {} {} {}", gpu.index, used, busy);
}

// One World in one line; the JSON form is the whole document.
std::string line_of(const StatusDocument& document) {
  std::string line = document.gpu.sampled_at.empty() ? std::string("-") : document.gpu.sampled_at;
  if (document.gpu.simulated) line += "  SIMULATED";
  line += "  " + document.gpu.driver.state;
  for (const GpuRow& gpu : document.gpu.gpus) line += "  " + gpu_phrase(gpu);
  line += fmt::format("  {} {}", document.leases.size(),
                      document.leases.size() == 1 ? "lease" : "leases");
  return format::escape_for_terminal(line) + "\n";
}

Result<void> print_event(Session& session, const std::string& data, bool json) {
  if (json) return session.out.write(data + "\n");
  const auto document = read_status_document(data);
  if (!document) return Failure(document.error());
  return session.out.write(line_of(*document));
}

}  // namespace

Result<int> run_events(Session& session, const Arguments& args) {
  net::ClientRequest request;
  request.target = "/api/v1/events";
  Result<void> printed;
  const auto on_event = [&](const net::Event& event) {
    if (event.name == "world") printed = print_event(session, event.data, args.has("--json"));
    return printed && !session.out.closed() && args.has("--follow");
  };
  const auto response =
      net::fetch_events(net::Endpoint::unix_path(session.control_socket), request, on_event);
  if (!printed) return Failure(printed.error());
  if (response && response->head.status == 200) return 0;
  if (response) return Failure(error_of({response->head.status, response->body}));
  return Failure(worded(session, response.error()));
}

}  // namespace estiva::cli
