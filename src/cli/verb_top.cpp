#include "cli/verb_top.h"

#include <algorithm>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "api/json.h"
#include "base/clock.h"
#include "base/messages/cli.h"
#include "base/messages/cli_top.h"
#include "cli/daemon_client.h"
#include "cli/feed.h"
#include "cli/local_world.h"
#include "cli/numbers.h"
#include "cli/render_top.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "cli/signal_queue.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// The daemon's streams say something every 15 s even where nothing changes.
constexpr nanoseconds kSilence = 20s;
constexpr nanoseconds kTryAgain = 1s;

struct Options {
  std::string sort, gpu, title;
  std::optional<std::size_t> processes;
  nanoseconds screens{};   // between two at least
  nanoseconds readings{};  // where this process reads by itself
  nanoseconds most = nanoseconds::max();
  bool json = false, once = false;
};

// A pipe is told once, unless more was asked for.
bool follows(const Session& session, const Arguments& args) {
  if (args.has("--once")) return false;
  return session.style.terminal || args.has("--json") || args.has("--interval") ||
         args.has("--seconds");
}

Result<Options> options_of(const Session& session, const Arguments& args) {
  Options options;
  options.sort = args.value("--sort").value_or("vram");
  options.gpu = args.value("--gpu").value_or("");
  options.title = fmt::format(m::kTopTitle, options.sort);
  options.json = args.has("--json");
  options.once = !follows(session, args);
  const auto lines = count_of(args, "--lines", 0, 100'000, 0);
  if (!lines) return Failure(lines.error());
  if (args.has("--lines")) options.processes = *lines;
  const auto screens = time_of(args, "--interval", options.json ? 0ms : 200ms, 50ms);
  if (!screens) return Failure(screens.error());
  options.screens = *screens;
  options.readings = args.has("--interval") ? *screens : 1s;
  const auto seconds = time_of(args, "--seconds", nanoseconds::max());
  if (!seconds) return Failure(seconds.error());
  options.most = *seconds;
  return options;
}

Result<TopView> view_of(const std::string& document, const Options& options) {
  auto status = read_status_document(document);
  if (!status) return Failure(status.error());
  const bool had_gpus = !status->gpu.gpus.empty();
  TopView view = top_of(std::move(*status), options.sort, options.gpu);
  if (had_gpus && view.gpu.gpus.empty())
    return fail(ErrorKind::not_found,
                fmt::format(m::kTopNoGpu, format::escape_for_terminal(options.gpu)),
                std::string(m::kTopNoGpuRemedy));
  return view;
}

int code_of(const TopView& view) {
  return is_whole(view.gpu) ? 0 : 3;
}

struct Reading {
  std::string document;
  bool no_daemon = false;
};

Result<Reading> read_once(Session& session, const Arguments& args) {
  bool denied = false;
  if (!names_sources(args)) {
    auto body = get_if_allowed(session, "/api/v1/status", denied);
    if (!body) return Failure(body.error());
    if (*body) return Reading{std::move(**body), false};
  }
  const auto world = read_local_world(sources_of(args), HostPart::with_cpu_shares);
  if (!world) return Failure(world.error());
  return Reading{api::status_json(*world), !denied};
}

Result<int> print_once(Session& session, const Arguments& args, const Options& options) {
  const auto reading = read_once(session, args);
  if (!reading) return Failure(reading.error());
  const auto view = view_of(reading->document, options);
  if (!view) return Failure(view.error());
  const RenderOptions plain{session.style, wall_now(), reading->no_daemon};
  TopScreen screen;
  screen.processes = options.processes;
  const std::string text = options.json ? top_json(*view) + "\n" : render_top(*view, plain, screen);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return code_of(*view);
}

// The live report. One thread; what it waits for is a feed, signals and keys.
class Live {
 public:
  Live(Session& session, const Arguments& args, const Options& options)
      : session_(session), args_(args), options_(options), start_(steady_now()), heard_(start_) {}

  Result<int> run();

 private:
  Result<void> open();
  void reopen();
  Result<bool> wait();  // false: it is to end
  bool take_signals();  // false: it is to end
  Result<void> take_reading();
  Result<void> show();
  Result<void> show_screen();
  std::string note() const;
  nanoseconds patience() const;
  void stop_here();

  Session& session_;
  const Arguments& args_;
  const Options& options_;
  SteadyTime start_, heard_;
  // The order matters: signals are blocked before a thread begins, and at the end the terminal is
  // given back before the feed's thread is waited for.
  SignalQueue signals_{SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
  UniqueFd signal_fd_ = signals_.descriptor();
  std::unique_ptr<Feed> feed_;
  bool from_daemon_ = false;
  std::unique_ptr<Screen> screen_;
  std::optional<TopView> view_;
  bool is_new_ = false;  // something is to be shown
  bool has_shown_ = false;
  SteadyTime due_;    // the next screen, at the soonest
  std::string lost_;  // why there is no feed
  SteadyTime retry_;  // then
};

Result<void> Live::open() {
  if (!names_sources(args_)) {
    auto feed = follow_daemon(session_);
    if (!feed) return Failure(feed.error());
    feed_ = std::move(*feed);
    from_daemon_ = feed_ != nullptr;
  }
  if (feed_) return {};
  auto feed = follow_machine(sources_of(args_), options_.readings);
  if (!feed) return Failure(feed.error());
  feed_ = std::move(*feed);
  return {};
}

// On a terminal a daemon that is restarted is waited for; a program at the end of a pipe is told.
void Live::reopen() {
  auto feed = follow_daemon(session_);
  retry_ = steady_now() + kTryAgain;
  if (!feed) lost_ = feed.error().what;
  if (!feed || !*feed) return;
  feed_ = std::move(*feed);
  heard_ = steady_now();
  lost_.clear();
  is_new_ = true;
}

nanoseconds Live::patience() const {
  const SteadyTime now = steady_now();
  nanoseconds span = 1s;  // ages on the screen
  if (is_new_) span = std::min(span, due_ - now);
  if (!feed_) span = std::min(span, retry_ - now);
  if (options_.most != nanoseconds::max()) span = std::min(span, start_ + options_.most - now);
  return std::max(span, nanoseconds(0));
}

// Stopped with the terminal as it was; what came meanwhile is shown afterwards.
void Live::stop_here() {
  if (screen_) screen_->give_back();
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGTSTP);
  ::raise(SIGTSTP);  // waits until it is let through
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
}

bool Live::take_signals() {
  while (const int signal = signals_.take(nanoseconds(0))) {
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) return false;
    if (signal == SIGTSTP) stop_here();
    if (!screen_) continue;
    if (signal == SIGCONT || signal == SIGTSTP) (void)screen_->take(true);
    is_new_ = true;
    due_ = {};
  }
  return true;
}

Result<bool> Live::wait() {
  pollfd all[] = {{signal_fd_.get(), POLLIN, 0},
                  {feed_ ? feed_->fd() : -1, POLLIN, 0},
                  {screen_ ? screen_->key_fd() : -1, POLLIN, 0}};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(patience()).count();
  (void)::poll(all, std::size(all), static_cast<int>(milliseconds));
  if (!take_signals()) return false;
  if (all[2].revents != 0) {
    const char key = screen_->key();
    if (key == 'q' || key == 'Q') return false;
  }
  if (all[1].revents != 0) {
    if (auto taken = take_reading(); !taken) return Failure(taken.error());
  }
  return steady_now() - start_ < options_.most && !session_.out.closed();
}

Result<void> Live::take_reading() {
  heard_ = steady_now();
  auto document = feed_->take();
  if (!document) {
    if (!screen_ || !from_daemon_) return Failure(document.error());
    lost_ = document.error().what;
    feed_.reset();
    is_new_ = true;
    return {};
  }
  if (!*document) return {};
  auto view = view_of(**document, options_);
  if (!view) return Failure(view.error());
  view_ = std::move(*view);
  is_new_ = true;
  return {};
}

std::string Live::note() const {
  if (!lost_.empty()) return fmt::format(m::kTopLost, lost_);
  const nanoseconds silent = steady_now() - heard_;
  if (!from_daemon_ || silent < kSilence) return {};
  return fmt::format(m::kTopSilent, std::chrono::duration<double>(silent).count());
}

Result<void> Live::show_screen() {
  if (!screen_->is_taken()) return {};
  const Screen::Size size = screen_->size();
  TopScreen layout{size.columns, size.lines, options_.processes, options_.title, note()};
  if (!view_) return screen_->draw(m::kTopWaiting);
  return screen_->draw(render_top(*view_, {session_.style, wall_now(), !from_daemon_}, layout));
}

Result<void> Live::show() {
  is_new_ = false;
  due_ = steady_now() + options_.screens;
  if (screen_) return show_screen();
  if (!view_) return {};
  if (options_.json) return session_.out.write(top_json(*view_) + "\n");
  TopScreen layout;
  layout.processes = options_.processes;
  std::string text = has_shown_ ? "\n" : "";
  text += render_top(*view_, {session_.style, wall_now(), !from_daemon_}, layout);
  has_shown_ = true;
  return session_.out.write(text);
}

Result<int> Live::run() {
  if (auto opened = open(); !opened) return Failure(opened.error());
  if (session_.style.terminal && !options_.json) {
    screen_ = std::make_unique<Screen>(STDIN_FILENO, STDOUT_FILENO, session_.out);
    is_new_ = true;
  }
  while (true) {
    if (!feed_ && steady_now() >= retry_) reopen();
    if (screen_ && (screen_->take() || !note().empty())) is_new_ = true;  // an age goes on
    if (is_new_ && steady_now() >= due_) {
      if (auto shown = show(); !shown) return Failure(shown.error());
    }
    const auto goes_on = wait();
    if (!goes_on) return Failure(goes_on.error());
    if (!*goes_on) return view_ ? code_of(*view_) : 0;
  }
}

}  // namespace

Result<int> run_top(Session& session, const Arguments& args) {
  const auto options = options_of(session, args);
  if (!options) return Failure(options.error());
  if (options->once) return print_once(session, args, *options);
  return Live(session, args, *options).run();
}

}  // namespace estiva::cli
