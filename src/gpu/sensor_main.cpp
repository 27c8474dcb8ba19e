// estiva-sensor: the only process that maps the NVIDIA driver's library. It may hang, crash or be
// killed at any moment; nothing else is lost with it. It reads requests from descriptor 3, answers
// them one after the other, and ends when the other end of the socket is closed.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gpu/cuda_probe.h"
#include "gpu/seen_probe.h"
#include "gpu/sensor_server.h"

namespace {

using namespace estiva::gpu;

// A driver helper was seen to take memory in proportion to the descriptor limit (nvitop #128).
constexpr rlim_t kMostDescriptors = 1024;

void cap_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_max = std::min(limit.rlim_max, kMostDescriptors);
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// From the listening thread: never waits, so that a daemon that is slow to read can't hold it.
bool send_xids(const std::vector<estiva::XidReport>& reports) {
  Outbox outbox;
  outbox.add_xids(reports);
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    const auto message = outbox.message(i);
    const ssize_t sent =
        send(kSensorFd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    // A part that is told twice is an error of the rarest kind; one that is never told is a worse.
    if (sent < 0) return false;
  }
  return true;
}

bool read_arguments(int count, char** words, BackendOptions& options) {
  for (int i = 1; i < count; i += 2) {
    if (i + 1 >= count) return false;
    const std::string value = words[i + 1];
    if (std::strcmp(words[i], "--nvml") == 0)
      options.nvml_file = value;
    else if (std::strcmp(words[i], "--root") == 0)
      options.root = value;
    else if (std::strcmp(words[i], "--source") == 0)
      options.source = value;
    else if (std::strcmp(words[i], "--machine") == 0)
      options.machine = value;
    else if (std::strcmp(words[i], "--xids") == 0 && value == "on")
      options.on_xids = send_xids;
    else if (std::strcmp(words[i], "--costs") == 0 && value == "on")
      options.measures = true;
    else
      return false;
  }
  return true;
}

bool has_socket() {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(kSensorFd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// Blocking: a full socket makes the sensor wait, never the daemon. Ends when the daemon is gone.
void send_all(Outbox& outbox) {
  constexpr std::size_t kBatch = 32;
  for (std::size_t next = 0; next < outbox.size();) {
    mmsghdr headers[kBatch] = {};
    iovec parts[kBatch];
    const std::size_t n = std::min(kBatch, outbox.size() - next);
    for (std::size_t i = 0; i < n; ++i) {
      const auto message = outbox.message(next + i);
      parts[i] = {const_cast<std::byte*>(message.data()), message.size()};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(kSensorFd, headers, static_cast<unsigned>(n), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) _exit(0);
    next += static_cast<std::size_t>(sent);
  }
  outbox.clear();
}

int serve(SensorServer& server) {
  std::byte buffer[256];
  while (true) {
    const ssize_t n = recv(kSensorFd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    const auto request = decode_request(std::span(buffer, static_cast<std::size_t>(n)));
    if (!request) return 3;
    if (!server.handle(*request, estiva::steady_now())) return 0;
  }
}

}  // namespace

int main(int count, char** words) {
  // Asked for by probe_cuda: one question, and the end.
  if (count == 3 && std::strcmp(words[1], "--cuda") == 0) return answer_cuda_probe(words[2]);
  // Run inside a container by 'estiva verify'.
  if (count == 3 && std::strcmp(words[1], "--seen") == 0) return answer_seen_probe(words[2]);
  BackendOptions options;
  options.owns_process = true;
  const bool understood = read_arguments(count, words, options);
  auto backend = understood ? make_backend(options) : nullptr;
  if (backend == nullptr || !has_socket()) {
    std::fputs("estiva-sensor is started by estivad, which gives it a socket as descriptor 3.\n",
               stderr);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};  // of a crash inside the driver: nobody here could read it
  setrlimit(RLIMIT_CORE, &no_core);
  fcntl(kSensorFd, F_SETFD, FD_CLOEXEC);
  cap_descriptors();
  SensorServer server(std::move(backend), send_all);
  Outbox hello;
  hello.add_hello(static_cast<std::uint32_t>(getpid()));
  send_all(hello);
  const int code = serve(server);
  server.close();
  return code;
}
