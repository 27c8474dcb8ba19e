#include "act/journal.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/messages/act.h"
#include "format/shell_word.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::act {
namespace {

namespace m = msg::act;
namespace fs = std::filesystem;

// Names in the folder, sorted.
Result<std::vector<std::string>> names_in(const std::string& dir) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(dir, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error && error.value() != ENOENT) {
    return fail_errno(fmt::format(m::kJournalFolder, dir), error.value(),
                      std::string(m::kJournalFolderHow));
  }
  std::sort(names.begin(), names.end());
  return names;
}

RunInfo info_of(const std::string& dir, const std::string& id) {
  RunInfo info;
  info.id = id;
  const auto log = RunLog::load(dir, id);
  if (!log) {
    info.problem = log.error().sentence();
    return info;
  }
  info.plan_id = log->plan().id;
  info.hash = log->plan().hash;
  info.begun_ns = log->begun_ns();
  info.phase = log->phase();
  info.steps = log->plan().steps.size();
  info.standing = log->standing();
  info.root = log->root();
  for (const StepLog& step : log->steps()) {
    info.done += step.done && !step.undone;
    info.left += step.is_left();
  }
  return info;
}

// What can't be read may be a run that stands: to go on would build on what nobody can take back.
Result<void> check_readable(const RunInfo& run, const std::string& dir) {
  if (run.problem.empty()) return {};
  std::string_view why = run.problem;
  while (why.ends_with('.')) why.remove_suffix(1);
  return fail(ErrorKind::failed, fmt::format(m::kRunUnread, run.id, why),
              fmt::format(m::kRunUnreadHow, format::escape_for_terminal(dir), run.id));
}

// Runs on other trees are not looked at.
Result<void> check_none_interrupted(const std::vector<RunInfo>& runs, const std::string& dir,
                                    std::string_view root) {
  for (const RunInfo& run : runs) {
    if (auto fine = check_readable(run, dir); !fine) return fine;
    if (run.root != root) continue;
    const std::string undo = command_for(run.plan_id, run.root, Next::undo);
    const std::string plan = format::escape_for_terminal(run.plan_id);
    if (run.phase == RunPhase::interrupted) {
      return fail(
          ErrorKind::refused, fmt::format(m::kInterrupted, run.id, plan, run.done, run.steps),
          fmt::format(m::kInterruptedHow, command_for(run.plan_id, run.root, Next::proceed), undo));
    }
    if (run.phase == RunPhase::undo_interrupted) {
      return fail(ErrorKind::refused, fmt::format(m::kInterruptedUndo, run.id, plan),
                  fmt::format(m::kInterruptedUndoHow, undo));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<RunInfo>> list_runs(const std::string& dir) {
  const auto names = names_in(dir);
  if (!names) return Failure(names.error());
  std::vector<RunInfo> runs;
  for (const std::string& name : *names) {
    if (is_run_id(name)) runs.push_back(info_of(dir, name));
  }
  return runs;
}

std::string root_of(const Machine& machine) {
  std::error_code error;
  const fs::path path = fs::canonical(machine.root.dir(), error);
  return error ? machine.root.dir() : path.string();
}

std::string command_for(std::string_view plan_id, std::string_view root, Next next) {
  const bool is_doctor = plan_id == "doctor";
  std::string command = fmt::format("estiva {}", plan_id);
  if (next == Next::undo) command += is_doctor ? " --undo" : " undo";
  if (next == Next::proceed) command += is_doctor ? " --fix --continue" : " apply --continue";
  if (root != "/") command += " --root " + format::shell_word(root);
  return format::escape_for_terminal(command);
}

Result<std::vector<RunInfo>> standing_runs(const std::string& dir, std::string_view plan_id,
                                           std::string_view root) {
  auto runs = list_runs(dir);
  if (!runs) return runs;
  for (const RunInfo& run : *runs)
    if (auto fine = check_readable(run, dir); !fine) return Failure(fine.error());
  std::erase_if(*runs, [&](const RunInfo& run) {
    return run.plan_id != plan_id || run.root != root || run.phase == RunPhase::undone;
  });
  std::reverse(runs->begin(), runs->end());
  return runs;
}

Result<Journal> Journal::open(const std::string& dir) {
  if (auto made = host::ensure_dir(dir, 0700); !made) {
    Error error = made.error().in(fmt::format(m::kJournalFolder, dir));
    error.remedy = m::kJournalFolderHow;
    return Failure(std::move(error));
  }
  Journal journal(dir);
  const std::string path = dir + "/lock";
  journal.lock_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!journal.lock_) {
    return fail_errno(fmt::format(m::kJournalFolder, dir), errno,
                      std::string(m::kJournalFolderHow));
  }
  if (::flock(journal.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorKind::refused, fmt::format(m::kJournalBusy, path),
                std::string(m::kJournalBusyHow));
  }
  return journal;
}

Result<RunLog> Journal::begin(const Plan& plan, const std::string& root) {
  auto runs = list_runs(dir_);
  if (!runs) return Failure(runs.error());
  if (auto fine = check_none_interrupted(*runs, dir_, root); !fine) return Failure(fine.error());
  if (auto pruned = prune(kUndoneKept); !pruned) return Failure(pruned.error());
  runs = list_runs(dir_);
  if (!runs) return Failure(runs.error());
  if (runs->size() >= kMostRuns) {
    return fail(ErrorKind::refused, fmt::format(m::kTooManyRuns, dir_, runs->size()),
                std::string(m::kTooManyRunsHow));
  }
  const std::uint64_t last = runs->empty() ? 0 : format::parse_u64(runs->back().id).value_or(0);
  return RunLog::make(dir_, fmt::format("{:06}", last + 1), plan, root);
}

Result<void> Journal::prune(std::size_t keep) {
  const auto names = names_in(dir_);
  auto runs = list_runs(dir_);
  if (!names) return Failure(names.error());
  if (!runs) return Failure(runs.error());
  std::vector<std::string> gone;
  for (const std::string& name : *names) {
    if (name.starts_with("new-")) gone.push_back(name);  // a crash cut its making off
  }
  std::erase_if(*runs, [](const RunInfo& run) {
    return !run.problem.empty() || run.phase != RunPhase::undone;
  });
  for (std::size_t i = 0; i + keep < runs->size(); ++i) gone.push_back((*runs)[i].id);
  for (const std::string& name : gone) {
    std::error_code error;
    fs::remove_all(fmt::format("{}/{}", dir_, name), error);
    if (error) {
      return fail_errno(fmt::format(m::kJournalWrite, dir_), error.value(),
                        std::string(m::kJournalWriteHow));
    }
  }
  return {};
}

}  // namespace estiva::act
