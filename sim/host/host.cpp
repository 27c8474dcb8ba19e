// The sim host's loop: one thread, a tick of 10 ms, poll on the control socket and its clients.
#include "sim/host/host.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "sim/host/control.h"
#include "sim/host/machine_file.h"
#include "sim/host/tree.h"

namespace estiva::sim {
namespace {

constexpr int kTickMs = 10;
constexpr std::size_t kMaxClients = 64;
constexpr std::int64_t kReapNs = 100'000'000;

volatile sig_atomic_t stop_asked = 0;
void ask_stop(int) {
  stop_asked = 1;
}

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

bool fill_address(sockaddr_un& address, const std::string& path) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

int listen_at(const std::string& path) {
  sockaddr_un address;
  if (!fill_address(address, path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(fd, 64) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

// A child that only sleeps, under the name of the simulated process: clients that look into /proc
// find it there. It dies with the host.
pid_t spawn_sleeper(const std::string& name) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  ::execl("/proc/self/exe", name.c_str(), "--sleep", static_cast<char*>(nullptr));
  ::_exit(127);
}

// Gives every process number of the scenario a real process; the commands then name that one.
std::vector<pid_t> make_real(Scenario& scenario) {
  std::map<std::int32_t, std::string> names;
  for (const Event& event : scenario.events) {
    const Command& command = event.command;
    if (command.verb != Verb::process && command.verb != Verb::alloc) continue;
    std::string& name = names[command.pid];
    if (name.empty()) name = command.text;
  }
  std::map<std::int32_t, pid_t> real;
  std::vector<pid_t> children;
  for (const auto& [pid, name] : names) {
    const pid_t child = spawn_sleeper(name.empty() ? "process" : name);
    if (child <= 0) continue;
    real[pid] = child;
    children.push_back(child);
  }
  for (Event& event : scenario.events) {
    const auto found = real.find(event.command.pid);
    if (found != real.end()) event.command.pid = found->second;
  }
  return children;
}

struct Client {
  int fd;
  std::string in;
};

class Host {
 public:
  Host(Scenario scenario, const HostOptions& options)
      : scenario_(std::move(scenario)), options_(options) {}
  ~Host() {
    for (const Client& client : clients_) ::close(client.fd);
    if (listener_ >= 0) {
      ::close(listener_);
      ::unlink((options_.dir + "/control").c_str());
    }
    for (pid_t child : children_) ::kill(child, SIGKILL);
    for (pid_t child : children_) ::waitpid(child, nullptr, 0);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  int run() {
    if (options_.spawn) children_ = make_real(scenario_);
    const std::string failed = file_.create(options_.dir, scenario_);
    if (!failed.empty()) return complain(failed);
    // The machine starts: its kernel log is empty.
    const std::ofstream log(options_.dir + "/kmsg.log", std::ios::trunc);
    listener_ = listen_at(options_.dir + "/control");
    if (listener_ < 0)
      return complain("listening at " + options_.dir + "/control: " + std::strerror(errno));
    if (options_.spawn) mark_real();
    sync_tree(true);
    if (!options_.quiet) std::printf("ready %s\n", options_.dir.c_str());
    std::fflush(stdout);
    loop();
    return 0;
  }

 private:
  static int complain(const std::string& what) {
    std::fprintf(stderr, "estiva-sim: %s\n", what.c_str());
    return 1;
  }

  void mark_real() {
    for (Process& process : file_.state().processes) process.real = process.pid != 0;
  }

  void loop() {
    Session session{file_.state(), scenario_, options_.manual_clock, false};
    const std::int64_t start = monotonic_ns();
    while (!stop_asked && !session.quit) {
      const std::int64_t now = monotonic_ns() - start;
      if (options_.seconds > 0 && static_cast<double>(now) > options_.seconds * 1e9) break;
      if (!options_.manual_clock) {
        const Writing writing(file_.state());
        advance(file_.state(), scenario_, now);
      }
      if (now - last_reap_ns_ >= kReapNs) {
        last_reap_ns_ = now;
        reap_dead();
      }
      sync_tree(false);
      serve(session);
    }
  }

  // Real processes that have died free their memory, as the kernel driver would see to it.
  void reap_dead() {
    for (std::size_t i = 0; i < children_.size();) {
      if (::waitpid(children_[i], nullptr, WNOHANG) == children_[i]) {
        children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    for (Process& process : file_.state().processes) {
      if (process.pid == 0 || !process.real) continue;
      if (::kill(process.pid, 0) == 0 || errno != ESRCH) continue;
      const Writing writing(file_.state());
      end_process(file_.state(), process.pid);
      ++file_.state().generation;
    }
  }

  // The tree follows commands, and the sleep of cards. The kernel log is there without one too.
  void sync_tree(bool always) {
    const State& state = file_.state();
    write_kernel_log(options_.dir + "/kmsg.log", state, log_xids_);
    if (options_.tree.empty()) return;
    std::uint64_t asleep = 0;
    for (unsigned i = 0; i < state.gpu_count; ++i)
      asleep |= std::uint64_t{state.gpus[i].asleep} << i;
    if (always || state.generation != tree_generation_ || asleep != tree_asleep_) {
      write_tree(options_.tree, state);
    }
    tree_generation_ = state.generation;
    tree_asleep_ = asleep;
    write_kernel_log(options_.tree + "/dev/kmsg.log", state, tree_xids_);
  }

  void serve(Session& session) {
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const Client& client : clients_) polled.push_back({client.fd, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), kTickMs) <= 0) return;
    for (std::size_t i = polled.size() - 1; i > 0; --i) {
      if (polled[i].revents != 0 && !read_client(clients_[i - 1], session)) {
        ::close(clients_[i - 1].fd);
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i - 1));
      }
    }
    if ((polled[0].revents & POLLIN) == 0 || clients_.size() >= kMaxClients) return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) clients_.push_back({fd, {}});
  }

  bool read_client(Client& client, Session& session) {
    char buffer[4096];
    const ssize_t got = ::recv(client.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got > 0) client.in.append(buffer, static_cast<std::size_t>(got));
    for (;;) {
      const std::size_t end = client.in.find('\n');
      if (end == std::string::npos) return client.in.size() <= 2 * kMaxLineBytes;
      const std::string out = answer(session, client.in.substr(0, end));
      client.in.erase(0, end + 1);
      if (::send(client.fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) return false;
    }
  }

  Scenario scenario_;
  HostOptions options_;
  MachineFile file_;
  int listener_ = -1;
  std::vector<Client> clients_;
  std::vector<pid_t> children_;
  std::int64_t last_reap_ns_ = 0;
  std::uint64_t tree_generation_ = 0, tree_asleep_ = 0, tree_xids_ = 0, log_xids_ = 0;
};

}  // namespace

int run_host(Scenario scenario, const HostOptions& options) {
  struct sigaction action {};
  action.sa_handler = ask_stop;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  return Host(std::move(scenario), options).run();
}

int run_control(const std::string& dir, const std::string& line) {
  sockaddr_un address;
  const std::string path = dir + "/control";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!fill_address(address, path) ||
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::fprintf(stderr,
                 "estiva-sim: no simulated machine answers at %s: %s; start one with "
                 "'estiva-sim run SCENARIO --dir DIR'\n",
                 path.c_str(), std::strerror(errno));
    ::close(fd);
    return 4;
  }
  const timeval limit{30, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const std::string out = line + "\n";
  if (::send(fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) return ::close(fd), 4;
  std::string in;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return ::close(fd), 4;
    in.append(buffer, static_cast<std::size_t>(got));
    if (in.back() != '\n') continue;
    const std::size_t start = in.size() < 2 ? 0 : in.rfind('\n', in.size() - 2) + 1;
    const std::string last = in.substr(in.size() < 2 || start > in.size() ? 0 : start);
    const bool ok = last == "ok\n", full = last == "out-of-memory\n",
               bad = last.starts_with("error: ");
    if (!ok && !full && !bad) continue;
    std::fputs(in.c_str(), stdout);
    ::close(fd);
    return ok ? 0 : bad && last.find("command:1:") != std::string::npos ? 2 : 1;
  }
}

}  // namespace estiva::sim
