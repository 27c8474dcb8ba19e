// The referee recomputes what the ledger should know from the model of the GPUs, from scratch at
// each question and by other means: it keeps promises and processes, and no sums. It looks at the
// ledger's answers only to judge them.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "decide/placement/ledger.h"
#include "property/gpu_model.h"

namespace estiva::property {

enum class Rule : std::uint8_t {
  overcommit,  // I1, I2: granted what was not there
  wrongly_no,  // refused what fits
  evidence,    // I4: credited too early or never
  recovery,    // I7: the ledger after a restart is not the journal intersected with reality
  honesty,     // I8: overcommitted and not named, or named and not overcommitted
  arithmetic,  // a sum of the ledger differs from the one made from scratch
  choice,      // fits, but not where the policy says
  kCount
};
const char* to_name(Rule rule);

struct Promise {
  std::string id, model;
  std::vector<int> gpus;
  PerGpu<std::uint64_t> declared{};
  int holder = kNobody;  // index of a Process
  bool releasing = false;
  bool holder_gone = false;
  std::int64_t changed_at = 0;
  PerGpu<std::uint64_t> seen{};  // evidence of the last read that the ledger took in
  PerGpu<bool> present{};
};

class Referee {
 public:
  explicit Referee(const GpuModel& model) : model_(model) {}

  // -- what happened --
  void promised(Promise promise) { promises_.push_back(std::move(promise)); }
  void grown(const std::string& id, int gpu, std::uint64_t declared);
  void shrunk(const std::string& id, int gpu, std::uint64_t declared, std::int64_t now);
  void bound(const std::string& id, int holder);
  void released(const std::string& id, std::int64_t now);
  void holder_died(const std::string& id, std::int64_t now);
  // The daemon was started anew. `journal` are the ids that are durable.
  void restarted(const std::vector<std::string>& journal, bool rebooted, std::int64_t now);
  // Looks at the model as a read does; what it saw counts once the ledger took the read in.
  void read(std::int64_t begun_at);
  void read_taken_in();

  // The lease that a process belongs to as procfs shows it: the holder or a descendant of it.
  std::string owner_of(int process) const;

  // -- what must be so --
  void judge_accounts(const decide::Ledger& ledger);
  void judge_leases(const decide::Ledger& ledger, Rule rule);
  void judge_overcommitted(const std::vector<std::string>& named);
  void judge_assign(const decide::Ledger& ledger, const decide::AssignRequest& request,
                    const decide::Decision& decision);
  void judge_grow(const Promise& promise, std::uint64_t wanted, const decide::Decision& decision);
  void violated(Rule rule, std::string what);

  // Free room for new promises, as of the last read taken in. What was given back since then
  // counts as free only with `with_credit`.
  std::int64_t room(int gpu, bool with_credit) const;
  std::uint64_t given_back(int gpu) const;
  bool usable(int gpu) const { return !snapshot_.lost[gpu]; }
  Promise* find(const std::string& id);
  Promise* live(const std::string& model);
  const std::vector<Promise>& promises() const { return promises_; }
  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t count(Rule rule) const { return counts_[static_cast<std::size_t>(rule)]; }

 private:
  struct Snapshot {
    std::int64_t begun_at = -1;
    PerGpu<std::uint64_t> used{};
    PerGpu<bool> lost{};
    std::vector<PerGpu<std::string>> owner;  // of each process on each GPU, by evidence
    std::vector<PerGpu<std::uint64_t>> held;
    std::vector<char> dead;
  };
  std::uint64_t remainder(const Promise& promise, int gpu) const;
  void give_back(const Promise& promise, std::int64_t now);
  std::uint64_t promised_unseen(int gpu) const;
  std::vector<std::vector<int>> fitting_choices(const decide::AssignRequest& request) const;
  void drop_departed();
  std::string remembered_owner(const std::vector<PerGpu<std::string>>& before, std::size_t id,
                               int gpu) const;

  const GpuModel& model_;
  std::vector<Promise> promises_;
  Snapshot snapshot_, looked_;
  std::vector<PerGpu<std::string>> remembered_;  // whose each process was at the last read
  PerGpu<bool> read_once_{};                     // since the daemon's start
  PerGpu<std::multimap<std::int64_t, std::uint64_t>> given_back_;  // by when
  std::vector<std::string> violations_;
  std::array<std::uint64_t, static_cast<std::size_t>(Rule::kCount)> counts_{};
};

// "GPU-0": the key under which the model's GPUs are shown.
std::string key_of(int gpu);
int gpu_of(const std::string& key);

}  // namespace estiva::property
