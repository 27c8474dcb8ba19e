// kill -9 of the daemon at each stage of a load leaves either an engine that the next daemon
// adopts, or nothing at all.
#include <filesystem>
#include <sys/wait.h>

#include "engine_fixture.h"
#include "host/folder.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

struct DaemonDeath : EngineTest {
  DaemonDeath() {
    spec.name = fmt::format("orphan-{}", ::getpid());
    serve(
        fmt::format("os.chdir('{}')\n"
                    "def term(*a): open('term', 'w').close()\n"
                    "signal.signal(signal.SIGTERM, term)\n"
                    "open('ran', 'w').close(); time.sleep(0.3)",
                    dir.path()));
    spec.stop_limit = 300ms;
  }

  // Runs a daemon until it dies at the stage.
  void die_at(const std::string& stage) {
    host::Spawn what;
    what.words = {ESTIVA_BUILD_DIR "/engine_holder", dir.path(), spec.name, stage, "--"};
    what.words.insert(what.words.end(), spec.command.begin(), spec.command.end());
    what.handed = {{-1, 0}, {-1, 1}, {2, 2}};
    pid_t pid = 0;
    ASSERT_EQ(host::spawn(what, pid), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << stage << " " << status;
  }

  // All processes that carry the model's name, be they held, running or lost.
  std::vector<pid_t> of_the_model() {
    std::vector<pid_t> pids;
    const std::string wanted = "ESTIVA_MODEL=" + spec.name;
    for (const auto& entry : host::list_folder(root, "/proc")) {
      const auto text = host::read_file(root, "/proc/" + entry.name + "/environ", 4 << 20);
      if (text && text->find(wanted) != text->npos) pids.push_back(std::atoi(entry.name.c_str()));
    }
    return pids;
  }
  bool are_gone() {
    return until([&] { return of_the_model().empty(); });
  }
  std::string record() { return written("record"); }
};

TEST_F(DaemonDeath, before_the_record_is_kept_nothing_is_left) {
  die_at("held");
  EXPECT_TRUE(are_gone());
  EXPECT_EQ(record(), "");
  EXPECT_EQ(written("engines/" + spec.name + ".log"), "");
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/ran"));
}

TEST_F(DaemonDeath, before_it_may_go_nothing_is_left_and_the_record_is_of_a_dead_one) {
  for (const char* stage : {"kept", "started"}) {
    die_at(stage);
    make();
    const auto adopted = run(engine->adopt(record()));
    ASSERT_FALSE(adopted) << stage;
    EXPECT_EQ(adopted.error().kind, ErrorKind::not_found) << stage;
    EXPECT_TRUE(are_gone()) << stage;
    EXPECT_FALSE(std::filesystem::exists(dir.path() + "/ran")) << stage;
  }
}

TEST_F(DaemonDeath, while_it_loads_it_goes_on_and_is_adopted_once_it_is_ready) {
  die_at("loading");
  const auto before = of_the_model();
  ASSERT_EQ(before.size(), 1u);
  make();
  const auto adopted = run(engine->adopt(record()));
  ASSERT_TRUE(adopted) << adopted.error().sentence();
  EXPECT_EQ(adopted->holder->pid, before[0]);
  EXPECT_TRUE(ended.empty());
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_TRUE(are_gone());
}

TEST_F(DaemonDeath, while_it_serves_it_goes_on_and_is_adopted) {
  die_at("ready");
  make();
  const auto adopted = run(engine->adopt(record()));
  ASSERT_TRUE(adopted) << adopted.error().sentence();
  EXPECT_EQ(of_the_model(), std::vector<pid_t>{adopted->holder->pid});
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_TRUE(are_gone());
}

TEST_F(DaemonDeath, while_it_is_stopped_the_next_daemon_can_stop_it) {
  die_at("stopping");
  make();
  const auto adopted = run(engine->adopt(record()));
  EXPECT_EQ(adopted.has_value(), !of_the_model().empty());
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_TRUE(are_gone());
}

}  // namespace
}  // namespace estiva::engines
