#include "store/store.h"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Store> open_store(const TempDir& dir, Options options = options_for_test()) {
  auto store = Store::open(dir.path(), std::move(options));
  EXPECT_TRUE(store) << store.error().sentence();
  return store ? std::move(*store) : nullptr;
}

// Keeps the store's thread busy in a callback, so that what is submitted meanwhile waits.
class Hold {
 public:
  explicit Hold(Store& store) {
    store.submit(Write::event("hold", ""), [this](Result<Durable>) {
      busy_.count_down();
      release_.wait();
    });
    busy_.wait();
  }
  void release() { release_.count_down(); }

 private:
  std::latch busy_{1}, release_{1};
};

TEST(Store, a_new_folder_gets_a_database_of_its_own) {
  TempDir dir;
  const auto store = Store::open(dir.path() + "/a/b", options_for_test());
  ASSERT_TRUE(store) << store.error().sentence();
  const Opened& opened = (*store)->opened();
  EXPECT_EQ(opened.path, dir.path() + "/a/b/estiva.db");
  EXPECT_EQ(opened.node_id.size(), 32U);
  EXPECT_EQ(opened.boot_epoch, 1U);
  EXPECT_EQ(opened.last_sequence, 0U);
  EXPECT_THAT(opened.leases, IsEmpty());
}

TEST(Store, what_was_granted_is_there_after_reopening) {
  TempDir dir;
  std::string node;
  {
    const auto store = open_store(dir);
    node = store->opened().node_id;
    for (std::uint64_t n = 1; n <= 3; ++n) {
      const auto done = submit_and_wait(*store, Write::grant(lease_for_test(n)));
      ASSERT_TRUE(done) << done.error().sentence();
      EXPECT_EQ(done->sequence, n);
    }
  }
  const auto store = open_store(dir);
  EXPECT_EQ(store->opened().node_id, node);
  EXPECT_EQ(store->opened().boot_epoch, 1U);
  EXPECT_EQ(store->opened().last_sequence, 3U);
  EXPECT_EQ(store->opened().leases,
            (std::vector{lease_for_test(1), lease_for_test(2), lease_for_test(3)}));
}

TEST(Store, a_change_and_a_release_are_kept_too) {
  TempDir dir;
  Lease changed = lease_for_test(1);
  changed.state = LeaseState::active;
  changed.sequence = 3;
  Lease gone = lease_for_test(2);
  gone.sequence = 4;
  {
    const auto store = open_store(dir);
    ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(1))));
    ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(2))));
    ASSERT_TRUE(submit_and_wait(*store, Write::change(changed, 1, "seen on the GPU")));
    ASSERT_TRUE(submit_and_wait(*store, Write::release(gone, 2, "released by name")));
  }
  const auto store = open_store(dir);
  EXPECT_EQ(store->opened().leases, std::vector{changed});
  EXPECT_EQ(store->opened().last_sequence, 4U);
}

TEST(Store, refuses_what_does_not_fit_the_ledger) {
  const auto with = [](std::uint64_t n, auto change) {
    Lease lease = lease_for_test(n);
    change(lease);
    return lease;
  };
  struct Case {
    const char* name;
    Write write;
    const char* says;
  };
  const Case cases[] = {
      {"an id that exists", Write::grant(with(9, [](Lease& l) { l.id = lease_for_test(1).id; })),
       "already has a lease"},
      {"a model that has a live lease",
       Write::grant(with(9, [](Lease& l) { l.model = "model-1"; })), "already has a lease"},
      {"a sequence that was used", Write::grant(with(9, [](Lease& l) { l.sequence = 1; })),
       "must be above it"},
      {"another boot's epoch", Write::grant(with(9, [](Lease& l) { l.boot_epoch = 7; })),
       "this is boot epoch 1"},
      {"a change of a lease that is not there", Write::change(lease_for_test(9), 3, ""),
       "has no lease"},
      {"a change of a lease that changed since",
       Write::change(with(1, [](Lease& l) { l.sequence = 9; }), 8, ""), "has no lease"},
      {"a release of a lease that changed since",
       Write::release(with(1, [](Lease& l) { l.sequence = 9; }), 8, ""), "has no lease"},
      {"readings beyond the limit",
       Write::decided(
           "m", Decision{"q", std::make_shared<const std::string>(kMaxReadings + 1, 'x'), "a"}),
       "is the limit"},
      {"a text beyond the limit", Write::event("", std::string(kMaxText + 1, 'x')), "is the limit"},
  };
  TempDir dir;
  const auto store = open_store(dir);
  ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(1))));
  for (const Case& c : cases) {
    const auto done = submit_and_wait(*store, c.write);
    ASSERT_FALSE(done) << c.name;
    EXPECT_THAT(done.error().what, HasSubstr(c.says)) << c.name;
    EXPECT_FALSE(done.error().remedy.empty()) << c.name;
  }
  EXPECT_EQ(store->stats().failed, std::size(cases));
  EXPECT_EQ(store->stats().committed, 1U);
}

TEST(Store, a_name_may_be_taken_again_while_its_old_lease_is_releasing) {
  TempDir dir;
  const auto store = open_store(dir);
  Lease releasing = lease_for_test(1);
  releasing.state = LeaseState::releasing;
  releasing.sequence = 2;
  Lease next = lease_for_test(3);
  next.model = "model-1";
  ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(1))));
  ASSERT_TRUE(submit_and_wait(*store, Write::change(releasing, 1, "released by name")));
  EXPECT_TRUE(submit_and_wait(*store, Write::grant(next)));
}

TEST(Store, what_waits_becomes_one_transaction) {
  TempDir dir;
  const auto store = open_store(dir);
  Hold hold(*store);
  const std::uint64_t before = store->stats().batches;
  std::latch answered(64);
  for (std::uint64_t n = 1; n <= 64; ++n) {
    store->submit(Write::grant(lease_for_test(n)), [&](Result<Durable> r) {
      EXPECT_TRUE(r);
      answered.count_down();
    });
  }
  EXPECT_EQ(store->stats().waiting, 64U);
  hold.release();
  answered.wait();
  EXPECT_EQ(store->stats().batches - before, 1U);
}

TEST(Store, a_batch_has_its_limit) {
  TempDir dir;
  Options options = options_for_test();
  options.batch_limit = 10;
  const auto store = open_store(dir, options);
  Hold hold(*store);
  const std::uint64_t before = store->stats().batches;
  std::latch answered(25);
  for (std::uint64_t n = 1; n <= 25; ++n) {
    store->submit(Write::grant(lease_for_test(n)), [&](Result<Durable>) { answered.count_down(); });
  }
  hold.release();
  answered.wait();
  EXPECT_EQ(store->stats().batches - before, 3U);
}

TEST(Store, a_refused_write_leaves_the_others_of_its_batch) {
  TempDir dir;
  const auto store = open_store(dir);
  Hold hold(*store);
  std::latch answered(3);
  std::vector<bool> good(3);
  const Write writes[] = {Write::grant(lease_for_test(1)), Write::grant(lease_for_test(1)),
                          Write::grant(lease_for_test(2))};
  for (std::size_t i = 0; i < 3; ++i) {
    store->submit(writes[i], [&, i](Result<Durable> r) {
      good[i] = r.has_value();
      answered.count_down();
    });
  }
  hold.release();
  answered.wait();
  EXPECT_EQ(good, (std::vector<bool>{true, false, true}));
}

TEST(Store, a_full_queue_turns_the_next_away_at_once_with_a_remedy) {
  TempDir dir;
  Options options = options_for_test();
  options.queue_limit = 8;
  const auto store = open_store(dir, options);
  Hold hold(*store);
  std::latch answered(8);
  for (std::uint64_t n = 1; n <= 8; ++n) {
    store->submit(Write::grant(lease_for_test(n)), [&](Result<Durable>) { answered.count_down(); });
  }
  std::optional<Result<Durable>> ninth;
  store->submit(Write::grant(lease_for_test(9)), [&](Result<Durable> r) { ninth = r; });
  ASSERT_TRUE(ninth.has_value());
  ASSERT_FALSE(*ninth);
  EXPECT_EQ(ninth->error().kind, ErrorKind::refused);
  EXPECT_THAT(ninth->error().sentence(), HasSubstr("8 changes are already waiting"));
  EXPECT_FALSE(ninth->error().remedy.empty());
  hold.release();
  answered.wait();
  EXPECT_EQ(store->stats().refused, 1U);
  EXPECT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(10))));
}

TEST(Store, the_queue_is_bounded_in_bytes_as_well) {
  TempDir dir;
  const auto store = open_store(dir);
  Hold hold(*store);
  std::size_t accepted = 0;
  while (store->stats().refused == 0 && accepted < 2000) {
    store->submit(Write::event("", std::string(kMaxText, 'x')), nullptr);
    ++accepted;
  }
  EXPECT_LE(accepted, 32 * 1024 * 1024 / kMaxText);
  hold.release();
}

TEST(Store, callbacks_run_on_the_executor_in_order) {
  TempDir dir;
  std::mutex mutex;
  std::vector<std::function<void()>> posted;
  Options options = options_for_test();
  options.executor = [&](std::function<void()> run) {
    const std::lock_guard guard(mutex);
    posted.push_back(std::move(run));
  };
  const auto store = open_store(dir, options);
  std::vector<std::uint64_t> order;
  for (std::uint64_t n = 1; n <= 100; ++n) {
    store->submit(Write::grant(lease_for_test(n)),
                  [&order, n](Result<Durable>) { order.push_back(n); });
  }
  EXPECT_TRUE(store->close(std::chrono::seconds(60)));
  EXPECT_THAT(order, IsEmpty());  // nothing ran yet: they are with the executor
  for (const auto& run : posted) run();
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Store, closing_writes_what_waits_and_then_takes_nothing_more) {
  TempDir dir;
  {
    const auto store = open_store(dir);
    std::atomic<int> durable = 0;
    for (std::uint64_t n = 1; n <= 500; ++n) {
      store->submit(Write::grant(lease_for_test(n)),
                    [&](Result<Durable> r) { durable += r ? 1 : 0; });
    }
    EXPECT_TRUE(store->close(std::chrono::seconds(60)));
    EXPECT_EQ(durable, 500);
    const auto late = submit_and_wait(*store, Write::grant(lease_for_test(501)));
    ASSERT_FALSE(late);
    EXPECT_THAT(late.error().what, HasSubstr("closed"));
    EXPECT_TRUE(store->close(std::chrono::seconds(60)));
  }
  EXPECT_EQ(open_store(dir)->opened().leases.size(), 500U);
}

TEST(Store, a_disk_that_does_not_answer_holds_closing_only_to_its_deadline) {
  TempDir dir;
  const auto store = open_store(dir);
  Hold hold(*store);
  std::atomic<int> answers = 0, errors = 0;
  for (std::uint64_t n = 1; n <= 5; ++n) {
    store->submit(Write::grant(lease_for_test(n)), [&](Result<Durable> r) {
      ++answers;
      errors += r ? 0 : 1;
    });
  }
  EXPECT_FALSE(store->close(std::chrono::milliseconds(20)));
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(errors, 5);
  hold.release();
  store->close(std::chrono::seconds(60));
  EXPECT_EQ(answers, 5);  // exactly once
}

TEST(Store, a_new_boot_voids_what_was_granted_before) {
  TempDir dir;
  Options rebooted = options_for_test();
  rebooted.boot_id = "boot-b";
  {
    const auto store = open_store(dir);
    ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(1))));
    ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(2))));
  }
  {
    const auto store = open_store(dir, rebooted);
    EXPECT_EQ(store->opened().boot_epoch, 2U);
    EXPECT_THAT(store->opened().leases, IsEmpty());
    EXPECT_EQ(store->opened().voided, (std::vector{lease_for_test(1), lease_for_test(2)}));
    EXPECT_EQ(store->opened().last_sequence, 4U);
    const auto records = read_and_wait(*store);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 4U);
    EXPECT_EQ(records->front().kind, RecordKind::voided);
    EXPECT_EQ(records->front().boot_epoch, 2U);
    EXPECT_THAT(records->front().text, HasSubstr("earlier boot"));
    EXPECT_EQ(records->front().lease->id, lease_for_test(2).id);
  }
  const auto store = open_store(dir, rebooted);
  EXPECT_EQ(store->opened().boot_epoch, 2U);
  EXPECT_THAT(store->opened().voided, IsEmpty());
}

TEST(Store, the_boot_id_is_the_kernels_when_none_is_given) {
  TempDir dir;
  { ASSERT_NE(open_store(dir, Options{}), nullptr); }
  const std::string kernel = file_bytes("/proc/sys/kernel/random/boot_id");
  EXPECT_EQ(run_sql(dir.database(), "SELECT boot_id FROM meta") + "\n", kernel);
}

TEST(Store, a_second_daemon_on_the_folder_is_told_who_has_it) {
  TempDir dir;
  auto first = open_store(dir);
  const auto second = Store::open(dir.path(), options_for_test());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::refused);
  EXPECT_THAT(second.error().what, HasSubstr(fmt::format("process {}", getpid())));
  EXPECT_THAT(second.error().what, HasSubstr(dir.path()));
  EXPECT_THAT(second.error().remedy, HasSubstr("ESTIVA_STATE_DIR"));
  first.reset();
  EXPECT_TRUE(Store::open(dir.path(), options_for_test()));
}

TEST(Store, fresh_state_moves_the_old_database_aside_and_keeps_it) {
  TempDir dir;
  {
    const auto store = open_store(dir);
    ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(1))));
  }
  const std::string before = file_bytes(dir.database());
  Options options = options_for_test();
  options.fresh_state = true;
  const auto store = open_store(dir, options);
  EXPECT_THAT(store->opened().leases, IsEmpty());
  EXPECT_THAT(store->opened().set_aside, HasSubstr("estiva.db.corrupt-"));
  EXPECT_EQ(file_bytes(store->opened().set_aside), before);
}

TEST(Store, the_database_is_readable_by_its_owner_only) {
  TempDir dir;
  const auto store = open_store(dir);
  ASSERT_TRUE(submit_and_wait(*store, Write::grant(lease_for_test(1))));
  for (const std::string& name : names_in(dir.path())) {
    struct stat info = {};
    ASSERT_EQ(stat((dir.path() + "/" + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
}

TEST(CrashPoint, names_and_counts_are_parsed_and_anything_else_is_refused) {
  for (const CrashPoint point : kCrashPoints) {
    const auto at = parse_crash_point(std::string(to_name(point)) + ":37");
    ASSERT_TRUE(at);
    EXPECT_EQ(at->point, point);
    EXPECT_EQ(at->nth, 37U);
  }
  EXPECT_EQ(parse_crash_point("after_commit")->nth, 1U);
  for (const char* bad : {"", "none", "after_comit", "after_commit:", "after_commit:0",
                          "after_commit:-1", "after_commit:1x", "after_commit:1:2"}) {
    const auto at = parse_crash_point(bad);
    ASSERT_FALSE(at) << bad;
    EXPECT_EQ(at.error().kind, ErrorKind::usage);
    EXPECT_THAT(at.error().remedy, HasSubstr("before_begin")) << bad;
  }
}

TEST(Store, a_note_takes_the_place_of_the_last_one_and_leaves_the_journal_alone) {
  TempDir dir;
  {
    const auto store = open_store(dir);
    EXPECT_TRUE(submit_and_wait(*store, Write::note("gpus", "first")));
    EXPECT_TRUE(submit_and_wait(*store, Write::note("gpus", "second \n\"{}\xff")));
    EXPECT_TRUE(submit_and_wait(*store, Write::note("other", "")));
    EXPECT_FALSE(submit_and_wait(*store, Write::note("big", std::string(kMaxText + 1, 'x'))));
    EXPECT_EQ(store->stats().journal_rows, 0U);
  }
  run_sql(dir.database(), "UPDATE notes SET body=x'00' WHERE name='other'");
  const auto store = open_store(dir);
  EXPECT_EQ(store->opened().notes,
            (std::map<std::string, std::string>{{"gpus", "second \n\"{}\xff"}}))
      << "a damaged one is left out, and nothing else is";
}

}  // namespace
}  // namespace estiva::store
