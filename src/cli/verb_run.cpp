// The order that leaves nothing behind: fork the child and hold it; ask for a lease bound to the
// child's process number (over the lease socket: to ours, since numbers in a container are not the
// machine's and only the one who asks can hold); let it go; forward signals until it ends; release
// that lease. Die at any point and the daemon sees the child's end and takes the lease back.
#include "cli/verb_run.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/messages/cli.h"
#include "base/units.h"
#include "cli/daemon_client.h"
#include "cli/documents.h"
#include "cli/held_child.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "cli/signal_queue.h"
#include "cli/verb_assign.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds kDefaultWait = 60s;
// For the answer at the end of the wait.
constexpr std::chrono::milliseconds kAnswerTime = 30s;
constexpr std::chrono::hours kLongestWait{24};  // that the daemon takes

struct Job {
  Session& session;
  const Arguments& args;
  Wanted wanted;
  nanoseconds wait{0};
  std::string command;  // for sentences
};

// What one question to the daemon brought: a lease, or words on why there is no room yet.
struct Attempt {
  std::optional<Assignment> lease;
  std::string why_not;
};

Result<Attempt> read_attempt(const Answer& answer) {
  if (answer.status == 200) {
    auto assignment = read_assignment(answer.body);
    if (!assignment) return Failure(assignment.error());
    return Attempt{std::move(*assignment), {}};
  }
  const auto refusal = read_refusal(answer.body);
  if (!refusal) return Failure(error_of(answer));
  const std::string reason = format::escape_for_terminal(refusal->reason);
  if (refusal->kind != ErrorKind::no_room)
    return fail(refusal->kind, reason, format::escape_for_terminal(refusal->remedy));
  return Attempt{std::nullopt, reason};
}

Result<Attempt> try_once(const Job& job) {
  const auto answer = ask(job.session, "POST", "/api/v1/leases", to_json(job.wanted));
  if (!answer) return Failure(answer.error());
  return read_attempt(*answer);
}

std::string gpu_words(const Job& job) {
  return job.wanted.gpu == "auto" ? std::string(m::kAnyGpu)
                                  : "GPU " + format::escape_for_terminal(job.wanted.gpu);
}

Failure wait_is_over(const Job& job, const std::string& why_not) {
  if (job.wait == 0ns) return fail(ErrorKind::no_room, why_not, std::string(m::kWaitLonger));
  return fail(ErrorKind::timed_out,
              fmt::format(m::kWaitOver, to_text(job.wanted.vram), format::format_duration(job.wait),
                          job.command),
              std::string(m::kWaitLonger));
}

// Either a lease, or the status to end with (a signal came while waiting).
struct Granted {
  std::optional<Assignment> lease;
  int ended_with = 0;
};

// The signal that ends the whole verb, or 0. Takes what has come.
int ending_signal(const SignalQueue& signals, HeldChild& child) {
  while (const int number = signals.take(nanoseconds(0))) {
    if (number == SIGCHLD && child.poll_exit()) return SIGTERM;
    if (number != SIGCHLD && number != SIGWINCH) return number;
  }
  return 0;
}

// Stands in the daemon's line for as long as it may: it is asked once, so that the place is kept.
Result<Granted> wait_in_line(const Job& job, const SignalQueue& signals, HeldChild& child) {
  Wanted wanted = job.wanted;
  wanted.wait_seconds =
      std::chrono::duration<double>(std::min<nanoseconds>(job.wait, kLongestWait)).count();
  const UniqueFd watched = signals.descriptor();
  int ended_with = 0;
  const auto stops = [&] { return (ended_with = ending_signal(signals, child)) != 0; };
  const auto most = std::chrono::ceil<std::chrono::milliseconds>(job.wait) + kAnswerTime;
  const auto answer = ask_watching(job.session, "POST", "/api/v1/leases", to_json(wanted), most,
                                   watched.get(), stops);
  if (ended_with != 0) return Granted{std::nullopt, 128 + ended_with};
  if (!answer) return Failure(answer.error());
  auto attempt = read_attempt(*answer);
  if (!attempt) return Failure(attempt.error());
  if (!attempt->lease) return wait_is_over(job, attempt->why_not);
  return Granted{std::move(attempt->lease), 0};
}

Result<Granted> wait_for_room(const Job& job, const SignalQueue& signals, HeldChild& child) {
  auto attempt = try_once(job);
  if (!attempt) return Failure(attempt.error());
  if (attempt->lease) return Granted{std::move(attempt->lease), 0};
  if (job.wait <= 0ns) return wait_is_over(job, attempt->why_not);
  (void)job.session.err.write(fmt::format(m::kWaiting, format::format_duration(job.wait),
                                          to_text(job.wanted.vram), gpu_words(job),
                                          attempt->why_not) +
                              "\n");
  return wait_in_line(job, signals, child);
}

EnvironmentChanges environment_of(const LeaseRow& lease) {
  std::string devices;
  for (const std::string& gpu : lease.gpus) devices += (devices.empty() ? "" : ",") + gpu;
  return {{"CUDA_VISIBLE_DEVICES", devices}, {"ESTIVA_LEASE", lease.id}};
}

int wait_for_end(const SignalQueue& signals, HeldChild& child) {
  while (true) {
    if (const auto status = child.poll_exit()) return *status;
    siginfo_t info{};
    const int number = signals.take(1s, info);
    if (number > 0 && number != SIGCHLD && was_sent_to_us(info)) ::kill(child.pid(), number);
  }
}

// A lease that the daemon took back already (it watches the child) is just as well gone; by then
// the name may be somebody else's, so the lease is named by its id as well.
void release(const Job& job, const LeaseRow& lease) {
  const auto answer = ask(job.session, "DELETE", lease_target(job.wanted.model, lease.id));
  std::string trouble;
  if (!answer) {
    trouble = answer.error().what;
  } else if (answer->status != 200 && answer->status != 404) {
    trouble = error_of(*answer).what;
  }
  if (!trouble.empty())
    (void)job.session.err.write(fmt::format(m::kReleaseFailed, job.wanted.model, trouble) + "\n");
}

Result<int> start_and_wait(const Job& job, const SignalQueue& signals, HeldChild& child,
                           const LeaseRow& lease) {
  if (const int number = child.let_go(environment_of(lease))) {
    release(job, lease);
    const Error error{ErrorKind::failed,
                      fmt::format(m::kCantStart, job.command, std::strerror(number)),
                      std::string(m::kCheckCommand)};
    (void)job.session.err.write("estiva: " + error.sentence() + "\n");
    return number == ENOENT ? 127 : 126;  // as a shell says it
  }
  const int status = wait_for_end(signals, child);
  release(job, lease);
  return status;
}

// "run-python3-4242": unique while the child lives, so that a release by name hits nothing else.
std::string default_name(const std::string& program, std::int64_t pid) {
  std::string base = format::to_valid_utf8(program.substr(program.rfind('/') + 1)).substr(0, 100);
  for (char& c : base)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '_';
  return fmt::format("run-{}-{}", format::to_valid_utf8(base), pid);
}

// Our process number as the daemon counts, which is unique on the machine.
Result<std::int64_t> own_number(const Session& session) {
  const auto body = get(session, "/api/v1/self");
  if (!body) return Failure(body.error());
  return read_self_pid(*body);
}

// Who holds the lease, and what it is called where no name was given.
Result<void> name_holder(Job& job, const HeldChild& child, bool is_named) {
  std::int64_t number = child.pid();
  if (!job.session.is_lease_socket) {
    job.wanted.pid = static_cast<std::uint64_t>(number);
  } else if (!is_named) {
    const auto own = own_number(job.session);
    if (!own) return Failure(own.error());
    number = *own;
  }
  if (!is_named) job.wanted.model = default_name(job.args.command[0], number);
  return {};
}

}  // namespace

Result<int> run_run(Session& session, const Arguments& args) {
  const auto named = args.value("--name");
  auto wanted = wanted_of(args, named ? std::string(*named) : std::string("run"));
  if (!wanted) return Failure(wanted.error());
  const auto wait = time_of(args, "--wait", kDefaultWait);
  if (!wait) return Failure(wait.error());
  Job job{session, args, std::move(*wanted), *wait,
          format::escape_for_terminal(args.command[0].substr(0, 200))};

  const SignalQueue signals(
      {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD});
  auto child = HeldChild::start(args.command, signals.mask_before());
  if (!child) return Failure(child.error());
  if (auto ready = name_holder(job, *child, named.has_value()); !ready)
    return Failure(ready.error());
  job.wanted.only_new = true;
  const auto granted = wait_for_room(job, signals, *child);
  if (!granted) return Failure(granted.error());
  if (!granted->lease) return granted->ended_with;
  return start_and_wait(job, signals, *child, granted->lease->lease);
}

}  // namespace estiva::cli
