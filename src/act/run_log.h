// One run of a plan in the journal: a folder with plan.json, records (a line each, on the disk
// before what it announces happens), saved/ (what was there) and, where the machine's own files
// are not what it changes, root (the tree's path). Not thread-safe; blocking.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "act/record.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "model/plan.h"

namespace estiva::act {

enum class RunPhase : std::uint8_t {
  interrupted,       // by a crash or a failure: to be continued or undone
  applied,           // all of it
  undo_interrupted,  // to be undone again
  partly_undone,     // something could not be undone
  undone,            // or left to the user, who said so; or nothing of it was done at all
};
std::string_view to_name(RunPhase phase);

// "000012", as runs are called; nothing else is ever part of a path.
bool is_run_id(std::string_view name);

// What the records say about one step.
struct StepLog {
  std::optional<Record> intent;  // the last one; what was said before it no longer counts
  std::optional<Record> done;
  std::optional<Record> undone;
  std::string failure;  // of the last try
  // It was not undone, because somebody had changed it, and nobody is asked about it any more.
  bool is_left() const { return undone && !undone->path.empty(); }
  // It failed, and nothing of it stays.
  bool is_void() const { return undone && !done && !failure.empty(); }
};

class RunLog {
 public:
  // A new folder `dir`/`id`: whole or not at all, whatever happens. `root` is the tree it changes.
  static Result<RunLog> make(const std::string& dir, const std::string& id, const Plan& plan,
                             const std::string& root);
  // Errors: not_found; damaged; written by a newer estiva. A line that a crash tore off is left
  // out, and overwritten by the next record.
  static Result<RunLog> load(const std::string& dir, const std::string& id);

  const std::string& id() const { return id_; }
  const Plan& plan() const { return plan_; }
  std::int64_t begun_ns() const { return begun_ns_; }
  const std::string& root() const { return root_; }
  RunPhase phase() const;
  std::vector<StepLog> steps() const;
  // Steps of which something may stand: an intent, and not undone.
  std::size_t standing() const;

  // Durable when it returns. On an error the journal is as it was.
  Result<void> append(Record record);
  // Keeps bytes under saved/`name`, durable when it returns.
  Result<void> save(const std::string& name, std::string_view bytes);
  // Errors: damaged, where they don't have this SHA-256.
  Result<std::string> saved(const std::string& name, const std::string& sha256,
                            const std::string& path) const;
  // For tests: called before and after each record is written.
  void set_boundary(std::function<void()> boundary) { boundary_ = std::move(boundary); }

 private:
  Result<void> open_records();
  Result<void> read_records();

  std::string folder_, id_, root_;
  Plan plan_;
  std::int64_t begun_ns_ = 0;
  std::vector<Record> records_;
  UniqueFd fd_;            // opened by the first append
  std::int64_t size_ = 0;  // of what is whole in the file
  std::function<void()> boundary_;
};

}  // namespace estiva::act
