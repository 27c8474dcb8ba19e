// The journal, and what becomes of each file after a crash.
#include "memd/journal.h"

#include "memd/recover.h"
#include "unit/memd/memd_fixture.h"

namespace estiva::memd {

namespace {

class Journals : public MemdTest {};

AreaFile whole(std::uint64_t inode) {
  AreaFile file;
  file.kind = FileKind::ours;
  file.size = 1 << 20;
  file.inode = inode;
  file.device = 9;
  file.uuid = {1, 2, 3};
  return file;
}

AreaFile active(std::uint64_t inode) {
  AreaFile file = whole(inode);
  file.is_active = true;
  return file;
}

AreaFile of_kind(FileKind kind) {
  AreaFile file = whole(7);
  file.kind = kind;
  return file;
}

JournalRow row(JournalStep step, std::uint64_t inode) {
  JournalRow out;
  out.step = step;
  out.inode = inode;
  out.device = 9;
  out.uuid = {1, 2, 3};
  return out;
}

}  // namespace

TEST_F(Journals, KeepWhatWasNoted) {
  {
    auto journal = Journal::open(file("journal"));
    ASSERT_TRUE(journal) << journal.error().sentence();
    ASSERT_TRUE(journal->note(2, JournalStep::made, whole(7)));
    ASSERT_TRUE(journal->note(8, JournalStep::active, whole(8)));
  }
  auto again = Journal::open(file("journal"));
  ASSERT_TRUE(again);
  const JournalRows rows = again->read();
  EXPECT_EQ(rows[1].step, JournalStep::made);
  EXPECT_EQ(rows[1].inode, 7U);
  EXPECT_EQ(rows[7].step, JournalStep::active);
  EXPECT_EQ(rows[0].step, JournalStep::none);
  ASSERT_TRUE(again->note(2, JournalStep::active, whole(7)));
  EXPECT_GT(again->read()[1].sequence, rows[7].sequence);
}

TEST_F(Journals, HaveOneOwner) {
  const auto first = Journal::open(file("journal"));
  ASSERT_TRUE(first);
  const auto second = Journal::open(file("journal"));
  ASSERT_FALSE(second);
  EXPECT_EQ(exit_code(second.error().kind), 5);
}

TEST_F(Journals, DoNotBelieveRowsThatWereCutOff) {
  for (std::size_t cut = 0; cut < sizeof(JournalRow); ++cut) {
    std::filesystem::remove(file("journal"));
    ASSERT_TRUE(Journal::open(file("journal"))->note(1, JournalStep::made, whole(7)));
    const UniqueFd fd(open(file("journal").c_str(), O_RDWR));
    char byte = 0;
    ASSERT_EQ(pread(fd.get(), &byte, 1, static_cast<off_t>(cut)), 1);
    byte = static_cast<char>(~byte);
    ASSERT_EQ(pwrite(fd.get(), &byte, 1, static_cast<off_t>(cut)), 1);
    EXPECT_EQ(Journal::open(file("journal"))->read()[0].step, JournalStep::none) << cut;
  }
}

TEST(Recovering, DecidesForEachFile) {
  struct Case {
    const char* name;
    AreaFile file;
    JournalRow row;
    bool has_prepared;
    Recovery wanted;
  };
  const JournalRow none;
  const Case cases[] = {
      {"no file", of_kind(FileKind::absent), row(JournalStep::active, 7), false, Recovery::nothing},
      {"active, journal lost", active(7), none, false, Recovery::adopt},
      {"active, in the journal", active(7), row(JournalStep::active, 7), false, Recovery::adopt},
      {"killed in mid swapoff", active(7), row(JournalStep::retiring, 7), true, Recovery::adopt},
      {"active, journal of another file", active(7), row(JournalStep::active, 8), false,
       Recovery::leave},
      {"made, journal lost", whole(7), none, false, Recovery::reuse},
      {"a second one", whole(7), none, true, Recovery::remove},
      {"swapped off, not removed yet", whole(7), row(JournalStep::retiring, 7), false,
       Recovery::reuse},
      {"cut off", of_kind(FileKind::cut_off), row(JournalStep::intent, 0), false, Recovery::remove},
      {"intended, and whole", whole(7), row(JournalStep::intent, 0), false, Recovery::reuse},
      {"somebody put another file there", whole(7), row(JournalStep::made, 8), false,
       Recovery::leave},
      {"foreign", of_kind(FileKind::foreign), none, false, Recovery::leave},
      {"foreign and intended", of_kind(FileKind::foreign), row(JournalStep::intent, 0), false,
       Recovery::leave},
  };
  for (const Case& one : cases)
    EXPECT_EQ(recover_area(one.file, one.row, one.has_prepared), one.wanted) << one.name;
}

}  // namespace estiva::memd
