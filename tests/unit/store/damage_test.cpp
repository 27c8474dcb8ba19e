// Databases that are damaged, foreign or newer: refused with a sentence, and left as they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

using testing::HasSubstr;

std::vector<Lease> make_database(const TempDir& dir, std::uint64_t leases) {
  auto store = Store::open(dir.path(), options_for_test());
  EXPECT_TRUE(store) << store.error().sentence();
  std::vector<Lease> made;
  for (std::uint64_t n = 1; n <= leases; ++n) {
    made.push_back(lease_for_test(n));
    (*store)->submit(Write::grant(made.back()), nullptr);
  }
  EXPECT_TRUE((*store)->close(std::chrono::seconds(60)));
  EXPECT_EQ((*store)->stats().committed, leases);
  return made;
}

TEST(Damage, a_database_that_is_not_one_is_refused_untouched_and_fresh_state_starts) {
  struct Case {
    const char* name;
    std::string bytes;
  };
  TempDir sound;
  make_database(sound, 200);
  const std::string good = file_bytes(sound.database());
  std::string header = good, middle = good;
  header.replace(0, 16, "not a database!!");
  middle.replace(good.size() / 2 / 4096 * 4096, 4096, std::string(4096, '\xaa'));
  const Case cases[] = {
      {"an empty file", ""},
      {"a text", "hello"},
      {"a damaged header", header},
      {"a damaged page in the middle", middle},
      {"a file cut in the middle", good.substr(0, good.size() / 2)},
      {"a file cut within a page", good.substr(0, good.size() - 1000)},
  };
  for (const Case& c : cases) {
    TempDir dir;
    write_bytes(dir.database(), c.bytes);
    const auto store = Store::open(dir.path(), options_for_test());
    ASSERT_FALSE(store) << c.name;
    EXPECT_THAT(store.error().what, HasSubstr(dir.database())) << c.name;
    EXPECT_THAT(store.error().what, HasSubstr("damaged")) << c.name;
    EXPECT_THAT(store.error().remedy, HasSubstr("--fresh-state")) << c.name;
    EXPECT_EQ(file_bytes(dir.database()), c.bytes) << c.name;

    Options fresh = options_for_test();
    fresh.fresh_state = true;
    const auto again = Store::open(dir.path(), fresh);
    ASSERT_TRUE(again) << c.name << ": " << again.error().sentence();
    EXPECT_EQ(file_bytes((*again)->opened().set_aside), c.bytes) << c.name;
  }
}

// The property: whatever single byte changes, a lease is never silently lost, changed or voided.
TEST(Damage, one_changed_byte_is_noticed_or_harmless) {
  TempDir sound;
  const auto leases = make_database(sound, 60);
  const std::string good = file_bytes(sound.database());
  std::mt19937_64 random(11);
  int refused = 0, harmless = 0;
  for (int i = 0; i < 400; ++i) {
    TempDir dir;
    std::string bad = good;
    // Half of them in the first two pages, where the header, the schema and meta live.
    const std::size_t at = random() % (i % 2 ? bad.size() : 2 * 4096);
    bad[at] = static_cast<char>(bad[at] ^ (1 << (random() % 8)));
    write_bytes(dir.database(), bad);
    const auto store = Store::open(dir.path(), options_for_test());
    if (!store) {
      ++refused;
      ASSERT_EQ(file_bytes(dir.database()), bad) << "byte " << at;
      continue;
    }
    ++harmless;
    ASSERT_EQ((*store)->opened().leases, leases) << "byte " << at;
    ASSERT_EQ((*store)->opened().boot_epoch, 1U) << "byte " << at;
    ASSERT_EQ((*store)->opened().last_sequence, 60U) << "byte " << at;
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(harmless, 20);
}

TEST(Damage, a_lease_changed_behind_our_back_is_refused) {
  for (const char* sql : {"UPDATE leases SET model='other' WHERE id='l-000000000002'",
                          "UPDATE leases SET state=1 WHERE id='l-000000000002'",
                          "UPDATE leases SET sequence=1000 WHERE id='l-000000000002'",
                          "UPDATE leases SET body=zeroblob(10) WHERE id='l-000000000002'",
                          "UPDATE meta SET boot_id='another'", "UPDATE meta SET last_sequence=9",
                          "DELETE FROM meta", "DROP TABLE readings"}) {
    TempDir dir;
    make_database(dir, 3);
    run_sql(dir.database(), sql);
    const auto store = Store::open(dir.path(), options_for_test());
    ASSERT_FALSE(store) << sql;
    EXPECT_THAT(store.error().what, HasSubstr("damaged")) << sql;
  }
}

TEST(Damage, a_newer_database_is_refused_with_both_versions_and_not_one_byte_changes) {
  TempDir dir;
  make_database(dir, 3);
  run_sql(dir.database(), "PRAGMA user_version=99");
  const std::string before = file_bytes(dir.database());
  const auto names = names_in(dir.path());
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::refused);
  EXPECT_THAT(store.error().what, HasSubstr("schema 99, this one knows 2"));
  EXPECT_THAT(store.error().what, HasSubstr(dir.database()));
  EXPECT_EQ(file_bytes(dir.database()), before);
  EXPECT_EQ(names_in(dir.path()), names);
}

TEST(Damage, another_programs_database_is_refused_and_left_alone) {
  TempDir dir;
  run_sql(dir.database(), "CREATE TABLE cookies(x); INSERT INTO cookies VALUES(1)");
  const std::string before = file_bytes(dir.database());
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().what, HasSubstr("another program"));
  EXPECT_EQ(file_bytes(dir.database()), before);
}

TEST(Damage, a_log_without_its_database_is_kept_and_not_replayed) {
  TempDir dir;
  write_bytes(dir.database() + "-wal", "what was left of a deleted database");
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_TRUE(store) << store.error().sentence();
  bool kept = false;
  for (const std::string& name : names_in(dir.path())) {
    kept |= name.find(".corrupt-") != std::string::npos;
  }
  EXPECT_TRUE(kept);
}

TEST(Damage, the_log_of_a_damaged_database_is_not_written_into_it) {
  TempDir dir;
  make_killed_database(dir.path());
  std::string bytes = file_bytes(dir.database());
  bytes[20] = 7;      // "reserved space a page": no page can be read any more
  bytes[100] = 0x7f;  // the kind of the schema's page
  write_bytes(dir.database(), bytes);
  const std::string log = file_bytes(dir.database() + "-wal");
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_FALSE(store);
  EXPECT_EQ(file_bytes(dir.database()), bytes);
  EXPECT_EQ(file_bytes(dir.database() + "-wal"), log);
}

TEST(Damage, leftovers_of_a_start_that_was_killed_are_swept) {
  TempDir dir;
  write_bytes(dir.database() + ".new", "half a database");
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_TRUE(store) << store.error().sentence();
  for (const std::string& name : names_in(dir.path())) EXPECT_NE(name, "estiva.db.new");
}

}  // namespace
}  // namespace estiva::store
