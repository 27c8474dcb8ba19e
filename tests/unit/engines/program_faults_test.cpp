// What programs do wrong: not there, never ready, dead at once, deaf, loud, on somebody's port.
#include <filesystem>

#include "engine_fixture.h"
#include "net/socket.h"

namespace estiva::engines {
namespace {

struct ProgramFaults : EngineTest {
  void expect_nothing_left() {
    EXPECT_EQ(engine->record(), "");
    EXPECT_TRUE(engine->roots().empty());
    for (const Holder& who : holders) EXPECT_FALSE(is_alive(who.pid)) << who.pid;
    if (!kept.empty()) {
      EXPECT_EQ(kept.back(), "");
    }
  }
};

TEST_F(ProgramFaults, no_command_program_folder_or_file) {
  const std::vector<std::pair<std::function<void(ModelSpec&)>, std::string>> cases = {
      {[](ModelSpec& s) { s.command = {}; }, "has no command"},
      {[](ModelSpec& s) { s.command = {"/no/such/program"}; }, "'/no/such/program'"},
      {[](ModelSpec& s) { s.directory = "/no/such/folder"; }, "/no/such/folder"},
      {[](ModelSpec& s) { s.file = "/no/such/file.gguf"; }, "/no/such/file.gguf"},
      {[](ModelSpec& s) { s.user = "no-such-user-here"; }, "no-such-user-here"},
  };
  for (const auto& [change, told] : cases) {
    spec = ModelSpec{};
    spec.name = "tiny";
    serve();
    change(spec);
    make();
    const auto facts = run(engine->probe());
    ASSERT_FALSE(facts) << told;
    EXPECT_NE(facts.error().what.find(told), std::string::npos) << facts.error().what;
    EXPECT_NE(facts.error().remedy.find("[models.tiny]"), std::string::npos);
    const auto running = load();
    ASSERT_FALSE(running) << told;
    EXPECT_EQ(running.error().what, facts.error().what);
    EXPECT_TRUE(kept.empty());
  }
}

TEST_F(ProgramFaults, one_that_exits_at_once_is_told_with_its_last_words) {
  spec.command = {"sh", "-c", "echo first; echo 'no such model: x' >&2; exit 3"};
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().kind, ErrorKind::failed);
  EXPECT_EQ(running.error().what,
            "tiny ended before it was ready (exit code 3); it said: first / no such model: x");
  EXPECT_NE(running.error().remedy.find("/engines/tiny.log"), std::string::npos);
  expect_nothing_left();
  EXPECT_TRUE(ended.empty()) << "load() has told it";
}

TEST_F(ProgramFaults, one_that_is_killed_while_it_loads) {
  spec.command = {"sh", "-c", "kill -9 $$"};
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_NE(running.error().what.find("(signal 9 (Killed)); it said nothing"), std::string::npos)
      << running.error().what;
}

TEST_F(ProgramFaults, gpu_memory_that_runs_out_is_no_room) {
  spec.command = {"sh", "-c", "echo 'CUDA error: out of memory' >&2; exit 1"};
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().kind, ErrorKind::no_room);
  // The words of an earlier run don't count.
  spec.command = {"false"};
  make();
  const auto second = load();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::failed);
}

TEST_F(ProgramFaults, one_that_never_gets_ready_is_ended_after_its_limit) {
  spec.command = {"sh", "-c", "echo loading; exec sleep 1000"};
  spec.ready = "http://127.0.0.1:${PORT}/health";
  spec.load_limit = 400ms;
  make();
  const SteadyTime begun = steady_now();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().kind, ErrorKind::timed_out);
  EXPECT_NE(running.error().what.find("not ready within 0.4 s"), std::string::npos);
  EXPECT_NE(running.error().what.find("it said: loading"), std::string::npos);
  EXPECT_GE(steady_now() - begun, 400ms);
  expect_nothing_left();
}

TEST_F(ProgramFaults, one_that_answers_with_an_error_is_not_ready) {
  serve();
  const auto at = spec.command[3].find("send_response(200)");
  spec.command[3].replace(at, 18, "send_response(503)");
  spec.load_limit = 1s;
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_NE(running.error().what.find("/health answers with status 503"), std::string::npos)
      << running.error().what;
  expect_nothing_left();
}

TEST_F(ProgramFaults, one_that_accepts_and_says_nothing_is_not_ready) {
  spec.command = {"python3", "-B", "-c",
                  "import socket, sys, time\ns = socket.create_server(('127.0.0.1', "
                  "int(sys.argv[1])))\ntime.sleep(1000)",
                  "${PORT}"};
  spec.ready = "http://127.0.0.1:${PORT}/health";
  spec.load_limit = 1s;
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().kind, ErrorKind::timed_out);
  expect_nothing_left();
}

TEST_F(ProgramFaults, one_that_ignores_term_is_killed_with_all_that_it_started) {
  serve(fmt::format(
      "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
      "p = subprocess.Popen(['sh', '-c', 'trap \"\" TERM; while :; do sleep 0.1; done'],\n"
      "                     start_new_session=True)\n"
      "open('{}/child', 'w').write(str(p.pid))",
      dir.path()));
  spec.stop_limit = 300ms;
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const pid_t child = pid_in("child");
  const SteadyTime begun = steady_now();
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_GE(steady_now() - begun, 300ms);
  EXPECT_FALSE(is_alive(child));
  expect_nothing_left();
}

TEST_F(ProgramFaults, one_that_ends_at_term_takes_its_children_along) {
  serve(
      fmt::format("p = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
                  "open('{}/child', 'w').write(str(p.pid))",
                  dir.path()));
  make();
  ASSERT_TRUE(load());
  const pid_t child = pid_in("child");
  const SteadyTime begun = steady_now();
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_LT(steady_now() - begun, spec.stop_limit);
  EXPECT_FALSE(is_alive(child));
  expect_nothing_left();
}

TEST_F(ProgramFaults, one_that_dies_later_is_told_and_leaves_nothing) {
  serve(
      fmt::format("p = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
                  "open('{}/child', 'w').write(str(p.pid))\nprint('bye', flush=True)",
                  dir.path()));
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const pid_t child = pid_in("child");
  ::kill(running->holder->pid, SIGSEGV);
  ASSERT_TRUE(until([&] { return !ended.empty(); }));
  EXPECT_EQ(ended[0], "tiny ended by itself (signal 11 (Segmentation fault)); it said: bye");
  EXPECT_FALSE(is_alive(child));
  expect_nothing_left();
  EXPECT_TRUE(load()) << "and can be loaded again";
}

TEST_F(ProgramFaults, stop_ends_a_load_under_way) {
  spec.command = {"sleep", "1000"};
  spec.ready = "http://127.0.0.1:${PORT}/health";
  make();
  begin_load();
  ASSERT_TRUE(until([&] { return !holders.empty(); }));
  ASSERT_TRUE(run(engine->stop()));
  ASSERT_TRUE(until([&] { return outcome.has_value(); }));
  ASSERT_FALSE(*outcome);
  EXPECT_EQ((*outcome).error().kind, ErrorKind::refused);
  expect_nothing_left();
}

TEST_F(ProgramFaults, stop_ends_one_that_is_still_held) {
  serve(fmt::format("open('{}/ran', 'w')", dir.path()));
  auto deaf = parts();
  deaf.keep = [&](const std::string&, std::string record, std::function<void()>) {
    kept.push_back(std::move(record));
  };
  engine = make_engine(spec, deaf);
  begin_load();
  ASSERT_TRUE(until([&] { return !kept.empty(); }));
  const pid_t pid = engine->roots().at(0);
  ASSERT_TRUE(run(engine->stop()));
  ASSERT_TRUE(until([&] { return outcome.has_value(); }));
  EXPECT_FALSE(*outcome);
  EXPECT_FALSE(is_alive(pid));
  EXPECT_TRUE(holders.empty());
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/ran"));
  expect_nothing_left();
}

TEST_F(ProgramFaults, a_second_load_is_refused) {
  serve();
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const auto second = load();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::refused);
  EXPECT_TRUE(is_alive(running->holder->pid));
}

TEST_F(ProgramFaults, a_port_of_somebody_else_is_refused_before_the_start) {
  auto bound = net::open_listener(net::Endpoint::tcp("127.0.0.1", 0), 0).value();
  serve();
  spec.url = fmt::format("http://127.0.0.1:{}", bound.endpoint.port);
  make();
  const auto running = load();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().kind, ErrorKind::refused);
  EXPECT_NE(running.error().what.find(fmt::format("by process {} (", ::getpid())),
            std::string::npos)
      << running.error().what;
  expect_nothing_left();
}

TEST_F(ProgramFaults, two_models_on_one_port_are_told_who_has_it) {
  serve();
  make();
  const auto first = load();
  ASSERT_TRUE(first) << first.error().sentence();
  ModelSpec other = spec;
  other.name = "other";
  other.url = fmt::format("http://127.0.0.1:{}", first->endpoint.port);
  other.command.back() = std::to_string(first->endpoint.port);
  const auto second = make_engine(other, parts());
  const auto running = run(second->load({}, nullptr));
  ASSERT_FALSE(running);
  EXPECT_NE(running.error().what.find(fmt::format("by process {} (", first->holder->pid)),
            std::string::npos)
      << running.error().what;
  EXPECT_TRUE(is_alive(first->holder->pid));
}

// Both are started before either listens: one gets the port, and the other is not taken for ready
// because somebody answers.
TEST_F(ProgramFaults, of_two_that_race_for_one_port_one_is_loaded) {
  const auto port = net::open_listener(net::Endpoint::tcp("127.0.0.1", 0), 0).value().endpoint.port;
  serve();
  spec.url = fmt::format("http://127.0.0.1:{}", port);
  spec.ready = spec.url + "/health";
  spec.command.back() = std::to_string(port);
  make();
  ModelSpec deaf = spec;  // never listens
  deaf.name = "deaf";
  deaf.command = {"sleep", "1000"};
  const auto second = make_engine(deaf, parts());
  begin_load();
  const auto running = run(second->load({}, nullptr));
  ASSERT_FALSE(running);
  EXPECT_NE(running.error().what.find(fmt::format("port {} is answered by somebody else", port)),
            std::string::npos)
      << running.error().what;
  ASSERT_TRUE(until([&] { return outcome.has_value(); }));
  EXPECT_TRUE(*outcome) << (*outcome).error().sentence();
}

TEST_F(ProgramFaults, a_flood_of_words_does_not_fill_the_disk) {
  serve("line = b'0123456789abcde\\n' * 16384\nfor i in range(160): os.write(1, line)");  // 40 MiB
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const auto path = dir.path() + "/engines/tiny.log";
  EXPECT_TRUE(until([&] { return std::filesystem::file_size(path) <= 16u << 20; }));
  EXPECT_EQ(engine->log_tail().back(), "0123456789abcde");
}

}  // namespace
}  // namespace estiva::engines
