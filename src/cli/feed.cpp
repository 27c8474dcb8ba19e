#include "cli/feed.h"

#include <condition_variable>
#include <mutex>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "api/json.h"
#include "base/messages/cli_top.h"
#include "base/unique_fd.h"
#include "cli/daemon_client.h"
#include "cli/local_world.h"
#include "cli/session.h"
#include "net/fetch.h"

namespace estiva::cli {
namespace {

using std::chrono::nanoseconds;

class DaemonFeed final : public Feed {
 public:
  DaemonFeed(const Session& session, net::EventStream stream)
      : session_(session), stream_(std::move(stream)) {}
  int fd() const override { return stream_.fd(); }
  Result<std::optional<std::string>> take() override {
    std::optional<std::string> newest;
    while (true) {
      auto event = stream_.take();
      // What came before the end is worth showing; the end is told at the next call.
      if (!event && newest) return newest;
      if (!event) return Failure(worded(session_, event.error()));
      if (!*event) return newest;
      if ((*event)->name == "world") newest = std::move((*event)->data);
    }
  }

 private:
  const Session& session_;
  net::EventStream stream_;
};

class MachineFeed final : public Feed {
 public:
  MachineFeed(LocalSources sources, nanoseconds interval, UniqueFd told)
      : sources_(std::move(sources)), interval_(interval), told_(std::move(told)) {
    thread_ = std::thread([this] { read_on(); });
  }
  ~MachineFeed() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  int fd() const override { return told_.get(); }
  Result<std::optional<std::string>> take() override {
    eventfd_t count = 0;
    (void)::eventfd_read(told_.get(), &count);
    const std::lock_guard lock(mutex_);
    return std::exchange(newest_, std::optional<std::string>());
  }

 private:
  void read_on() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      lock.unlock();
      const auto world = read_local_world(sources_, HostPart::with_cpu_shares);
      auto document = world ? Result<std::optional<std::string>>(api::status_json(*world))
                            : Failure(world.error());
      const bool is_over = !document;
      lock.lock();
      newest_ = std::move(document);
      (void)::eventfd_write(told_.get(), 1);
      if (is_over) return;
      changed_.wait_for(lock, interval_, [this] { return ending_; });
    }
  }

  const LocalSources sources_;
  const nanoseconds interval_;
  UniqueFd told_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  Result<std::optional<std::string>> newest_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Feed>> follow_daemon(const Session& session) {
  net::ClientRequest request;
  request.target = "/api/v1/events";
  net::FetchLimits limits;
  limits.total_time = std::chrono::seconds(2);
  auto stream =
      net::EventStream::open(net::Endpoint::unix_path(session.control_socket), request, limits);
  if (stream) return std::make_unique<DaemonFeed>(session, std::move(*stream));
  if (stream.error().kind == ErrorKind::not_found) return std::unique_ptr<Feed>();
  return Failure(worded(session, stream.error()));
}

Result<std::unique_ptr<Feed>> follow_machine(LocalSources sources, nanoseconds interval) {
  UniqueFd told(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!told) return fail_errno(msg::cli::kTopPreparing, errno);
  return std::make_unique<MachineFeed>(std::move(sources), interval, std::move(told));
}

}  // namespace estiva::cli
