// The journal as a file: each record once and in order, over restarts, cuts and full disks.
#include "daemon/event_log.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

class EventFile : public testing::Test {
 protected:
  EventFile() { settings_.file = folder_.path() + "/events.log"; }
  std::string file(int number = 0) const {
    return settings_.file + (number == 0 ? "" : "." + std::to_string(number));
  }
  TemporaryFolder folder_;
  format::EventSettings settings_;
};

TEST_F(EventFile, IsAppendedTo) {
  ASSERT_TRUE(append_events(settings_, "one\n"));
  ASSERT_TRUE(append_events(settings_, "two\nthree\n"));
  EXPECT_EQ(content_of(file()), "one\ntwo\nthree\n");
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U) << "not for everybody";
}

TEST_F(EventFile, IsCutBeforeItGetsTooLargeAndTheOldestAreLetGo) {
  settings_.max_size = Bytes{10};
  settings_.keep = 2;
  for (const char* text : {"aaaaaaa\n", "bbbbbbb\n", "ccccccc\n", "ddddddd\n", "e\n"}) {
    ASSERT_TRUE(append_events(settings_, text));
  }
  EXPECT_EQ(content_of(file()), "ddddddd\ne\n");
  EXPECT_EQ(content_of(file(1)), "ccccccc\n");
  EXPECT_EQ(content_of(file(2)), "bbbbbbb\n");
  EXPECT_FALSE(exists(file(3)));
  settings_.keep = 0;
  ASSERT_TRUE(append_events(settings_, "fffffff\n"));
  EXPECT_EQ(content_of(file()), "fffffff\n");
}

TEST_F(EventFile, OneBatchThatIsLargerThanTheFileMayBeIsKeptWhole) {
  settings_.max_size = Bytes{10};
  ASSERT_TRUE(append_events(settings_, std::string(100, 'x')));
  EXPECT_EQ(content_of(file()).size(), 100U);
}

TEST_F(EventFile, ALinkInItsPlaceIsNotFollowed) {
  const std::string other = folder_.path() + "/other";
  std::ofstream(other) << "mine";
  ASSERT_EQ(::symlink(other.c_str(), file().c_str()), 0);
  EXPECT_FALSE(append_events(settings_, "x\n"));
  EXPECT_EQ(content_of(other), "mine");
}

TEST_F(EventFile, AFullDiskIsSaid) {
  settings_.file = "/dev/full";
  const auto full = append_events(settings_, "x\n");
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().what.find("/dev/full"), std::string::npos) << full.error().what;
}

class EventLogTest : public EventFile {
 protected:
  EventLogTest() { open(); }
  ~EventLogTest() override { close(); }
  void open() {
    loop_ = std::make_unique<net::Loop>();
    keep_ = loop_->every(50ms, [] {});  // a loop with nothing to wait for returns at once
    store::Options options;
    options.executor = [this](std::function<void()> work) {
      loop_->post([this, work = std::move(work)] {
        work();
        if (log_) log_->pump();
      });
    };
    options.boot_id = "boot";
    auto opened = store::Store::open(folder_.path() + "/state", std::move(options));
    ASSERT_TRUE(opened) << opened.error().sentence();
    store_ = std::move(*opened);
    log_ = std::make_unique<EventLog>(*loop_, *store_, settings_);
    log_->pump();
  }
  void close() {
    log_.reset();
    store_.reset();
    keep_.reset();
    loop_.reset();
  }
  void happens(const std::string& text) {
    store_->submit(store::Write::event("GPU-1", text), [](const Result<store::Durable>&) {});
  }
  bool until(const std::function<bool()>& is_so) {
    for (int i = 0; i < 1000 && !is_so(); ++i) loop_->run_for(5ms);
    return is_so();
  }
  std::size_t lines() const {
    const std::string text = content_of(file());
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  std::unique_ptr<net::Loop> loop_;
  std::shared_ptr<void> keep_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(EventLogTest, EachRecordOnceInOrderAlsoOverARestart) {
  loop_->run_for(100ms);
  happens("first");
  happens("second\n\x1b[31m");
  ASSERT_TRUE(until([&] { return lines() == 2; })) << content_of(file());
  const std::string text = content_of(file());
  EXPECT_NE(text.find("Z event GPU-1: first\n"), std::string::npos) << text;
  EXPECT_NE(text.find(": second\\x0a\\x1b[31m\n"), std::string::npos) << text;
  EXPECT_LT(text.find("first"), text.find("second"));
  loop_->run_for(100ms);
  close();
  open();
  happens("third");
  ASSERT_TRUE(until([&] { return lines() == 3; })) << content_of(file());
  loop_->run_for(100ms);
  EXPECT_EQ(lines(), 3U);
}

TEST_F(EventLogTest, WhatWasNotWrittenIsWrittenLater) {
  loop_->run_for(100ms);
  std::filesystem::create_directory(file());  // in its place
  happens("first");
  loop_->run_for(200ms);
  std::filesystem::remove(file());
  happens("second");
  ASSERT_TRUE(until([&] { return lines() == 2; })) << content_of(file());
}

TEST_F(EventLogTest, ThousandsAtOnce) {
  loop_->run_for(100ms);
  for (int i = 0; i < 3000; ++i) happens("n" + std::to_string(i) + ".");
  ASSERT_TRUE(until([&] { return lines() == 3000; })) << lines();
  const std::string text = content_of(file());
  EXPECT_LT(text.find("n0."), text.find("n2999."));
}

}  // namespace
}  // namespace estiva::daemon
