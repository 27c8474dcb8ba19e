// The API on real sockets, in front of a daemon made of values.
#pragma once
#include <gtest/gtest.h>
#include <thread>

#include "api/routes.h"
#include "net/fetch.h"

namespace estiva::api {

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(net::Loop& loop) : changed_(loop), journalled_(loop) {
    auto world = std::make_shared<World>();
    world->driver.state = DriverState::ready;
    world->sequence = 1;
    world->driver.version = "580.159.04";
    Lease lease;
    lease.model = "private-name";
    lease.shares.resize(1);
    world->leases.push_back(lease);
    world->lease_uses.emplace_back();
    world_ = world;
  }
  WorldPtr world() const override { return world_; }
  WorldPtr published() const override { return world_; }
  net::Notice& changed() override { return changed_; }
  bool is_ending() const override { return false; }
  net::Awaitable<Result<AssignAnswer>> assign(decide::AssignRequest request,
                                              bool only_new) override {
    if (only_new) co_return fail(ErrorKind::refused, "has a lease");
    AssignAnswer answer;
    answer.lease.model = request.model;
    if (request.model == "big") {
      answer.refusal = decide::Explanation{ErrorKind::no_room, "too big", "", {}, {}};
    } else if (request.model == "blind") {
      answer.refusal = decide::Explanation{ErrorKind::refused, "no driver", "", {}, {}};
    }
    co_return answer;
  }
  net::Awaitable<Result<std::vector<store::JournalRecord>>> journal(
      store::JournalQuery query) override {
    std::vector<store::JournalRecord> page;
    for (auto at = records.rbegin(); at != records.rend() && page.size() < query.limit; ++at) {
      if (at->position < query.before) page.push_back(*at);
    }
    co_return page;
  }
  net::Notice& journalled() override { return journalled_; }
  net::Awaitable<Result<void>> test_notification() override {
    if (!notifies) co_return fail(ErrorKind::refused, "nobody is to be notified");
    co_return Result<void>();
  }
  bool notifies = false;
  Result<void> dismiss(const std::string& device) override {
    if (device != "GPU-1") return fail(ErrorKind::not_found, "nothing is wrong");
    return {};
  }
  net::Awaitable<Result<Lease>> release(std::string model, std::string id) override {
    if (model != "here" || (!id.empty() && id != "l-7"))
      co_return fail(ErrorKind::not_found, "no such model");
    Lease lease;
    lease.model = model;
    co_return lease;
  }
  Result<Holder> identify(pid_t pid) override {
    if (pid == 1) return Holder{1, 1, "boot"};
    return fail(ErrorKind::usage, "no such process");
  }
  std::vector<std::string> tcp_addresses() const override { return addresses; }

  void show(WorldPtr world) { world_ = std::move(world); }

  std::vector<store::JournalRecord> records;
  std::vector<std::string> addresses{"127.0.0.1:7700"};

 private:
  net::Notice changed_, journalled_;
  WorldPtr world_;
};

class Routes : public testing::Test {
 protected:
  Routes() : backend_(loop_) {
    char name[] = "/tmp/estiva-routes-XXXXXX";
    dir_ = ::mkdtemp(name);
    server_ = std::make_unique<net::Server>(
        loop_, make_handler(backend_, {"secret", {"127.0.0.1", "localhost"}}));
    control_ = *server_->listen(net::Endpoint::unix_path(dir_ + "/s"),
                                {std::string(kControlListener), 0600});
    tcp_ = *server_->listen(net::Endpoint::tcp("127.0.0.1", 0), {std::string(kTcpListener), 0600});
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Routes() override {
    loop_.stop();
    thread_.join();
    server_.reset();
    ::unlink((dir_ + "/s").c_str());
    ::rmdir(dir_.c_str());
  }
  net::ClientResponse ask(const net::Endpoint& to, net::ClientRequest request) {
    auto response = net::fetch(to, request);
    EXPECT_TRUE(response) << response.error().sentence();
    return response ? *response : net::ClientResponse{};
  }
  int status(const net::Endpoint& to, std::string method, std::string target, std::string body = {},
             net::Headers headers = {}) {
    net::ClientRequest request{std::move(method), std::move(target), std::move(headers),
                               std::move(body)};
    return ask(to, std::move(request)).head.status;
  }

  net::Loop loop_;
  FakeBackend backend_;
  std::string dir_;
  std::unique_ptr<net::Server> server_;
  net::Endpoint control_, tcp_;
  std::thread thread_;
};

}  // namespace estiva::api
