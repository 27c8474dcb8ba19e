// The journal's own files: torn and damaged lines, pruning, limits.
#include "act/journal.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <rapidcheck.h>
#include <sys/stat.h>

#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

Record full_record() {
  Record record;
  record.kind = RecordKind::done;
  record.step = 7;
  record.at_ns = 123;
  record.path = "/etc/\xff\n";
  record.temp = ".t";
  record.made = {"/a", "/a/\xfe"};
  record.saved = "7";
  record.before.is = State::Is::file;
  record.before.sha256 = "00";
  record.before.size = 5;
  record.before.mode = 04755;
  record.before.uid = 1, record.before.gid = 2;
  record.before.modified_ns = -1;
  record.before.attributes = {{"user.x", std::string("\0\xff", 2)}};
  record.after.is = State::Is::word;
  record.after.word = "hex:enabled";
  record.after.leads_to = "l", record.after.node = "c 1 3";
  record.after.links = {{"/etc/a", "../b"}};
  record.after.names = {"/etc/x"};
  record.text = "a \"text\"";
  return record;
}

TEST(Records, SurviveTheLine) {
  const Record record = full_record();
  const std::string line = record_to_line(record);
  ASSERT_TRUE(line.ends_with('\n'));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto back = record_from_line(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, record);
}

TEST(Records, OneChangedBitIsSeen) {
  const std::string line = record_to_line(full_record());
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    std::string bad = line.substr(0, line.size() - 1);
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(record_from_line(bad)) << i;
    EXPECT_FALSE(record_from_line(std::string_view(line).substr(0, i))) << i;
  }
}

class Journals : public ActTest {
 protected:
  std::string records(const std::string& run) { return journal_ + "/" + run + "/records"; }
};

TEST_F(Journals, ATornLineAtAnyLengthIsLeftOut) {
  put("/etc/a", "1");
  const auto before = now();
  const auto run = applied(plan_of({write_step("/etc/a", "2"), write_step("/etc/b", "2")}));
  const std::string whole = slurp(records(run));
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;  // where `finished` begins
  for (std::size_t size = last; size < whole.size(); ++size) {
    std::ofstream(records(run)) << whole.substr(0, size);
    EXPECT_EQ(phase_of(run), RunPhase::interrupted) << size;
  }
  // Also one that has its end and not its middle, as a disk may leave it.
  std::ofstream(records(run)) << whole.substr(0, last) << std::string(40, '\0') << "\n";
  EXPECT_EQ(phase_of(run), RunPhase::interrupted);
  ASSERT_TRUE(continue_run(machine_, journal_, run));
  EXPECT_EQ(phase_of(run), RunPhase::applied);
  expect_undone(run, before);
}

TEST_F(Journals, DamageInTheMiddleIsSaidAndNothingIsTouched) {
  const auto run = applied(plan_of({write_step("/etc/a", "2"), write_step("/etc/b", "2")}));
  std::string text = slurp(records(run));
  text[text.find('\n') + 20] ^= 1;  // in the second line
  std::ofstream(records(run)) << text;
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().what, "the journal " + records(run) +
                                     " is damaged in line 2, so this run can't be continued or "
                                     "undone by itself");
  EXPECT_EQ(content("/etc/a"), "2");
  const auto runs = list_runs(journal_);
  ASSERT_TRUE(runs && runs->size() == 1);
  EXPECT_NE((*runs)[0].problem, "");
  EXPECT_FALSE(standing_runs(journal_, "test", "/")) << "it may stand";
  const auto next = do_it(plan_of({write_step("/etc/c", "1")}));
  ASSERT_FALSE(next) << "nothing is built on what nobody can take back";
  EXPECT_NE(next.error().what.find("is damaged in line 2"), std::string::npos);
  EXPECT_NE(next.error().remedy.find("move " + journal_ + "/" + run + " away"), std::string::npos);
}

TEST_F(Journals, ANewerJournalIsLeftAlone) {
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  std::string text = slurp(records(run));
  std::ofstream(records(run)) << "estiva-journal 2 5\nwhatever\n";
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().what,
            "the journal " + records(run) +
                " was written by a newer estiva (version 2, this one knows 1)");
}

TEST_F(Journals, AChangedPlanIsSeen) {
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  const std::string path = journal_ + "/" + run + "/plan.json";
  std::string text = slurp(path);
  text.replace(text.find("/etc/a"), 6, "/etc/x");
  std::ofstream(path) << text;
  EXPECT_FALSE(undo_it(run));
  std::ofstream(path) << "{";
  EXPECT_FALSE(undo_it(run));
  EXPECT_EQ(content("/etc/a"), "2");
}

TEST_F(Journals, NobodyElseMayReadWhatWasSaved) {
  put("/etc/a", "secret");
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  for (const auto& entry : fs::recursive_directory_iterator(journal_)) {
    struct stat info {};
    ::stat(entry.path().c_str(), &info);
    EXPECT_EQ(info.st_mode & 077, 0u) << entry.path();
  }
  struct stat info {};
  ::stat(journal_.c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  EXPECT_EQ(slurp(journal_ + "/" + run + "/saved/0"), "secret");
}

TEST_F(Journals, PruningKeepsWhatCanBeUndoneAndTheNewest) {
  const auto stands = applied(plan_of({write_step("/etc/keep", "x")}));
  std::vector<std::string> undone;
  for (std::size_t i = 0; i < kUndoneKept + 1; ++i) {
    undone.push_back(applied(plan_of({write_step("/etc/a", fmt::format("{}", i))})));
    ASSERT_TRUE(undo_it(undone.back()));
  }
  fs::create_directories(journal_ + "/new-000099/saved");  // of a crash
  EXPECT_EQ(list_runs(journal_)->size(), kUndoneKept + 2);
  const auto last = applied(plan_of({write_step("/etc/b", "x")}));
  const auto runs = *list_runs(journal_);
  ASSERT_EQ(runs.size(), kUndoneKept + 2);
  EXPECT_EQ(runs.front().id, stands);
  EXPECT_EQ(runs[1].id, undone[1]);
  EXPECT_EQ(runs.back().id, last);
  EXPECT_FALSE(fs::exists(journal_ + "/new-000099"));
}

TEST_F(Journals, BeyondTheMostRunsNothingIsRun) {
  const auto first = applied(plan_of({write_step("/etc/a", "x")}));
  for (std::size_t i = 2; i < kMostRuns; ++i) {
    fs::create_directory_symlink(journal_ + "/" + first, fmt::format("{}/{:06}", journal_, i));
  }
  EXPECT_TRUE(do_it(plan_of({write_step("/etc/b", "x")})));  // the last one
  const auto report = do_it(plan_of({write_step("/etc/c", "x")}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  EXPECT_FALSE(fs::exists(at("/etc/c")));
}

TEST_F(Journals, AFolderThatCantBeMadeIsSaid) {
  std::ofstream(state_.path() + "/file") << "x";
  journal_ = state_.path() + "/file/plans";
  const auto report = do_it(plan_of({write_step("/etc/a", "x")}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().remedy,
            "Run this as root, or name another folder with ESTIVA_STATE_DIR");
  EXPECT_FALSE(fs::exists(at("/etc/a")));
}

}  // namespace
}  // namespace estiva::act::test
