// Who called, where the server listens, and how it stops; and the loop's own watches.
#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "net_fixture.h"

namespace estiva::net {
namespace {

const std::string kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(Server, knows_which_process_called_on_a_unix_socket) {
  const TempDir dir;
  TestServer server(
      [](Exchange& exchange) -> Awaitable<void> {
        const Peer& peer = exchange.peer();
        Response response;
        response.status = peer.process && peer.process->pinned ? 200 : 500;
        if (peer.process)
          response.body = std::to_string(peer.process->pid) + " " +
                          std::to_string(peer.process->uid) + " " +
                          std::to_string(peer.process->start_ticks);
        co_await exchange.respond(std::move(response));
      },
      {}, Endpoint::unix_path(dir / "s"));
  const auto response = fetch(server.endpoint, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.status, 200);
  EXPECT_EQ(response->body, std::to_string(getpid()) + " " + std::to_string(getuid()) + " " +
                                std::to_string(read_start_ticks(getpid()).value()));
}

TEST(Peer, a_process_that_does_not_live_can_not_be_pinned) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(pin_process(child));
  const auto self = pin_process(getpid());
  ASSERT_TRUE(self);
  EXPECT_GE(self->pidfd->get(), 0);
}

TEST(Peer, a_client_that_ended_before_it_was_accepted_is_not_pinned) {
  const TempDir dir;
  auto listener = open_listener(Endpoint::unix_path(dir / "s"), 0600);
  ASSERT_TRUE(listener);
  const pid_t child = fork();
  if (child == 0) _exit(start_connect(listener->endpoint) ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  const UniqueFd accepted(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  const auto peer = identify_peer(accepted.get());
  ASSERT_TRUE(peer && peer->process);
  EXPECT_EQ(peer->process->pid, child);
  EXPECT_FALSE(peer->process->pinned);
  EXPECT_FALSE(is_alive(*peer->process));
}

TEST(Peer, a_client_is_alive_until_it_ends) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const pid_t child = fork();
  char byte = 0;
  if (child == 0) {
    close(pipes[1]);
    _exit(read(pipes[0], &byte, 1) == 0 ? 0 : 1);
  }
  const auto who = pin_process(child);
  ASSERT_TRUE(who);
  EXPECT_TRUE(is_alive(*who));
  close(pipes[1]);
  close(pipes[0]);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_alive(*who));
  EXPECT_FALSE(is_alive(ProcessIdentity{}));
}

TEST(Server, a_port_in_use_is_named_with_its_holder) {
  TestServer first(echo());
  TestServer second(echo());
  second.thread.on_loop([&] {
    const auto taken = second.server->listen(first.endpoint);
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().what.find(std::to_string(first.endpoint.port)), std::string::npos);
    EXPECT_NE(taken.error().what.find(std::to_string(getpid())), std::string::npos)
        << taken.error().what;
    EXPECT_FALSE(taken.error().remedy.empty());
  });
}

TEST(Server, a_socket_file_is_replaced_only_when_nobody_listens) {
  const TempDir dir;
  const Endpoint where = Endpoint::unix_path(dir / "s");
  {
    const auto left_behind = open_listener(where, 0600);
    ASSERT_TRUE(left_behind);
  }
  struct stat info {};
  ASSERT_EQ(stat(where.path.c_str(), &info), 0) << "closing a socket leaves its file";
  {
    TestServer server(echo(), {}, where);
    ASSERT_EQ(stat(where.path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u);
    const auto second = open_listener(where, 0600);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find(where.path), std::string::npos);
    EXPECT_TRUE(fetch(server.endpoint, {})) << "the first one must still own the file";
  }
  EXPECT_NE(stat(where.path.c_str(), &info), 0) << "the server removes its own file";
  std::fclose(std::fopen(where.path.c_str(), "w"));
  const auto file = open_listener(where, 0600);
  ASSERT_FALSE(file);
  EXPECT_EQ(stat(where.path.c_str(), &info), 0) << "a file that is no socket was removed";
}

TEST(Server, adopts_a_listening_descriptor_and_nothing_else) {
  auto bound = open_listener(Endpoint::tcp("127.0.0.1", 0), 0);
  ASSERT_TRUE(bound);
  TestServer server(echo());
  server.thread.on_loop([&] {
    const auto adopted = server.server->adopt(bound->fd.release(), {.name = "passed"});
    ASSERT_TRUE(adopted);
    EXPECT_EQ(*adopted, bound->endpoint);
    EXPECT_FALSE(server.server->adopt(socket(AF_INET, SOCK_STREAM, 0)));
  });
  EXPECT_TRUE(fetch(bound->endpoint, {}));
}

TEST(Server, stops_gracefully_and_cuts_what_does_not_end) {
  std::unique_ptr<Notice> go;
  std::atomic<int> ended = 0;
  TestServer server([&](Exchange& exchange) -> Awaitable<void> {
    const Wake why = co_await exchange.wait(*go);
    ++ended;
    if (why == Wake::hung_up) co_return;
    Response response;
    response.body = "late answer";
    co_await exchange.respond(std::move(response));
  });
  const auto waits = [&](std::size_t n) {
    return eventually([&] {
      bool yes = false;
      server.thread.on_loop([&] { yes = go->waiting() == n; });
      return yes;
    });
  };
  server.thread.on_loop([&] { go = std::make_unique<Notice>(server.thread.loop); });
  Raw busy(server.endpoint), idle(server.endpoint);
  busy.send(kGet);
  ASSERT_TRUE(waits(1));
  std::atomic<bool> stopped = false;
  server.thread.on_loop([&] {
    server.thread.loop.spawn([](Server& s, std::atomic<bool>& done) -> Awaitable<void> {
      co_await s.stop(10s);
      done = true;
    }(*server.server, stopped));
  });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_FALSE(stopped);
  EXPECT_FALSE(fetch(server.endpoint, {})) << "a stopping server accepts nobody";
  server.thread.on_loop([&] { go->notify_all(); });
  EXPECT_NE(busy.read_all().find("late answer"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return stopped.load(); }));

  server.thread.on_loop([&] {
    auto again = server.server->listen(Endpoint::tcp("127.0.0.1", 0));
    ASSERT_TRUE(again);
    server.endpoint = *again;
  });
  Raw stubborn(server.endpoint);
  stubborn.send(kGet);
  ASSERT_TRUE(waits(1));
  server.thread.run(server.server->stop(50ms));
  EXPECT_EQ(stubborn.read_all(), "");
  EXPECT_EQ(ended, 2);
  server.thread.on_loop([&] { go.reset(); });
}

TEST(Loop, signals_descriptors_and_tickers_call_back) {
  LoopThread thread;
  int pipe_fd[2];
  ASSERT_EQ(pipe(pipe_fd), 0);
  std::atomic<int> ticks = 0, reads = 0;
  std::shared_ptr<void> ticker, watch;
  thread.on_loop([&] {
    ticker = thread.loop.every(5ms, [&] { ++ticks; });
    watch = thread.loop.on_readable(pipe_fd[0], [&] {
      char c;
      if (read(pipe_fd[0], &c, 1) == 1) ++reads;
    });
  });
  ASSERT_EQ(write(pipe_fd[1], "ab", 2), 2);
  EXPECT_TRUE(eventually([&] { return ticks >= 3 && reads == 2; }));
  thread.on_loop([&] {
    ticker.reset();
    watch.reset();
  });
  const int seen = ticks;
  std::this_thread::sleep_for(30ms);
  EXPECT_EQ(ticks, seen);
  ::close(pipe_fd[0]);
  ::close(pipe_fd[1]);
}

TEST(Loop, a_signal_calls_back_on_the_loop_until_the_handle_is_dropped) {
  LoopThread thread;
  std::atomic<int> caught = 0;
  std::atomic<std::thread::id> where{};
  std::shared_ptr<void> watch;
  std::thread::id loop_id;
  thread.on_loop([&] {
    loop_id = std::this_thread::get_id();
    watch = thread.loop.on_signals({SIGUSR1, SIGUSR2}, [&](int number) {
      where = std::this_thread::get_id();
      caught += number;
    });
  });
  kill(getpid(), SIGUSR1);
  EXPECT_TRUE(eventually([&] { return caught == SIGUSR1; }));
  EXPECT_EQ(where.load(), loop_id);
  kill(getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return caught == SIGUSR1 + SIGUSR2; })) << "only the first came";
  thread.on_loop([&] { watch.reset(); });
  struct sigaction now {};
  sigaction(SIGUSR1, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "the handler stays behind";
}

// Descriptors of the process that are open now; the lowest free number is what a limit must leave.
int next_descriptor() {
  const int fd = dup(0);
  close(fd);
  return fd;
}

TEST(Server, accepts_again_when_descriptors_are_free_again) {
  TestServer server(echo());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Raw first(server.endpoint);
  first.send(kGet);
  EXPECT_NE(first.read_to("GET /x").find("200"), std::string::npos);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next_descriptor()) + 1;  // one: for our end of the next
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  Raw waiting(server.endpoint);
  waiting.send(kGet);
  const std::string early = waiting.read_until([](const std::string&) { return false; }, 300ms);
  first.send(kGet);
  const std::string old_one = first.read_to("GET /x");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(early, "") << "there was a descriptor left: the test proves nothing";
  EXPECT_FALSE(waiting.ended);
  EXPECT_NE(old_one.find("200"), std::string::npos) << "connections that are open must go on";
  EXPECT_NE(waiting.read_to("GET /x").find("200"), std::string::npos);
}

TEST(Server, one_client_does_not_take_the_room_of_another) {
  const TempDir dir;
  const Endpoint where = Endpoint::unix_path(dir / "s");
  TestServer server(echo());
  std::string name = "a";  // of whoever connects next; changed while nobody does
  server.thread.on_loop([&] {
    const auto bound = server.server->listen(
        where, {"strangers", 0600, 10, [&name](const Peer&) { return name; }, 1});
    ASSERT_TRUE(bound) << bound.error().sentence();
  });
  const auto is_served = [](Raw& raw) {
    raw.send(kGet);
    return raw.read_to("\r\n").starts_with("HTTP/1.1 200");
  };
  Raw one(where);
  EXPECT_TRUE(is_served(one));
  Raw two(where);
  EXPECT_TRUE(two.read_all().starts_with("HTTP/1.1 503"));
  server.thread.on_loop([&] { name = "b"; });
  Raw three(where);
  EXPECT_TRUE(is_served(three));
  server.thread.on_loop([&] { name = ""; });
  Raw four(where), five(where);
  EXPECT_TRUE(is_served(four) && is_served(five)) << "without a name there is no limit";
  one.close();
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 3; }));
  server.thread.on_loop([&] { name = "a"; });
  Raw six(where);
  EXPECT_TRUE(is_served(six)) << "its first has ended";
}

TEST(Server, a_connection_ends_after_its_share_of_requests) {
  ServerLimits limits;
  limits.requests_per_connection = 3;
  TestServer server(echo(), limits);
  Raw client(server.endpoint);
  client.send(kGet + kGet + kGet + kGet);
  const std::string all = client.read_all();
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(occurrences(all, "HTTP/1.1 200"), 3u);
  EXPECT_EQ(occurrences(all, "Connection: close"), 1u) << "the last must say so";
}

TEST(Server, strangers_on_one_listener_leave_room_on_another) {
  ServerLimits limits;
  limits.connections = 8;
  TestServer server(echo(), limits);
  Endpoint open_to_all;
  server.thread.on_loop([&] {
    auto bound = server.server->listen(Endpoint::tcp("127.0.0.1", 0),
                                       {.name = "strangers", .connections = 2});
    ASSERT_TRUE(bound);
    open_to_all = *bound;
  });
  Raw one(open_to_all), two(open_to_all);
  ASSERT_TRUE(eventually([&] { return server.stats().connections == 2; }));
  Raw three(open_to_all);
  EXPECT_NE(three.read_all().find("503"), std::string::npos);
  EXPECT_TRUE(fetch(server.endpoint, {})) << "the others must not notice";
  one.close();
  ASSERT_TRUE(eventually([&] { return server.stats().connections == 1; }));
  const auto again = fetch(open_to_all, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->head.status, 200);
}

}  // namespace
}  // namespace estiva::net
