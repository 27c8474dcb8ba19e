// From one schema to the next: on a copy, all or nothing, and the way back stays open. The schema
// after the current one is made up here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/database.h"
#include "unit/store/fault_vfs.h"
#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Schema next_schema() {
  Schema schema = current_schema();
  schema.version += 1;
  schema.create += "ALTER TABLE readings ADD COLUMN note TEXT;";
  schema.upgrades.push_back("ALTER TABLE readings ADD COLUMN note TEXT;");
  return schema;
}

Place place_of(const TempDir& dir) {
  return {dir.path(), dir.database()};
}

std::vector<Lease> make_database(const TempDir& dir) {
  auto store = Store::open(dir.path(), options_for_test());
  EXPECT_TRUE(store) << store.error().sentence();
  for (std::uint64_t n = 1; n <= 3; ++n) {
    EXPECT_TRUE(submit_and_wait(**store, Write::grant(lease_for_test(n))));
  }
  return {lease_for_test(1), lease_for_test(2), lease_for_test(3)};
}

Result<std::unique_ptr<Database>> open_next(const TempDir& dir, Opened& opened,
                                            const Schema& schema = next_schema()) {
  return Database::open(place_of(dir), options_for_test(), schema, opened);
}

TEST(Migration, an_older_database_is_brought_forward_and_the_old_file_is_kept) {
  TempDir dir, back;
  const auto leases = make_database(dir);
  Opened opened;
  {
    auto database = open_next(dir, opened);
    ASSERT_TRUE(database) << database.error().sentence();
  }
  EXPECT_EQ(opened.migrated_from, 2);
  EXPECT_EQ(opened.leases, leases);
  EXPECT_EQ(opened.kept_copy, dir.database() + ".v2");
  EXPECT_EQ(run_sql(dir.database(), "PRAGMA user_version"), "3");

  // One version back stays readable: the estiva before can go on with the copy.
  write_bytes(back.database(), file_bytes(opened.kept_copy));
  auto old = Store::open(back.path(), options_for_test());
  ASSERT_TRUE(old) << old.error().sentence();
  EXPECT_EQ((*old)->opened().leases, leases);

  Opened again;
  ASSERT_TRUE(open_next(dir, again));
  EXPECT_EQ(again.migrated_from, 0);
  EXPECT_EQ(again.leases, leases);
}

TEST(Migration, what_only_the_log_holds_is_brought_along) {
  TempDir dir;
  make_killed_database(dir.path());
  Opened opened;
  auto database = open_next(dir, opened);
  ASSERT_TRUE(database) << database.error().sentence();
  EXPECT_EQ(opened.leases.size(), 3U);
  EXPECT_EQ(opened.last_sequence, 3U);
}

TEST(Migration, an_upgrade_that_fails_changes_nothing) {
  TempDir dir;
  const auto leases = make_database(dir);
  const auto names = names_in(dir.path());
  Schema schema = next_schema();
  schema.upgrades.back() = "ALTER TABLE readings ADD COLUMN note TEXT; UPDATE nothing SET x=1;";
  Opened opened;
  const auto database = open_next(dir, opened, schema);
  ASSERT_FALSE(database);
  EXPECT_THAT(database.error().what, HasSubstr("from schema 2 to 3 failed"));
  EXPECT_EQ(names_in(dir.path()), names);
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_TRUE(store) << store.error().sentence();
  EXPECT_EQ((*store)->opened().leases, leases);
}

TEST(Migration, a_disk_that_fills_up_at_any_write_of_it_changes_nothing) {
  install_fault_vfs();
  Options options = options_for_test();
  options.vfs = kFaultVfs;
  bool succeeded = false;
  for (int nth = 1; nth < 200 && !succeeded; ++nth) {
    TempDir dir;
    make_killed_database(dir.path());
    set_fault(Fault::full, nth);
    Opened opened;
    {
      const auto database = Database::open(place_of(dir), options, next_schema(), opened);
      succeeded = database.has_value();
      set_fault(Fault::none);
    }
    if (succeeded) break;
    EXPECT_THAT(names_in(dir.path()), testing::Not(testing::Contains("estiva.db.migrating")));
    Opened after;
    const auto again = open_next(dir, after);
    ASSERT_TRUE(again) << "write " << nth << ": " << again.error().sentence();
    EXPECT_EQ(after.leases.size(), 3U) << "write " << nth;
  }
  EXPECT_TRUE(succeeded);
}

// What version 0.1 wrote before notes were kept.
TEST(Migration, a_database_of_version_1_gets_room_for_notes) {
  TempDir dir;
  Schema first = current_schema();
  first.version = 1;
  first.create = first.create.substr(0, first.create.size() - current_schema().upgrades[0].size());
  first.upgrades.clear();
  ASSERT_TRUE(prepare_file(place_of(dir), first, {}));
  EXPECT_EQ(run_sql(dir.database(), "SELECT count(*) FROM sqlite_schema WHERE name='notes'"), "0");
  {
    auto store = Store::open(dir.path(), options_for_test());
    ASSERT_TRUE(store) << store.error().sentence();
    EXPECT_EQ((*store)->opened().migrated_from, 1);
    EXPECT_TRUE(submit_and_wait(**store, Write::note("a", "kept")));
  }
  auto again = Store::open(dir.path(), options_for_test());
  ASSERT_TRUE(again) << again.error().sentence();
  EXPECT_EQ((*again)->opened().notes.at("a"), "kept");
}

TEST(Migration, a_version_without_a_way_forward_is_refused_and_left_alone) {
  TempDir dir;
  make_database(dir);
  const std::string before = file_bytes(dir.database());
  Schema schema = next_schema();
  schema.version = 4;
  schema.oldest_version = 3;
  Opened opened;
  const auto database = open_next(dir, opened, schema);
  ASSERT_FALSE(database);
  EXPECT_THAT(database.error().what, HasSubstr("schema 2"));
  EXPECT_THAT(database.error().what, HasSubstr("(it knows 4)"));
  EXPECT_EQ(file_bytes(dir.database()), before);
}

TEST(Migration, a_damaged_old_database_is_not_migrated) {
  TempDir dir;
  make_database(dir);
  std::string bytes = file_bytes(dir.database());
  bytes.replace(4096, 4096, std::string(4096, '\xaa'));
  write_bytes(dir.database(), bytes);
  Opened opened;
  const auto database = open_next(dir, opened);
  ASSERT_FALSE(database);
  EXPECT_THAT(database.error().what, HasSubstr("damaged"));
  EXPECT_EQ(file_bytes(dir.database()), bytes);
}

TEST(Migration, a_newer_database_with_its_log_is_left_alone) {
  TempDir dir;
  make_database(dir);
  Opened opened;
  { ASSERT_TRUE(open_next(dir, opened)); }
  write_bytes(dir.database() + "-wal", "the newer one's log");
  const std::string before = file_bytes(dir.database());
  const auto store = Store::open(dir.path(), options_for_test());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().what, HasSubstr("schema 3, this one knows 2"));
  EXPECT_THAT(store.error().remedy, HasSubstr("estiva.db.v2"));
  EXPECT_EQ(file_bytes(dir.database()), before);
  EXPECT_EQ(file_bytes(dir.database() + "-wal"), "the newer one's log");
}

}  // namespace
}  // namespace estiva::store
