#include "cli/verb_gpu.h"

#include <fmt/format.h>

#include "api/json.h"
#include "base/messages/cli.h"
#include "cli/daemon_client.h"
#include "cli/local_world.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "format/text.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

// One reading: the gpu document, and the status document where there is no GPU to show (memory and
// disk are then what can be shown honestly).
struct Report {
  std::string gpu;
  std::string status;
};

Result<Report> from_daemon(const Session& session, std::string gpu_document, bool json) {
  Report report{std::move(gpu_document), {}};
  if (json) return report;
  const auto document = read_gpu_document(report.gpu);
  if (!document) return Failure(document.error());
  if (!document->gpus.empty()) return report;
  auto status = get(session, "/api/v1/status");
  if (!status) return Failure(status.error());
  report.status = std::move(*status);
  return report;
}

Result<Report> from_here(const Arguments& args, bool json) {
  const HostPart part = json ? HostPart::never : HostPart::without_gpu;
  const auto world = read_local_world(sources_of(args), part);
  if (!world) return Failure(world.error());
  Report report{api::gpu_json(*world), {}};
  if (!json && world->gpus.empty()) report.status = api::status_json(*world);
  return report;
}

Result<Report> read_report(Session& session, const Arguments& args) {
  const bool json = args.has("--json");
  if (names_sources(args)) return from_here(args, json);
  bool denied = false;
  auto body = get_if_allowed(session, "/api/v1/gpu", denied);
  if (!body) return Failure(body.error());
  if (*body) return from_daemon(session, std::move(**body), json);
  return from_here(args, json);
}

Result<int> print_once(Session& session, const Arguments& args) {
  const auto report = read_report(session, args);
  if (!report) return Failure(report.error());
  const auto document = read_gpu_document(report->gpu);
  if (!document) return Failure(document.error());
  std::string text;
  if (args.has("--names")) {  // for the shell completion
    for (const GpuRow& gpu : document->gpus) text += fmt::format("{}\n{}\n", gpu.index, gpu.uuid);
  } else if (args.has("--json")) {
    text = one_line_end(report->gpu);
  } else {
    const RenderOptions options{session.style, wall_now()};
    text = render_gpu(*document, options);
    if (!report->status.empty()) {
      const auto status = read_status_document(report->status);
      if (!status) return Failure(status.error());
      text += render_host(status->host, options);
    }
  }
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return is_whole(*document) ? 0 : 3;
}

// A number is the GPU's in the driver's order; all else is taken as it is.
Result<std::string> device_of(const Session& session, std::string_view wanted) {
  const auto number = format::parse_u64(wanted);
  if (!number) return std::string(wanted);
  const auto body = get(session, "/api/v1/gpu");
  if (!body) return Failure(body.error());
  const auto document = read_gpu_document(*body);
  if (!document) return Failure(document.error());
  for (const GpuRow& gpu : document->gpus) {
    if (gpu.index == *number) return gpu.uuid;
  }
  return std::string(wanted);  // the daemon says that there is none
}

Result<int> dismiss(Session& session, const Arguments& args, std::string_view wanted) {
  const auto device = device_of(session, wanted);
  if (!device) return Failure(device.error());
  const auto answer =
      ask(session, "DELETE", "/api/v1/health?device=" + net::percent_encode(*device));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  const std::string text = args.has("--json") ? one_line_end(answer->body)
                                              : fmt::format(msg::cli::kDismissedDone,
                                                            format::escape_for_terminal(*device));
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace

Result<int> run_gpu(Session& session, const Arguments& args) {
  if (const auto wanted = args.value("--dismiss")) return dismiss(session, args, *wanted);
  return repeat(session, args, std::chrono::seconds(1), [&] { return print_once(session, args); });
}

}  // namespace estiva::cli
