// The routes over real sockets, on a backend of values.
#pragma once
#include <gtest/gtest.h>
#include <map>
#include <thread>

#include "api/routes.h"
#include "net/fetch.h"

namespace estiva::api {

// Knows one caller, and to whom each model's lease belongs.
class FakeCallers final : public Callers {
 public:
  Result<Caller> recognise(const net::Peer& peer) override {
    if (!caller) return fail(ErrorKind::denied, "nobody can see you");
    seen_pid = peer.process ? peer.process->pid : 0;
    return *caller;
  }
  std::vector<Relation> relations(const Caller&, std::span<const Lease> leases) override {
    std::vector<Relation> all;
    for (const Lease& lease : leases) {
      const auto known = whose.find(lease.model);
      all.push_back(known == whose.end() ? Relation::stranger : known->second);
    }
    return all;
  }
  Result<Holder> main_process(const Caller&) override {
    if (!first) return fail(ErrorKind::refused, "no first process");
    return *first;
  }
  std::optional<Caller> caller;
  std::optional<Holder> first;
  std::map<std::string, Relation> whose;
  pid_t seen_pid = 0;
};

// One revocable lease that answers as it is told to.
class FakeLibrary final : public Library {
 public:
  explicit FakeLibrary(net::Loop& loop) : told_(loop) {}
  void enrol(const Lease& lease, LibraryTerms given) override {
    enrolled = lease.model;
    terms = given;
  }
  void beat(const Lease& lease) override { beaten = lease.model; }
  Result<void> use(const Lease&, bool busy) override {
    if (busy && asked_back) return fail(ErrorKind::refused, "was asked");
    is_busy = busy;
    return {};
  }
  net::Awaitable<Result<Lease>> yielded(Lease lease, std::vector<Bytes> kept) override {
    yielded_to = kept;
    co_return lease;
  }
  net::Awaitable<Result<AssignAnswer>> resume(Lease lease, std::optional<Bytes> each, bool busy,
                                              AssignTerms given) override {
    resumed = each;
    is_busy = busy;
    waited = given.wait;
    AssignAnswer answer;
    answer.lease = lease;
    co_return answer;
  }
  Result<std::optional<LibraryEvent>> event_after(const std::string&, std::uint64_t seen) override {
    if (seen >= events.size()) return fail(ErrorKind::not_found, "gone");
    return std::optional(events[seen]);
  }
  net::Notice& told() override { return told_; }
  net::Awaitable<Revoked> revoke(std::string lease_id, std::string reason,
                                 Nanoseconds limit) override {
    revoked = lease_id + ": " + reason;
    waited = limit;
    co_return outcome;
  }
  void offer(const std::string&, std::string) override {}

  std::string enrolled, beaten, revoked;
  LibraryTerms terms;
  bool is_busy = false, asked_back = false;
  std::vector<Bytes> yielded_to;
  std::optional<Bytes> resumed;
  Nanoseconds waited{0};
  std::vector<LibraryEvent> events;  // the lease is gone after the last
  Revoked outcome = Revoked::yielded;

 private:
  net::Notice told_;
};

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(net::Loop& loop) : library_(loop), changed_(loop), journalled_(loop) {
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
                                              AssignTerms terms) override {
    if (terms.only_new) co_return fail(ErrorKind::refused, "has a lease");
    asked = request;
    names = terms.names;
    waits = terms.wait;
    if (terms.admits) {
      if (auto admitted = terms.admits(world_->leases); !admitted)
        co_return Failure(admitted.error());
    }
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
    released = id;
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
  Callers& callers() override { return callers_; }
  Library& library() override { return library_; }

  std::vector<store::JournalRecord> records;
  std::vector<std::string> addresses{"127.0.0.1:7700"};
  // Of the last assign.
  decide::AssignRequest asked;
  decide::Names names = decide::Names::all;
  std::string released;  // id of the last release
  Nanoseconds waits{0};
  FakeCallers callers_;
  FakeLibrary library_;
  void show(WorldPtr world) { world_ = std::move(world); }

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
        loop_, make_handler(backend_, {"secret", {"127.0.0.1", "localhost"}, 2}));
    control_ = *server_->listen(net::Endpoint::unix_path(dir_ + "/s"),
                                {std::string(kControlListener), 0600});
    lease_ = *server_->listen(net::Endpoint::unix_path(dir_ + "/l"),
                              {std::string(kLeaseListener), 0666});
    tcp_ = *server_->listen(net::Endpoint::tcp("127.0.0.1", 0), {std::string(kTcpListener), 0600});
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Routes() override {
    loop_.stop();
    thread_.join();
    server_.reset();
    ::unlink((dir_ + "/s").c_str());
    ::unlink((dir_ + "/l").c_str());
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
  net::Endpoint control_, lease_, tcp_;
  std::thread thread_;
};

}  // namespace estiva::api
