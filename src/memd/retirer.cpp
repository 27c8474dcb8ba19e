#include "memd/retirer.h"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace estiva::memd {

namespace {

struct Request {
  std::uint32_t id;
  std::int64_t deadline_ns;
};

// The kernel's first choice when memory runs out: it ends this child and not a workload.
void become_the_victim() {
  const UniqueFd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file && write(file.get(), "1000", 4) < 0) return;
}

[[noreturn]] void run_swapoff(int folder, std::uint32_t id, int answer) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  become_the_victim();
  const AreaFault fault = deactivate_area(folder, id);
  _exit(write(answer, &fault, sizeof fault) == sizeof fault ? 0 : 1);
}

// Waits for the child that does it, and ends it after the deadline.
AreaFault watch(pid_t child, int answer, std::int64_t deadline_ns) {
  pollfd waits{answer, POLLIN, 0};
  const int patience = static_cast<int>(deadline_ns / 1'000'000);
  const bool is_late = poll(&waits, 1, patience) == 0;
  if (is_late) kill(child, SIGKILL);
  AreaFault fault{AreaStep::swapoff, is_late ? ETIMEDOUT : EINTR};
  // After the kill too: it may have ended in the same moment.
  if (read(answer, &fault, sizeof fault) != sizeof fault && !is_late) fault.error = EINTR;
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return fault;
}

AreaFault retire(int folder, const Request& request) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {AreaStep::swapoff, errno};
  const UniqueFd reads(ends[0]);
  UniqueFd writes(ends[1]);
  const pid_t child = fork();
  if (child < 0) return {AreaStep::swapoff, errno};
  if (child == 0) run_swapoff(folder, request.id, writes.get());
  writes.reset();
  return watch(child, reads.get(), request.deadline_ns);
}

[[noreturn]] void serve(int folder, int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "memd-retirer");
  signal(SIGTERM, SIG_IGN);  // it ends when the socket does
  signal(SIGINT, SIG_IGN);
  Request request{};
  while (recv(socket, &request, sizeof request, 0) == sizeof request) {
    const RetireAnswer answer{request.id, retire(folder, request)};
    if (send(socket, &answer, sizeof answer, MSG_NOSIGNAL) < 0) break;
  }
  _exit(0);
}

}  // namespace

int Retirer::start(int folder) noexcept {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  socket_.reset(ends[0]);
  UniqueFd theirs(ends[1]);
  child_ = fork();
  if (child_ < 0) return errno;
  if (child_ > 0) return 0;
  socket_.reset();
  serve(folder, theirs.release());
}

Retirer::~Retirer() {
  socket_.reset();
  if (child_ <= 0) return;
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

bool Retirer::ask(std::uint32_t id, std::int64_t deadline_ns) noexcept {
  const Request request{id, deadline_ns};
  return send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) ==
         sizeof request;
}

Retirer::Took Retirer::take(RetireAnswer& answer) noexcept {
  const ssize_t n = recv(socket_.get(), &answer, sizeof answer, MSG_DONTWAIT);
  if (n == sizeof answer) return Took::answer;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Took::nothing;
  socket_.reset();
  return Took::lost;
}

}  // namespace estiva::memd
