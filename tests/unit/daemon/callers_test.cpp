// Who asks over the lease socket, and what is theirs: real processes, a /proc made here.
#include "daemon/callers.h"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>

#include "support.h"

namespace estiva::daemon {
namespace {

using api::Relation;

class CallersTest : public testing::Test {
 protected:
  struct Process {
    pid_t pid = 0, parent = 1;
    std::uint64_t start = 1;
    unsigned uid = 0;
    std::string cgroup = "/";
    std::string numbers;  // NSpid
  };
  void put(const Process& p) {
    const std::string folder = fmt::format("{}/proc/{}", tree_.path(), p.pid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/stat") << fmt::format(
        "{} (x) S {} 0 0 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 {} 0 0 0", p.pid, p.parent, p.start);
    std::ofstream(folder + "/status")
        << fmt::format("Name:\tx\nUid:\t{0}\t{0}\t{0}\t{0}\nNSpid:\t{1}\n", p.uid,
                       p.numbers.empty() ? std::to_string(p.pid) : p.numbers);
    std::ofstream(folder + "/cgroup") << "0::" << p.cgroup << "\n";
  }
  void remove(pid_t pid) {
    std::filesystem::remove_all(fmt::format("{}/proc/{}", tree_.path(), pid));
  }
  // A client that lives: its connection is pinned to the child.
  net::Peer peer_of(const Child& child, uid_t uid = 0) {
    net::Peer peer;
    peer.is_local_socket = true;
    peer.process = *net::pin_process(child.pid());
    peer.process->uid = uid;
    return peer;
  }
  Process process_of_child(const Child& child, std::string cgroup) {
    return {child.pid(), 1, *net::read_start_ticks(child.pid()), 0, std::move(cgroup), {}};
  }
  api::Caller caller_in(const std::string& group) {
    api::Caller caller;
    caller.process = {5, 50, "boot"};
    caller.group = group;
    return caller;
  }
  static Lease held_by(std::string id, pid_t pid, std::uint64_t start) {
    Lease lease;
    lease.id = std::move(id);
    lease.holder = Holder{pid, start, "boot"};
    return lease;
  }
  Relation relation(const api::Caller& caller, const Lease& lease) {
    return book_.relations(caller, std::span(&lease, 1)).at(0);
  }
  void engine_knows(std::string id, std::string name) {
    auto list = std::vector<Container>(1);
    list[0].id = std::move(id);
    list[0].name = std::move(name);
    list[0].project = "chat";
    engine_.containers = std::make_shared<const std::vector<Container>>(std::move(list));
  }

  TemporaryFolder tree_;
  host::Root root_ = std::move(*host::Root::open(tree_.path()));
  CallerBook::Engine engine_{{}, "unix:/run/docker.sock"};
  CallerBook book_{root_, "boot", [this] { return engine_; }};
  const std::string a_ = std::string(64, 'a'), b_ = std::string(64, 'b');
};

TEST_F(CallersTest, AClientInAContainerIsWhatTheEngineSaysOfIt) {
  Child child;
  engine_knows(a_, "chat-llm-1");
  put(process_of_child(child, "/system.slice/docker-" + a_ + ".scope/init"));
  const auto caller = book_.recognise(peer_of(child));
  ASSERT_TRUE(caller) << caller.error().sentence();
  EXPECT_EQ(caller->process.pid, child.pid());
  EXPECT_EQ(caller->group, "/system.slice/docker-" + a_ + ".scope");
  EXPECT_EQ(caller->place, (ProcessContainer{child.pid(), a_, "docker", false}));
  ASSERT_TRUE(caller->container);
  EXPECT_EQ(caller->container->project, "chat");
}

TEST_F(CallersTest, WhoIsNotKnownForSureIsRefused) {
  Child child;
  put(process_of_child(child, "/docker/" + a_));
  const net::Peer good = peer_of(child);
  ASSERT_TRUE(book_.recognise(good));
  const auto denied = [this](const net::Peer& peer, const char* said) {
    const auto caller = book_.recognise(peer);
    return !caller && caller.error().kind == ErrorKind::denied && !caller.error().remedy.empty() &&
           caller.error().what.find(said) != std::string::npos;
  };
  EXPECT_TRUE(denied(net::Peer{}, "can't see")) << "no Unix socket";
  net::Peer nowhere = good;
  nowhere.process->pid = 0;
  EXPECT_TRUE(denied(nowhere, "can't see")) << "of a PID namespace that is not below ours";
  net::Peer unpinned = good;
  unpinned.process->pinned = false;
  EXPECT_TRUE(denied(unpinned, "can't see")) << "it lives, and /proc hides it";
  unpinned.process->pidfd.reset();
  EXPECT_TRUE(denied(unpinned, "has ended"));
  Process reused = process_of_child(child, "/docker/" + a_);
  ++reused.start;
  put(reused);
  EXPECT_TRUE(denied(good, "can't see")) << "what is read is another process's";
  put(process_of_child(child, "/docker/" + a_));
  std::filesystem::remove(fmt::format("{}/proc/{}/cgroup", tree_.path(), child.pid()));
  EXPECT_TRUE(denied(good, "can't see")) << "not taken for one outside of containers";
  put(process_of_child(child, "/docker/" + a_));
  child.end();
  EXPECT_TRUE(denied(good, "has ended"));
}

// Who may make control groups can give them any name, but not the place of another's.
TEST_F(CallersTest, AGroupNamedLikeAContainerIsNotThatContainer) {
  Child child;
  engine_knows(a_, "secret");
  const std::string forged =
      "/user.slice/user-1000.slice/user@1000.service/docker-" + a_ + ".scope";
  put(process_of_child(child, forged));
  put({77, 1, 70, 0, "/system.slice/docker-" + a_ + ".scope", {}});
  const auto caller = book_.recognise(peer_of(child, 1000));
  ASSERT_TRUE(caller);
  EXPECT_FALSE(caller->container) << "its name would be told";
  EXPECT_EQ(caller->place.id, a_);
  EXPECT_EQ(relation(*caller, held_by("l-1", 77, 70)), Relation::stranger);
}

TEST_F(CallersTest, ARootlessContainerIsNamedByItsOwnUsersEngineAndItsRootIsAUser) {
  Child child;
  engine_knows(a_, "mine");
  put(process_of_child(child, "/user.slice/user-1000.slice/docker-" + a_ + ".scope"));
  engine_.address = "unix:/run/user/1001/docker.sock";
  EXPECT_FALSE(book_.recognise(peer_of(child, 1000))->container);
  engine_.address = "unix:/run/user/1000/docker.sock";
  const auto caller = book_.recognise(peer_of(child, 1000));
  ASSERT_TRUE(caller->container);
  EXPECT_TRUE(caller->place.rootless);
  EXPECT_EQ(caller->uid, 1000u) << "0 inside, and the kernel translates";
}

TEST_F(CallersTest, WithinAContainerEverythingIsOneClients) {
  put({7, 1, 70, 0, "/docker/" + a_, {}});
  put({8, 1, 80, 0, "/docker/" + b_, {}});
  put({9, 1, 90, 0, "/docker/" + a_ + "/docker/" + b_, {}});
  put({6, 1, 60, 0, "/", {}});
  const auto a = caller_in("/docker/" + a_);
  EXPECT_EQ(relation(a, held_by("l-7", 7, 70)), Relation::own);
  EXPECT_EQ(relation(a, held_by("l-8", 8, 80)), Relation::stranger);
  EXPECT_EQ(relation(a, held_by("l-9", 9, 90)), Relation::own) << "nested in it";
  EXPECT_EQ(relation(a, held_by("l-6", 6, 60)), Relation::stranger);
  EXPECT_EQ(relation(caller_in("/docker/" + a_ + "/docker/" + b_), held_by("l-7", 7, 70)),
            Relation::stranger)
      << "the inner one does not own the outer one's";
  EXPECT_EQ(relation(caller_in("/docker/" + a_.substr(0, 63)), held_by("l-7", 7, 70)),
            Relation::stranger);
  Lease by_name;
  by_name.id = "l-0";
  EXPECT_EQ(relation(a, by_name), Relation::stranger) << "nobody holds it";
}

TEST_F(CallersTest, AHolderThatEndedStaysWhereItWasAndAReusedNumberIsNot) {
  const auto a = caller_in("/docker/" + a_);
  put({7, 1, 70, 0, "/docker/" + a_, {}});
  ASSERT_EQ(relation(a, held_by("l-7", 7, 70)), Relation::own);
  remove(7);
  EXPECT_EQ(relation(a, held_by("l-7", 7, 70)), Relation::own) << "what it leaves is theirs";
  put({7, 1, 700, 0, "/docker/" + a_, {}});
  EXPECT_EQ(relation(a, held_by("l-8", 7, 70)), Relation::stranger)
      << "the number is another process's by now";
}

TEST_F(CallersTest, OutsideContainersAncestorsAndDescendantsOfOneUser) {
  put({3, 1, 30, 1000, "/user.slice", {}});
  put({4, 3, 40, 1000, "/user.slice", {}});
  put({5, 4, 50, 1000, "/user.slice", {}});
  put({6, 5, 60, 1000, "/user.slice", {}});
  put({7, 3, 70, 1000, "/user.slice", {}});
  put({2, 1, 20, 0, "/", {}});
  put({8, 5, 80, 0, "/", {}});
  put({9, 5, 90, 1000, "/docker/" + a_, {}});
  api::Caller caller = caller_in("");
  caller.uid = 1000;
  EXPECT_EQ(relation(caller, held_by("l-5", 5, 50)), Relation::own);
  EXPECT_EQ(relation(caller, held_by("l-3", 3, 30)), Relation::own) << "an ancestor";
  EXPECT_EQ(relation(caller, held_by("l-6", 6, 60)), Relation::own) << "a descendant";
  EXPECT_EQ(relation(caller, held_by("l-7", 7, 70)), Relation::same_user) << "a cousin";
  EXPECT_EQ(relation(caller, held_by("l-2", 2, 20)), Relation::stranger);
  EXPECT_EQ(relation(caller, held_by("l-8", 8, 80)), Relation::stranger) << "of another user";
  EXPECT_EQ(relation(caller, held_by("l-9", 9, 90)), Relation::stranger) << "in a container";
  put({5, 4, 55, 1000, "/user.slice", {}});
  EXPECT_EQ(relation(caller, held_by("l-3", 3, 30)), Relation::same_user)
      << "the caller's number is another's by now";
}

TEST_F(CallersTest, ConnectionsAreCountedByContainerOrUser) {
  Child child;
  put(process_of_child(child, "/docker/" + a_ + "/worker"));
  EXPECT_EQ(book_.client_of(peer_of(child, 1000)), "/docker/" + a_);
  put(process_of_child(child, "/user.slice"));
  EXPECT_EQ(book_.client_of(peer_of(child, 1000)), "user 1000");
  EXPECT_EQ(book_.client_of({}), "") << "TCP";
}

TEST_F(CallersTest, TheFirstProcessOfAContainer) {
  const std::string group = "/docker/" + a_;
  put({2, 1, 20, 0, "/", "2"});
  put({3, 2, 30, 0, group, "3 1"});
  put({4, 3, 40, 0, group + "/worker", "4 7"});
  put({5, 4, 50, 0, group + "/worker", "5 8"});
  const auto first = book_.main_process(caller_in(group));
  ASSERT_TRUE(first) << first.error().sentence();
  EXPECT_EQ(*first, (Holder{3, 30, "boot"}));
  put({5, 2, 50, 0, group, "5 8"});
  EXPECT_FALSE(book_.main_process(caller_in(group))) << "docker exec: its parent is outside";
  put({3, 2, 30, 0, group, "3"});
  put({5, 3, 50, 0, group, "5"});
  EXPECT_FALSE(book_.main_process(caller_in(group))) << "the machine's PID namespace";
  EXPECT_FALSE(book_.main_process(caller_in(""))) << "in no container";
}

}  // namespace
}  // namespace estiva::daemon
