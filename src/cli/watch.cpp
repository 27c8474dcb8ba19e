#include "cli/watch.h"

#include "base/clock.h"
#include "cli/numbers.h"
#include "cli/signal_queue.h"

namespace estiva::cli {
namespace {

using std::chrono::nanoseconds;

Result<void> part_reports(Session& session, bool json) {
  if (session.style.terminal && !json) return session.out.write("\x1b[H\x1b[2J");
  return json ? Result<void>{} : session.out.write("\n");
}

}  // namespace

Result<int> repeat(Session& session, const Arguments& args, nanoseconds interval,
                   const std::function<Result<int>()>& report) {
  const auto every = time_of(args, "--interval", interval, std::chrono::milliseconds(50));
  if (!every) return Failure(every.error());
  const auto seconds = time_of(args, "--seconds", nanoseconds::max());
  if (!seconds) return Failure(seconds.error());
  if (!args.has("--watch") && !args.has("--seconds")) return report();

  const SignalQueue signals({SIGINT, SIGTERM});
  const SteadyTime start = steady_now();
  SteadyTime due = start;
  if (session.style.terminal && !args.has("--json"))
    if (auto ok = part_reports(session, false); !ok) return Failure(ok.error());
  while (true) {
    auto code = report();
    if (!code || session.out.closed()) return code;
    due = due + *every;
    if (due < steady_now()) due = steady_now();  // a late report is not made up for
    if (*seconds != nanoseconds::max() && due - start >= *seconds) {
      signals.take(start + *seconds - steady_now());
      return code;
    }
    if (signals.take(due - steady_now()) != 0) return code;
    if (auto ok = part_reports(session, args.has("--json")); !ok) return Failure(ok.error());
  }
}

}  // namespace estiva::cli
