#include "cli/verb_assign.h"

#include <fmt/format.h>
#include <set>

#include "base/messages/cli.h"
#include "cli/daemon_client.h"
#include "cli/numbers.h"
#include "cli/render.h"
#include "cli/session.h"
#include "format/text.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

// Names and numbers of the GPUs, for the sentence; without them it shows UUIDs only.
std::vector<GpuRow> gpus_of(const Session& session) {
  const auto body = get(session, "/api/v1/gpu");
  if (!body) return {};
  auto document = read_gpu_document(*body);
  return document ? std::move(document->gpus) : std::vector<GpuRow>{};
}

Result<int> print_granted(Session& session, const Arguments& args, const std::string& body) {
  const auto assignment = read_assignment(body);
  if (!assignment) return Failure(assignment.error());
  const std::string text = args.has("--json") ? one_line_end(body)
                                              : render_assignment(*assignment, gpus_of(session),
                                                                  {session.style, wall_now()});
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

Result<int> print_refused(Session& session, const Arguments& args, const Wanted& wanted,
                          const Answer& answer) {
  if (args.has("--json"))
    if (auto ok = session.out.write(one_line_end(answer.body)); !ok) return Failure(ok.error());
  const auto refusal = read_refusal(answer.body);
  if (!refusal) return Failure(error_of(answer));
  const auto text =
      render_refusal(wanted.model, *refusal, gpus_of(session), {session.style, wall_now()});
  if (auto ok = session.err.write(text); !ok) return Failure(ok.error());
  return exit_code(refusal->kind);
}

Result<void> release_one(Session& session, const Arguments& args, const std::string& name) {
  const auto answer = ask(session, "DELETE", lease_target(name));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  if (args.has("--json")) return session.out.write(one_line_end(answer->body));
  return session.out.write(fmt::format(m::kReleased, format::escape_for_terminal(name)) + ".\n");
}

// `assign NAME --pid N` of a model that is placed: the size is the one it has.
Result<Arguments> with_known_size(const Session& session, const Arguments& args) {
  Arguments full = args;
  if (args.has("--vram") || args.has("--vram-mb") || args.has("--gpus") || !args.has("--pid"))
    return full;
  const auto body = get(session, "/api/v1/leases");
  if (!body) return Failure(body.error());
  const auto leases = read_leases_document(*body);
  if (!leases) return Failure(leases.error());
  for (const LeaseRow& lease : *leases)
    if (lease.model == args.words[0] && !lease.gpus.empty()) {
      full.flags.emplace_back("--vram", fmt::format("{}B", lease.vram_bytes / lease.gpus.size()));
      full.flags.emplace_back("--gpus", std::to_string(lease.gpus.size()));
    }
  return full;
}

}  // namespace

std::string lease_target(std::string_view name, std::string_view id) {
  const bool fits_a_path = name.find('/') == std::string_view::npos && name != "." && name != "..";
  std::string target =
      (fits_a_path ? "/api/v1/leases/" : "/api/v1/leases?model=") + net::percent_encode(name);
  if (!id.empty()) target += (fits_a_path ? "?id=" : "&id=") + net::percent_encode(id);
  return target;
}

Result<int> run_assign(Session& session, const Arguments& args) {
  if (session.is_lease_socket)
    return fail(ErrorKind::refused, std::string(m::kAssignEndsAtOnce),
                std::string(m::kAssignEndsAtOnceRemedy));
  const auto full = with_known_size(session, args);
  if (!full) return Failure(full.error());
  const auto wanted = wanted_of(*full, args.words[0]);
  if (!wanted) return Failure(wanted.error());
  const auto answer = ask(session, "POST", "/api/v1/leases", to_json(*wanted));
  if (!answer) return Failure(answer.error());
  return answer->status == 200 ? print_granted(session, args, answer->body)
                               : print_refused(session, args, *wanted, *answer);
}

Result<int> run_release(Session& session, const Arguments& args) {
  std::set<std::string_view> seen;
  for (const std::string& name : args.words) {
    if (auto ok = check_name(name); !ok) return Failure(ok.error());
    if (!seen.insert(name).second)
      return fail(ErrorKind::usage,
                  fmt::format(m::kRepeatedName, format::escape_for_terminal(name)),
                  std::string(m::kNameOnce));
  }
  std::optional<Error> first;
  for (const std::string& name : args.words) {
    auto done = release_one(session, args, name);
    if (done) continue;
    // The others are still released; the first failure gives the exit code.
    if (first) (void)session.err.write("estiva: " + done.error().sentence() + "\n");
    if (!first) first = std::move(done.error());
  }
  if (first) return Failure(*first);
  return 0;
}

Result<int> run_leases(Session& session, const Arguments& args) {
  const auto body = get(session, "/api/v1/leases");
  if (!body) return Failure(body.error());
  const auto leases = read_leases_document(*body);
  if (!leases) return Failure(leases.error());
  std::string text;
  if (args.has("--json")) {
    text = one_line_end(*body);
  } else if (args.has("--names")) {  // for the shell completion of `release`
    for (const LeaseRow& lease : *leases) text += format::escape_for_terminal(lease.model) + "\n";
  } else if (session.is_lease_socket && leases->empty()) {
    text = m::kNoOwnLeases;  // there may be others
  } else {
    text = render_leases(*leases, {session.style, wall_now()});
  }
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
