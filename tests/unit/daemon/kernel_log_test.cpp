// The kernel log as a file that grows, and the machine's own where it may be read.
#include "daemon/kernel_log.h"

#include <fstream>
#include <gtest/gtest.h>

#include "support.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

class KernelLogTest : public testing::Test {
 protected:
  KernelLogTest() : log_(loop_, root_, file(), [this](const XidReport& one) { take(one); }) {
    EXPECT_TRUE(log_.open());
  }
  std::string file() const { return folder_.path() + "/kmsg"; }
  void take(const XidReport& report) { heard_.push_back(report); }
  void append(const std::string& text) { std::ofstream(file(), std::ios::app) << text; }
  static std::string line(unsigned code, unsigned priority = 3) {
    return std::to_string(priority) +
           ",7,1000,-;NVRM: Xid (PCI:0000:01:00): " + std::to_string(code) + ", pid=1, name=a, x\n";
  }
  std::vector<unsigned> codes() const {
    std::vector<unsigned> all;
    for (const XidReport& one : heard_) all.push_back(one.code);
    return all;
  }

  net::Loop loop_;
  host::Root root_ = std::move(*host::Root::open("/"));
  TemporaryFolder folder_;
  std::vector<XidReport> heard_;
  KernelLog log_;
};

TEST_F(KernelLogTest, AFileThatAppearsLaterIsReadFromItsStart) {
  log_.poll();
  append(line(31));
  log_.poll();
  log_.poll();
  EXPECT_EQ(codes(), (std::vector<unsigned>{31}));
  EXPECT_EQ(heard_[0].slot, "0000:01:00");
  EXPECT_LT(steady_now() - heard_[0].at, 10s) << "the file's clock is another machine's";
}

TEST_F(KernelLogTest, ALineIsTakenWhenItIsWhole) {
  const std::string text = line(48);
  append(text.substr(0, 20));
  log_.poll();
  EXPECT_TRUE(heard_.empty());
  append(text.substr(20) + line(79));
  log_.poll();
  EXPECT_EQ(codes(), (std::vector<unsigned>{48, 79}));
}

TEST_F(KernelLogTest, WhatAProgramWroteIsNotTaken) {
  append(line(79, 8 + 3) + line(79, 13) + line(13, 3));
  log_.poll();
  EXPECT_EQ(codes(), (std::vector<unsigned>{13}));
}

TEST_F(KernelLogTest, ALineWithoutEndCostsNoMemoryAndTheNextIsRead) {
  for (int i = 0; i < 40; ++i) append(std::string(100'000, 'x'));
  for (int i = 0; i < 8; ++i) log_.poll();
  append("\n" + line(31));
  for (int i = 0; i < 8; ++i) log_.poll();
  EXPECT_EQ(codes(), (std::vector<unsigned>{31}));
}

TEST_F(KernelLogTest, ManyLinesComeInSlicesAndAllArrive) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += line(13);
  append(text);
  for (int i = 0; i < 10; ++i) log_.poll();
  std::uint64_t sum = 0;
  for (const XidReport& one : heard_) sum += one.count;
  EXPECT_EQ(sum, 50'000U);
  EXPECT_LE(heard_.size(), 10U) << "the same line again and again is one report";
}

TEST_F(KernelLogTest, DifferentLinesStayApartAndInOrder) {
  append(line(13) + line(13) + line(31) + line(13));
  log_.poll();
  EXPECT_EQ(codes(), (std::vector<unsigned>{13, 31, 13}));
  EXPECT_EQ(heard_[0].count, 2U);
  EXPECT_EQ(heard_[2].count, 1U);
}

// Nothing is written there: only whether reading to the end works, and ends.
TEST(KernelLogOfThisMachine, IsReadToItsEndOrSaysWhyNot) {
  net::Loop loop;
  const host::Root root = std::move(*host::Root::open("/"));
  std::vector<XidReport> heard;
  KernelLog log(loop, root, "", [&heard](const XidReport& one) { heard.push_back(one); });
  const auto opened = log.open();
  if (!opened) {
    EXPECT_NE(opened.error().sentence().find("/dev/kmsg"), std::string::npos);
    EXPECT_FALSE(opened.error().remedy.empty());
    return;
  }
  const SteadyTime end = steady_now() + 500ms;
  while (steady_now() < end) loop.run_for(50ms);
  for (const XidReport& one : heard) EXPECT_LE(one.at, steady_now());
  log.poll();  // does nothing here
}

}  // namespace
}  // namespace estiva::daemon
