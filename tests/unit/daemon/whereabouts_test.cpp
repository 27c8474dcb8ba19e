// Whose container a process is in, read once a process.
#include "daemon/whereabouts.h"

#include <fstream>
#include <gtest/gtest.h>

#include "support.h"

namespace estiva::daemon {
namespace {

class WhereaboutsTest : public testing::Test {
 protected:
  void put(pid_t pid, const std::string& cgroup) {
    const std::string folder = tree_.path() + "/proc/" + std::to_string(pid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/cgroup") << cgroup;
  }
  static Containers engine_knows(std::vector<std::string> ids) {
    std::vector<Container> list;
    std::sort(ids.begin(), ids.end());
    for (const std::string& id : ids) {
      list.emplace_back();
      list.back().id = id;
    }
    return std::make_shared<const std::vector<Container>>(std::move(list));
  }

  TemporaryFolder tree_;
  host::Root root_ = std::move(*host::Root::open(tree_.path()));
  Whereabouts whereabouts_{root_};
  const std::string a_ = std::string(64, 'a'), b_ = std::string(64, 'b');
};

TEST_F(WhereaboutsTest, OnVersionOneTwoAndBoth) {
  put(9, "0::/system.slice/docker-" + a_ + ".scope\n");
  put(7, "12:memory:/docker/" + b_ + "\n1:name=systemd:/docker/" + b_ + "\n");
  put(8, "4:memory:/docker/" + a_ + "\n0::/\n");
  put(6, "0::/user.slice/user-1000.slice/session-2.scope\n");
  const auto found = whereabouts_.find({{9, 1, ""}, {7, 1, ""}, {8, 1, ""}, {6, 1, ""}}, {});
  EXPECT_EQ(found,
            (std::vector<ProcessContainer>{
                {7, b_, "docker", false}, {8, a_, "docker", false}, {9, a_, "docker", false}}));
}

TEST_F(WhereaboutsTest, TheInnermostThatTheEngineKnows) {
  put(5, "0::/docker/" + a_ + "/docker/" + b_ + "\n");
  EXPECT_EQ(whereabouts_.find({{5, 1, ""}}, {}).at(0).id, b_);
  EXPECT_EQ(whereabouts_.find({{5, 1, ""}}, engine_knows({a_})).at(0).id, a_);
  EXPECT_EQ(whereabouts_.find({{5, 1, ""}}, engine_knows({a_, b_})).at(0).id, b_);
}

TEST_F(WhereaboutsTest, AReusedNumberIsLookedAtAgainAndAKnownOneIsNot) {
  put(5, "0::/docker/" + a_ + "\n");
  EXPECT_EQ(whereabouts_.find({{5, 1, ""}}, {}).at(0).id, a_);
  put(5, "0::/docker/" + b_ + "\n");
  EXPECT_EQ(whereabouts_.find({{5, 1, ""}}, {}).at(0).id, a_) << "the same process";
  EXPECT_EQ(whereabouts_.find({{5, 2, ""}}, {}).at(0).id, b_) << "another one of that number";
  EXPECT_TRUE(whereabouts_.find({}, {}).empty());
  put(5, "0::/\n");
  EXPECT_TRUE(whereabouts_.find({{5, 2, ""}}, {}).empty()) << "it was away: looked at anew";
}

TEST_F(WhereaboutsTest, AProcessThatVanishedIsInNone) {
  EXPECT_TRUE(whereabouts_.find({{4, 1, ""}}, {}).empty());
}

TEST_F(WhereaboutsTest, WhoseWorkAnErrorHit) {
  put(42, "0::/docker/" + a_ + "\n");
  std::ofstream(tree_.path() + "/proc/42/comm") << "python3\n";
  XidReport report;
  report.pid = 42;
  report.process = "python3";
  whose_work(report, root_, {});
  EXPECT_EQ(report.victim, a_);
  EXPECT_EQ(report.container, a_.substr(0, 12));
  auto list = std::vector<Container>(1);
  list[0].id = a_;
  list[0].name = "chat-llm-1";
  whose_work(report, root_, std::make_shared<const std::vector<Container>>(list));
  EXPECT_EQ(report.container, "chat-llm-1");
  XidReport other = report;
  other.process = "ollama";
  other.container.clear();
  whose_work(other, root_, {});
  EXPECT_EQ(other.victim, "pid 42") << "the number is another process's by now";
  EXPECT_EQ(other.container, "");
  other.pid = 43;
  whose_work(other, root_, {});
  EXPECT_EQ(other.victim, "pid 43");
}

}  // namespace
}  // namespace estiva::daemon
