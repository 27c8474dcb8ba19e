// Work that may hang: it holds up neither the next second nor the end of the daemon.
#include "daemon/worker.h"

#include <future>
#include <gtest/gtest.h>

#include "daemon/inbox.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

// A job that waits until it is told to go on, as a read of a dead mount does.
struct Hanging {
  std::promise<void> go_on;
  std::promise<void> ended;
};

TEST(Worker, WhileOneJobRunsAnotherIsRefused) {
  auto hanging = std::make_shared<Hanging>();
  Worker worker;
  ASSERT_TRUE(worker.try_run([hanging] { hanging->go_on.get_future().wait(); }));
  EXPECT_FALSE(worker.try_run([] { FAIL() << "it was refused"; }));
  hanging->go_on.set_value();
  std::promise<void> ran;
  for (int i = 0; i < 500 && !worker.try_run([&ran] { ran.set_value(); }); ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(ran.get_future().wait_for(60s), std::future_status::ready);
}

TEST(Worker, WhatAJobBringsRunsOnTheLoop) {
  net::Loop loop;
  auto inbox = std::make_shared<Inbox>(&loop);
  std::thread::id where;
  Worker worker;
  ASSERT_TRUE(
      worker.try_run([&, inbox] { inbox->post([&] { where = std::this_thread::get_id(); }); }));
  const auto something_to_wait_for = loop.every(1ms, [] {});
  for (int i = 0; i < 500 && where == std::thread::id(); ++i) loop.run_for(10ms);
  EXPECT_EQ(where, std::this_thread::get_id());
}

// The daemon ends while a disk hangs; the disk comes back when there is no loop any more.
TEST(Worker, AJobThatEndsAfterTheDaemonTouchesNothing) {
  auto hanging = std::make_shared<Hanging>();
  auto posted = std::make_shared<bool>(false);
  auto loop = std::make_unique<net::Loop>();
  auto inbox = std::make_shared<Inbox>(loop.get());
  auto worker = std::make_unique<Worker>();
  ASSERT_TRUE(worker->try_run([hanging, posted, inbox] {
    hanging->go_on.get_future().wait();
    inbox->post([posted] { *posted = true; });
    hanging->ended.set_value();
  }));
  worker.reset();  // gives up waiting and leaves the thread
  inbox->close();
  loop.reset();
  hanging->go_on.set_value();
  ASSERT_EQ(hanging->ended.get_future().wait_for(60s), std::future_status::ready);
  EXPECT_FALSE(*posted);
}

}  // namespace
}  // namespace estiva::daemon
