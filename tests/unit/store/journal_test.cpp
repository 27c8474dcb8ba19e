#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <thread>

#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Store> open_store(const TempDir& dir, Options options = options_for_test()) {
  auto store = Store::open(dir.path(), std::move(options));
  EXPECT_TRUE(store) << store.error().sentence();
  return store ? std::move(*store) : nullptr;
}

void fill(Store& store, int records, const std::string& text = "x") {
  std::latch answered(records);
  std::atomic<int> bad = 0;
  for (int i = 0; i < records; ++i) {
    while (store.stats().waiting > 200) std::this_thread::yield();
    store.submit(Write::event("e", text), [&](Result<Durable> r) {
      bad += r ? 0 : 1;
      answered.count_down();
    });
  }
  answered.wait();
  EXPECT_EQ(bad, 0);
}

TEST(Journal, keeps_every_kind_of_record_newest_first) {
  TempDir dir;
  Options options = options_for_test();
  options.wall = [] { return WallTime{42}; };
  const auto store = open_store(dir, options);
  Lease gone = lease_for_test(1);
  gone.sequence = 2;
  ASSERT_TRUE(
      submit_and_wait(*store, Write::grant(lease_for_test(1), Decision{"q", nullptr, "a"})));
  ASSERT_TRUE(submit_and_wait(*store, Write::release(gone, 1, "holder died")));
  ASSERT_TRUE(submit_and_wait(*store, Write::decided("model-9", Decision{"q2", nullptr, "no"})));
  ASSERT_TRUE(submit_and_wait(*store, Write::event("GPU-0123", "lost")));
  ASSERT_TRUE(submit_and_wait(*store, Write::world("{}")));
  const auto records = read_and_wait(*store);
  ASSERT_TRUE(records) << records.error().sentence();
  std::vector<std::string> lines;
  for (const JournalRecord& r : *records) {
    EXPECT_TRUE(r.intact);
    EXPECT_EQ(r.wall, WallTime{42});
    EXPECT_EQ(r.boot_epoch, 1U);
    lines.push_back(
        fmt::format("{} {} {} {} {}", r.position, to_name(r.kind), r.sequence, r.subject, r.text));
  }
  EXPECT_THAT(lines,
              ElementsAre("5 world 0  {}", "4 event 0 GPU-0123 lost", "3 decision 0 model-9 ",
                          "2 release 2 model-1 holder died", "1 grant 1 model-1 "));
  EXPECT_EQ((*records)[4].lease, lease_for_test(1));
  EXPECT_EQ((*records)[4].decision->outcome, "a");
  EXPECT_EQ((*records)[2].decision->request, "q2");
}

TEST(Journal, takes_what_was_read_of_the_largest_machine) {
  TempDir dir;
  const auto store = open_store(dir);
  // 64 GPUs in eight devices each, some 200 bytes a device.
  const auto readings = std::make_shared<const std::string>(std::size_t{64} * 8 * 200, 'r');
  ASSERT_TRUE(
      submit_and_wait(*store, Write::grant(lease_for_test(1), Decision{"q", readings, "a"})));
  const auto records = read_and_wait(*store);
  ASSERT_TRUE(records);
  ASSERT_TRUE(records->front().decision->readings);
  EXPECT_EQ(*records->front().decision->readings, *readings);
}

TEST(Journal, is_read_in_pages) {
  TempDir dir;
  const auto store = open_store(dir);
  fill(*store, 10);
  const auto page = read_and_wait(*store, {.before = 8, .limit = 3});
  ASSERT_TRUE(page);
  std::vector<std::uint64_t> positions;
  for (const JournalRecord& r : *page) positions.push_back(r.position);
  EXPECT_THAT(positions, ElementsAre(7, 6, 5));
}

TEST(Journal, decisions_on_the_same_readings_share_them) {
  TempDir dir;
  const auto readings = std::make_shared<const std::string>(1000, 'r');
  const auto same_text = std::make_shared<const std::string>(1000, 'r');
  {
    const auto store = open_store(dir);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(submit_and_wait(
          *store, Write::decided("m", Decision{"q", i % 2 ? readings : same_text, "no"})));
    }
    const auto records = read_and_wait(*store);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 20U);
    for (const JournalRecord& r : *records) EXPECT_EQ(*r.decision->readings, *readings);
  }
  EXPECT_EQ(run_sql(dir.database(), "SELECT count(*) FROM readings"), "1");
}

TEST(Journal, keeps_the_newest_rows_up_to_its_limit) {
  TempDir dir;
  Options options = options_for_test();
  options.journal_rows = 1000;
  const auto store = open_store(dir, options);
  fill(*store, 5000);
  const auto records = read_and_wait(*store, {.limit = kMaxJournalRead});
  ASSERT_TRUE(records);
  EXPECT_GE(records->size(), 1000U);
  EXPECT_LE(records->size(), 1000U + 2 * 256U);
  EXPECT_EQ(records->front().position, 5000U);
  EXPECT_EQ(store->stats().journal_rows, records->size());
  EXPECT_EQ(store->stats().trim_failures, 0U);
}

TEST(Journal, drops_what_is_too_old_and_never_uses_a_position_again) {
  TempDir dir;
  std::atomic<std::int64_t> now = 1'000'000'000;
  Options options = options_for_test();
  options.journal_age = std::chrono::hours(1);
  options.wall = [&] { return WallTime{now.load()}; };
  {
    const auto store = open_store(dir, options);
    ASSERT_TRUE(submit_and_wait(
        *store, Write::decided("m", Decision{"q", std::make_shared<const std::string>("r"), "a"})));
    fill(*store, 9);
  }
  now += 2LL * 3600 * 1'000'000'000;
  {
    const auto store = open_store(dir, options);
    ASSERT_TRUE(submit_and_wait(*store, Write::event("late", "")));
    const auto records = read_and_wait(*store);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 1U);
    EXPECT_EQ(records->front().position, 11U);
  }
  now += 2LL * 3600 * 1'000'000'000;
  const auto store = open_store(dir, options);
  const auto done = submit_and_wait(*store, Write::event("later", ""));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->position, 12U);
}

TEST(Journal, readings_go_with_the_last_record_that_needs_them) {
  TempDir dir;
  Options options = options_for_test();
  options.journal_rows = 100;
  options.batch_limit = 16;
  {
    const auto store = open_store(dir, options);
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(submit_and_wait(
          *store,
          Write::decided(
              "m", Decision{"q", std::make_shared<const std::string>(fmt::format("readings {}", i)),
                            ""})));
    }
    fill(*store, 2000);
    ASSERT_TRUE(submit_and_wait(
        *store,
        Write::decided("m", Decision{"q", std::make_shared<const std::string>("new"), ""})));
    const auto records = read_and_wait(*store, {.limit = 1});
    ASSERT_TRUE(records);
    EXPECT_EQ(*records->front().decision->readings, "new");
  }
  EXPECT_EQ(run_sql(dir.database(), "SELECT group_concat(body) FROM readings"), "new");
}

TEST(Journal, its_file_stays_near_the_bound_whatever_the_records_weigh) {
  TempDir dir;
  Options options = options_for_test();
  options.journal_bytes = 4 * 1024 * 1024;
  {
    const auto store = open_store(dir, options);
    fill(*store, 1000, std::string(kMaxText, 'x'));  // 64 MB in all
    const auto newest = read_and_wait(*store, {.limit = 1});
    ASSERT_TRUE(newest);
    ASSERT_FALSE(newest->empty());  // a trim never takes the newest
    EXPECT_EQ(newest->front().position, 1000U);
    EXPECT_GT(store->stats().journal_rows, 20U);  // 4 MiB hold more than that
  }
  // The bound, one batch (4 MiB) and one queue's worth that was trimmed only afterwards.
  EXPECT_LT(file_bytes(dir.database()).size(), 48U * 1024 * 1024);
}

TEST(Journal, the_newest_record_stays_however_small_the_bound) {
  TempDir dir;
  Options options = options_for_test();
  options.journal_bytes = 1;
  options.journal_rows = 1;
  const auto store = open_store(dir, options);
  fill(*store, 200, std::string(kMaxText, 'x'));
  const auto records = read_and_wait(*store);
  ASSERT_TRUE(records);
  ASSERT_FALSE(records->empty());
  EXPECT_EQ(records->front().position, 200U);
}

TEST(Journal, the_log_beside_the_database_is_bounded) {
  TempDir dir;
  const auto store = open_store(dir);
  fill(*store, 20'000, std::string(500, 'x'));
  EXPECT_LT(file_bytes(dir.database() + "-wal").size(), 16U * 1024 * 1024);
}

TEST(Journal, a_damaged_record_is_named_and_the_others_are_read) {
  TempDir dir;
  {
    const auto store = open_store(dir);
    ASSERT_TRUE(submit_and_wait(*store, Write::event("first", "one")));
    ASSERT_TRUE(submit_and_wait(*store, Write::event("second", "two")));
  }
  run_sql(dir.database(), "UPDATE journal SET subject='frist' WHERE position=1");
  const auto store = open_store(dir);
  const auto records = read_and_wait(*store);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 2U);
  EXPECT_TRUE((*records)[0].intact);
  EXPECT_EQ((*records)[0].text, "two");
  EXPECT_FALSE((*records)[1].intact);
  EXPECT_EQ((*records)[1].position, 1U);
  EXPECT_THAT((*records)[1].subject, IsEmpty());
}

}  // namespace
}  // namespace estiva::store
