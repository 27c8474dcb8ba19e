#include "cli/screen.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace estiva::cli {
namespace {

// Alternate screen (xterm's mode 1049 keeps cursor and content), no cursor.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

// What a crash has to put back. A signal handler gets no argument, so this one is global; it is set
// before the terminal is touched.
struct Before {
  int in = -1, out = -1;
  bool has_keys = false;
  termios settings{};
};
std::atomic<const Before*> taken{nullptr};

// Only write(2) and tcsetattr(3): both may be called from a signal handler.
void put_back(const Before& before) {
  [[maybe_unused]] const ssize_t written = ::write(before.out, kLeave.data(), kLeave.size());
  if (before.has_keys) ::tcsetattr(before.in, TCSANOW, &before.settings);
}

extern "C" void crashed(int signal) {
  if (const Before* before = taken.exchange(nullptr)) put_back(*before);
  ::raise(signal);  // the handler was for once: now it is the signal's own effect
}

}  // namespace

struct Screen::State {
  State(int in, int out, Output& to) : output(to) {
    before.in = in;
    before.out = out;
    before.has_keys = ::isatty(in) == 1 && ::tcgetattr(in, &before.settings) == 0;
    keys = before.has_keys;
  }
  Before before;
  Output& output;
  bool keys = false;
  struct sigaction handlers[std::size(kCrashes)] = {};
};

Screen::Screen(int in, int out, Output& output) : state_(std::make_unique<State>(in, out, output)) {
  struct sigaction action {};
  action.sa_handler = crashed;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kCrashes); ++i)
    ::sigaction(kCrashes[i], &action, &state_->handlers[i]);
  take();
}

Screen::~Screen() {
  give_back();
  for (std::size_t i = 0; i < std::size(kCrashes); ++i)
    ::sigaction(kCrashes[i], &state_->handlers[i], nullptr);
}

bool Screen::is_taken() const {
  return taken.load() != nullptr;
}

bool Screen::take(bool anew) {
  if (is_taken() && !anew) return false;
  const Before& before = state_->before;
  // In the background the terminal is the shell's.
  if (before.has_keys && ::tcgetpgrp(before.in) != ::getpgrp()) return false;
  taken.store(&before);
  (void)state_->output.write(kEnter);
  if (!before.has_keys) return true;
  termios settings = before.settings;
  // Ctrl-C and Ctrl-Z stay signals; Ctrl-S must not be able to hold the screen, and so us.
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  settings.c_iflag &= ~static_cast<tcflag_t>(IXON);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  ::tcsetattr(before.in, TCSANOW, &settings);
  return true;
}

void Screen::give_back() {
  if (taken.exchange(nullptr) != nullptr) put_back(state_->before);
}

Screen::Size Screen::size() const {
  winsize window{};
  Size size;
  if (::ioctl(state_->before.out, TIOCGWINSZ, &window) != 0) return size;
  if (window.ws_col > 0) size.columns = window.ws_col;
  if (window.ws_row > 0) size.lines = window.ws_row;
  return size;
}

Result<void> Screen::draw(std::string_view page) {
  std::string out = "\x1b[H";
  while (!page.empty()) {
    const std::size_t end = std::min(page.find('\n'), page.size());
    out.append(page.substr(0, end)).append("\x1b[K");
    page.remove_prefix(std::min(end + 1, page.size()));
    if (!page.empty()) out += "\r\n";  // not behind the last line: that would scroll
  }
  out += "\x1b[J";
  return state_->output.write(out);
}

int Screen::key_fd() const {
  return state_->keys && is_taken() ? state_->before.in : -1;
}

char Screen::key() {
  char key = 0;
  const ssize_t got = ::read(state_->before.in, &key, 1);
  if (got == 1) return key;
  if (got == 0 || (errno != EINTR && errno != EAGAIN)) state_->keys = false;
  return 0;
}

}  // namespace estiva::cli
