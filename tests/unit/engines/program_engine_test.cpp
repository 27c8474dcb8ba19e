// The engine of a program that estiva starts, with real programs: a start, an end, a restart of the
// daemon between.
#include <algorithm>
#include <filesystem>

#include "engine_fixture.h"
#include "engines/engine_record.h"
#include "engines/program_kind.h"
#include "net/fetch.h"

namespace estiva::engines {
namespace {

struct ProgramEngineTest : EngineTest {
  std::string get(const net::Endpoint& where) {
    const auto answer = net::fetch(where, {});
    return answer ? answer->body : answer.error().what;
  }
  std::string environment_of(pid_t pid) {
    std::string text = host::read_file(root, fmt::format("/proc/{}/environ", pid)).value();
    std::replace(text.begin(), text.end(), '\0', '\n');
    return "\n" + text;
  }
};

TEST_F(ProgramEngineTest, loads_answers_and_ends) {
  serve("print('hello', flush=True)");
  make();
  ASSERT_TRUE(run(engine->probe()));
  EXPECT_EQ(engine->record(), "");
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  ASSERT_TRUE(running->holder);
  const pid_t pid = running->holder->pid;
  EXPECT_EQ(get(running->endpoint), std::to_string(pid));
  EXPECT_EQ(holders, std::vector<Holder>{*running->holder});
  EXPECT_EQ(engine->roots(), std::vector<pid_t>{pid});
  EXPECT_EQ(engine->log_tail(), std::vector<std::string>{"hello"});
  EXPECT_EQ(kept, std::vector<std::string>{engine->record()});

  const auto group = parse_engine_record(engine->record())->tree.group;
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_FALSE(is_alive(pid));
  EXPECT_FALSE(group && std::filesystem::exists(group->folder));
  EXPECT_EQ(engine->record(), "");
  EXPECT_EQ(kept.back(), "");
  EXPECT_TRUE(engine->roots().empty());
  EXPECT_TRUE(run(engine->stop())) << "a second time";
  EXPECT_TRUE(ended.empty()) << "it did not end by itself";
}

TEST_F(ProgramEngineTest, knows_its_gpus_its_lease_and_what_the_spec_says) {
  serve();
  spec.environment = {"HF_HOME=/models", "PORT_OF_IT=${PORT}", "CUDA_VISIBLE_DEVICES=7"};
  spec.directory = dir.path();
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const std::string variables = environment_of(running->holder->pid);
  for (const std::string& line :
       {std::string("CUDA_VISIBLE_DEVICES=GPU-a"), std::string("ESTIVA_LEASE=l-000000000007"),
        std::string("ESTIVA_MODEL=tiny"), std::string("HF_HOME=/models"),
        fmt::format("PORT_OF_IT={}", running->endpoint.port)}) {
    EXPECT_NE(variables.find("\n" + line + "\n"), std::string::npos) << line << variables;
  }
  const auto cwd = fmt::format("/proc/{}/cwd", running->holder->pid);
  EXPECT_EQ(std::filesystem::read_symlink(cwd), dir.path());
  EXPECT_EQ(::getsid(running->holder->pid), running->holder->pid);
}

TEST_F(ProgramEngineTest, holds_none_of_our_descriptors) {
  serve();
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", running->holder->pid))) {
    const auto target = std::filesystem::read_symlink(entry.path()).string();
    const bool is_own = target == "/dev/null" || target.starts_with("socket:") ||
                        target == dir.path() + "/engines/tiny.log" ||
                        target.starts_with("anon_inode:") || target == "/dev/urandom";
    EXPECT_TRUE(is_own) << target;
  }
}

TEST_F(ProgramEngineTest, nothing_of_it_runs_before_its_record_is_kept) {
  serve(fmt::format("open('{}/ran', 'w')", dir.path()));
  std::function<void()> go;
  auto slow = parts();
  slow.keep = [&](const std::string&, std::string record, std::function<void()> then) {
    kept.push_back(std::move(record));
    go = std::move(then);
  };
  engine = make_engine(spec, slow);
  begin_load();
  ASSERT_TRUE(until([&] { return !kept.empty(); }));
  for (const SteadyTime last = steady_now() + 300ms; steady_now() < last;) loop.run_for(5ms);
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/ran"));
  EXPECT_TRUE(holders.empty());
  go();
  ASSERT_TRUE(until([&] { return outcome.has_value(); }));
  EXPECT_TRUE(*outcome) << (*outcome).error().sentence();
  EXPECT_TRUE(std::filesystem::exists(dir.path() + "/ran"));
  EXPECT_EQ(holders.size(), 1u);
}

TEST_F(ProgramEngineTest, outlives_its_engine_and_is_adopted) {
  serve();
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const std::string record = engine->record();
  engine.reset();
  EXPECT_TRUE(is_alive(running->holder->pid));

  make();
  const auto adopted = run(engine->adopt(record));
  ASSERT_TRUE(adopted) << adopted.error().sentence();
  EXPECT_EQ(adopted->holder, running->holder);
  EXPECT_EQ(adopted->endpoint, running->endpoint);
  EXPECT_FALSE(adopted->is_asleep);
  EXPECT_EQ(engine->record(), record);
  EXPECT_TRUE(ended.empty());
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_FALSE(is_alive(running->holder->pid));
}

TEST_F(ProgramEngineTest, an_adopted_one_that_ends_is_told) {
  serve();
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const std::string record = engine->record();
  make();
  ASSERT_TRUE(run(engine->adopt(record)));
  ::kill(running->holder->pid, SIGKILL);
  ASSERT_TRUE(until([&] { return !ended.empty(); }));
  EXPECT_NE(ended[0].find("tiny ended by itself"), std::string::npos) << ended[0];
  EXPECT_EQ(engine->record(), "");
}

TEST_F(ProgramEngineTest, the_dead_are_not_adopted_and_what_is_left_of_them_is_ended) {
  serve(
      fmt::format("p = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
                  "open('{}/child', 'w').write(str(p.pid))",
                  dir.path()));
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  const pid_t child = pid_in("child");
  const std::string record = engine->record();
  engine.reset();
  ::kill(running->holder->pid, SIGKILL);
  ASSERT_TRUE(until([&] { return is_zombie(running->holder->pid); }));
  EXPECT_TRUE(is_alive(child));

  make();
  const auto adopted = run(engine->adopt(record));
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(is_alive(child));
  EXPECT_EQ(engine->record(), "");
  EXPECT_TRUE(load()) << "and it can be loaded anew";
}

TEST_F(ProgramEngineTest, a_number_that_is_somebody_elses_by_now_is_not_adopted) {
  serve();
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  auto record = parse_engine_record(engine->record()).value();
  ++record.tree.leader.start_ticks;  // the number was given anew since
  record.tree.mark = std::string(32, '0');
  if (record.tree.group) ++record.tree.group->inode;
  const auto second = make_engine(spec, parts());
  const auto adopted = run(second->adopt(to_text(record)));
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().kind, ErrorKind::not_found);
  EXPECT_TRUE(is_alive(running->holder->pid));
  EXPECT_FALSE(run(second->adopt("no record")));
}

TEST_F(ProgramEngineTest, without_a_url_to_ask_the_port_decides) {
  serve();
  spec.ready.clear();
  make();
  EXPECT_TRUE(load());
}

TEST_F(ProgramEngineTest, a_port_in_its_command_is_its_address) {
  EXPECT_EQ(port_in({"x", "--port", "8000"}), 8000);
  EXPECT_EQ(port_in({"x", "--port=8000", "y"}), 8000);
  for (const char* word : {"${PORT}", "0", "65536", "http", ""}) {
    EXPECT_EQ(port_in({"x", "--port", word}), std::nullopt) << word;
  }
  EXPECT_EQ(port_in({"x", "--port"}), std::nullopt);
  EXPECT_EQ(port_in({"x", "8000"}), std::nullopt);

  const auto port = choose_port("some other name", is_port_free).value();
  serve();
  spec.ready.clear();
  spec.command.back() = std::to_string(port);
  spec.command.insert(spec.command.end(), {"--port", std::to_string(port)});
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  EXPECT_EQ(running->endpoint.port, port);
}

TEST_F(ProgramEngineTest, the_path_of_its_url_goes_before_requests) {
  serve();
  spec.url = "http://127.0.0.1:${PORT}/base";
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  EXPECT_EQ(running->path_prefix, "/base");
}

TEST_F(ProgramEngineTest, runs_as_the_user_of_its_spec) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can run a program as somebody else";
  serve();
  spec.user = "nobody";
  spec.command[0] = "/usr/bin/python3";  // not root's own, which a PATH may have first
  make();
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  struct stat info {};
  ASSERT_EQ(::stat(fmt::format("/proc/{}", running->holder->pid).c_str(), &info), 0);
  EXPECT_NE(info.st_uid, 0u);
  EXPECT_NE(environment_of(running->holder->pid).find("\nUSER=nobody\n"), std::string::npos);
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_FALSE(is_alive(running->holder->pid));
}

TEST_F(ProgramEngineTest, a_kind_that_is_not_there_says_so) {
  spec.engine = ModelEngine::lease;
  make();
  const auto facts = run(engine->probe());
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().what.find("'lease'"), std::string::npos);
  EXPECT_FALSE(load());
  EXPECT_FALSE(run(engine->adopt("{}")));
  EXPECT_TRUE(run(engine->stop()));
}

}  // namespace
}  // namespace estiva::engines
