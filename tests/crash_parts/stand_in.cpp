// The smallest daemon that keeps leases: the control socket's three requests straight on the
// store, a thread a connection. The crash harness runs on it where estivad is not the point: it
// starts in a few milliseconds, so hundreds of kills cost seconds. With --broken early-ack it
// answers before the change is durable, which the harness must find.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <future>
#include <map>
#include <mutex>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "store/store.h"

namespace estiva::store {
namespace {

constexpr std::size_t kMostRequest = 16 * 1024;

struct Flags {
  std::string state, runtime, crash;
  bool early_ack = false;
};

struct Answer {
  int status = 200;
  std::string body;
};

struct Held {
  Lease lease;
  bool busy = false;  // a request on it is under way
};

class StandIn {
 public:
  StandIn(std::unique_ptr<Store> store, bool early_ack)
      : store_(std::move(store)), early_ack_(early_ack) {
    sequence_ = store_->opened().last_sequence;
    for (const Lease& lease : store_->opened().leases) held_[lease.model] = {lease, false};
  }

  Answer assign(const std::string& model, std::uint64_t bytes);
  Answer release(const std::string& model);
  Answer list();

 private:
  Result<Durable> write(std::unique_lock<std::mutex>& lock, Write change);

  std::mutex mutex_;
  std::unique_ptr<Store> store_;
  const bool early_ack_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, Held> held_;
};

std::string json_of(const Lease& lease) {
  return fmt::format(R"({{"id":"{}","model":"{}","gpus":["{}"],"vram_bytes":{},"state":"{}"}})",
                     lease.id, lease.model, lease.shares[0].device.uuid,
                     lease.shares[0].bytes.value, to_name(lease.state));
}

// Submits in ledger order (under the lock) and waits without it.
Result<Durable> StandIn::write(std::unique_lock<std::mutex>& lock, Write change) {
  auto promise = std::make_shared<std::promise<Result<Durable>>>();
  auto future = promise->get_future();
  store_->submit(std::move(change), [promise](Result<Durable> r) { promise->set_value(r); });
  if (early_ack_) return Durable{};
  lock.unlock();
  auto result = future.get();
  lock.lock();
  return result;
}

Answer StandIn::assign(const std::string& model, std::uint64_t bytes) {
  std::unique_lock lock(mutex_);
  if (const auto at = held_.find(model); at != held_.end()) {
    return {200,
            fmt::format(R"({{"lease":{},"already_assigned":true}})", json_of(at->second.lease))};
  }
  Lease lease;
  lease.sequence = ++sequence_;
  lease.id = fmt::format("l-{:012}", lease.sequence);
  lease.model = model;
  lease.shares = {{DeviceId{"nvidia", "GPU-stand-in", ""}, Bytes{bytes}}};
  lease.boot_epoch = store_->opened().boot_epoch;
  lease.node_id = store_->opened().node_id;
  held_[model] = {lease, true};
  const auto done = write(lock, Write::grant(lease));
  if (!done) {
    held_.erase(model);
    return {500, "{}"};
  }
  held_[model].busy = false;
  return {200, fmt::format(R"({{"lease":{},"already_assigned":false}})", json_of(lease))};
}

Answer StandIn::release(const std::string& model) {
  std::unique_lock lock(mutex_);
  const auto at = held_.find(model);
  if (at == held_.end() || at->second.busy) return {404, "{}"};
  Lease lease = at->second.lease;
  const std::uint64_t expected = lease.sequence;
  lease.sequence = ++sequence_;
  at->second.busy = true;
  const auto done = write(lock, Write::release(lease, expected, "released by name"));
  if (!done) {
    held_[model].busy = false;
    return {500, "{}"};
  }
  held_.erase(model);
  return {200, R"({"released":{}})"};
}

Answer StandIn::list() {
  const std::lock_guard lock(mutex_);
  std::string body = R"({"leases":[)";
  for (const auto& [model, held] : held_) {
    if (body.back() == '}') body += ',';
    body += json_of(held.lease);
  }
  return {200, body + "]}"};
}

// The harness writes its own JSON, so looking for the member is enough here.
std::string member(const std::string& body, const std::string& name) {
  const std::size_t at = body.find("\"" + name + "\":");
  if (at == std::string::npos) return {};
  const std::size_t from = body.find_first_not_of(" \"", at + name.size() + 3);
  return body.substr(from, body.find_first_of(",}\"", from) - from);
}

Answer answer(StandIn& daemon, const std::string& line, const std::string& body) {
  const std::string leases = "/api/v1/leases";
  if (line.starts_with("GET /healthz ")) return {200, "{}"};
  if (line.starts_with("GET " + leases + " ")) return daemon.list();
  if (line.starts_with("POST " + leases + " ")) {
    return daemon.assign(member(body, "model"),
                         strtoull(member(body, "vram_bytes").c_str(), nullptr, 10));
  }
  if (const std::string start = "DELETE " + leases + "/"; line.starts_with(start)) {
    return daemon.release(line.substr(start.size(), line.find(' ', start.size()) - start.size()));
  }
  return {404, "{}"};
}

// One request from the front of `input`, reading more as needed; false at the end.
bool next_request(int fd, std::string& input, std::string& line, std::string& body) {
  char bytes[4096];
  for (;;) {
    const std::size_t end = input.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t at = input.find("Content-Length: ");
      const std::size_t length = at < end ? strtoul(input.c_str() + at + 16, nullptr, 10) : 0;
      if (input.size() >= end + 4 + length) {
        line = input.substr(0, input.find("\r\n"));
        body = input.substr(end + 4, length);
        input.erase(0, end + 4 + length);
        return true;
      }
    }
    const ssize_t got = input.size() < kMostRequest ? read(fd, bytes, sizeof bytes) : -1;
    if (got <= 0) return false;
    input.append(bytes, static_cast<std::size_t>(got));
  }
}

void serve(StandIn& daemon, int fd) {
  std::string input, line, body;
  while (next_request(fd, input, line, body)) {
    const Answer result = answer(daemon, line, body);
    const std::string text = fmt::format("HTTP/1.1 {} .\r\nContent-Length: {}\r\n\r\n{}",
                                         result.status, result.body.size(), result.body);
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) break;
  }
  close(fd);
}

int listen_at(const std::string& runtime) {
  mkdir(runtime.c_str(), 0700);
  mkdir((runtime + "/control").c_str(), 0700);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = runtime + "/control/api.sock";
  if (path.size() >= sizeof address.sun_path) return -1;
  path.copy(address.sun_path, path.size());
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  return listen(fd, 64) == 0 ? fd : -1;
}

// The flags that estivad has and this one does not need are read over.
Flags parse(int count, char** words) {
  Flags flags;
  for (int i = 1; i + 1 < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--state-dir") flags.state = words[i + 1];
    if (word == "--runtime-dir") flags.runtime = words[i + 1];
    if (word == "--test-crash-point") flags.crash = words[i + 1];
    if (word == "--broken") flags.early_ack = std::string_view(words[i + 1]) == "early-ack";
  }
  return flags;
}

int run(const Flags& flags) {
  Options options;
  if (!flags.crash.empty()) {
    const auto crash = parse_crash_point(flags.crash);
    if (!crash) return 2;
    options.crash = *crash;
  }
  auto store = Store::open(flags.state, std::move(options));
  if (!store) {
    fmt::print(stderr, "error: {}\n", store.error().sentence());
    return 1;
  }
  StandIn daemon(std::move(*store), flags.early_ack);
  const int listener = listen_at(flags.runtime);
  if (listener < 0) return 1;
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) continue;
    std::thread([&daemon, fd] { serve(daemon, fd); }).detach();
  }
}

}  // namespace
}  // namespace estiva::store

int main(int count, char** words) {
  return estiva::store::run(estiva::store::parse(count, words));
}
