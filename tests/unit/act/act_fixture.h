// A small host tree in a folder of the test's own, a journal beside it, and stand-ins for
// systemctl, modprobe and rmmod that keep all they know in files, so that a test can die and look
// again.
#pragma once
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "act/apply.h"
#include "act/journal.h"
#include "act/status.h"
#include "act/undo.h"
#include "format/plan_text.h"
#include "format/sha256.h"
#include "unit/host/temp_dir.h"

namespace estiva::act::test {

using estiva::test::TempDir;

// The bytes of a file; empty where there is none.
std::string slurp(const std::string& path);
// Everything below a folder: path -> type, mode, owner, time, attributes, content or target.
std::map<std::string, std::string> snapshot(const std::string& dir);
// The paths that differ, for a message; empty: none.
std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& after);

// systemctl as far as the steps use it, on the units below ROOT/etc and ROOT/usr/lib; which unit
// is active is a file in ROOT/run/fake-active. modprobe and rmmod edit ROOT/proc/modules.
class FakeCommands final : public CommandRunner {
 public:
  explicit FakeCommands(std::string root) : root_(std::move(root)) {}
  Result<CommandEnd> run(const Command& command) override;

  std::vector<std::string> calls;  // "systemctl start a.service"; questions are left out
  std::set<std::string> failing;   // calls that end with exit code 1
  std::set<std::string> missing;   // programs that are not there
  std::map<std::string, std::string> companions;  // module -> module that is loaded with it

 private:
  CommandEnd systemctl(std::vector<std::string> words);
  CommandEnd enable(const std::string& unit, bool on);
  CommandEnd modules(const std::string& program, const std::string& name);
  std::string root_;
};

class ActTest : public testing::Test {
 public:
  ActTest();

  // Writes a file of the tree.
  std::string put(const std::string& path, const std::string& content) const {
    return tree_.write(path.substr(1), content);
  }
  std::string at(const std::string& path) const { return tree_.path() + path; }
  std::string content(const std::string& path) const;
  std::map<std::string, std::string> now() const { return snapshot(tree_.path()); }

  Result<RunReport> do_it(const Plan& plan) { return apply(machine_, journal_, plan); }
  // Applies it, and fails the test where that fails; the run's id.
  std::string applied(const Plan& plan);
  Result<RunReport> undo_it(const std::string& run, UndoOptions options = {}) {
    return undo(machine_, journal_, run, options);
  }
  // Undoes it, and expects the tree to be as it was.
  void expect_undone(const std::string& run, const std::map<std::string, std::string>& before);
  // The phase of a run as the journal's list tells it.
  RunPhase phase_of(const std::string& run) const;

  TempDir tree_, state_;
  std::string journal_;
  host::Root root_;
  FakeCommands commands_;
  Machine machine_;
};

// Steps, with the hash set at the end.
Plan plan_of(std::vector<Step> steps, const std::string& id = "test");
Step write_step(const std::string& target, const std::string& content,
                const std::string& expects = {});
Step step_of(StepKind kind, const std::string& target, const std::string& content = {});

// "not root: ..." where only root can do what the test needs; empty: we are root.
inline std::string needs_root(const std::string& what) {
  return ::geteuid() == 0 ? std::string() : "not root: " + what;
}

}  // namespace estiva::act::test
