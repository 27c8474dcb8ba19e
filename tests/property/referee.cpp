#include "property/referee.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace estiva::property {

using decide::AssignRequest;
using decide::Cause;
using decide::Choice;
using decide::Decision;
using decide::Ledger;
using decide::Verdict;

const char* to_name(Rule rule) {
  switch (rule) {
    case Rule::overcommit:
      return "overcommit";
    case Rule::wrongly_no:
      return "wrongly_no";
    case Rule::evidence:
      return "evidence";
    case Rule::recovery:
      return "recovery";
    case Rule::honesty:
      return "honesty";
    case Rule::arithmetic:
      return "arithmetic";
    case Rule::choice:
      return "choice";
    case Rule::kCount:
      break;
  }
  return "?";
}

std::string key_of(int gpu) {
  return std::string("GPU-") + static_cast<char>('0' + gpu);
}
int gpu_of(const std::string& key) {
  return key.back() - '0';
}

void Referee::violated(Rule rule, std::string what) {
  ++counts_[static_cast<std::size_t>(rule)];
  violations_.push_back(fmt::format("{}: {}", to_name(rule), what));
}

Promise* Referee::find(const std::string& id) {
  for (Promise& promise : promises_)
    if (promise.id == id) return &promise;
  return nullptr;
}

Promise* Referee::live(const std::string& model) {
  for (Promise& promise : promises_)
    if (promise.model == model && !promise.releasing) return &promise;
  return nullptr;
}

std::uint64_t Referee::remainder(const Promise& promise, int gpu) const {
  if (promise.releasing) return 0;
  return promise.declared[gpu] - std::min(promise.declared[gpu], promise.seen[gpu]);
}

std::uint64_t Referee::promised_unseen(int gpu) const {
  std::uint64_t sum = 0;
  for (const Promise& promise : promises_) sum += remainder(promise, gpu);
  return sum;
}

std::int64_t Referee::room(int gpu, bool with_credit) const {
  if (snapshot_.lost[gpu]) return -1;
  const std::uint64_t taken =
      snapshot_.used[gpu] + promised_unseen(gpu) + (with_credit ? 0 : given_back(gpu));
  return static_cast<std::int64_t>(model_.capacity(gpu)) - static_cast<std::int64_t>(taken);
}

void Referee::give_back(const Promise& promise, std::int64_t now) {
  for (int g : promise.gpus) given_back_[g].emplace(now, remainder(promise, g));
}

// What was given back later than the last read was begun: nobody has looked at that yet.
std::uint64_t Referee::given_back(int gpu) const {
  const auto& all = given_back_[gpu];
  std::uint64_t sum = 0;
  for (auto it = all.upper_bound(snapshot_.begun_at); it != all.end(); ++it) sum += it->second;
  return sum;
}

void Referee::grown(const std::string& id, int gpu, std::uint64_t declared) {
  find(id)->declared[gpu] = declared;
}
void Referee::shrunk(const std::string& id, int gpu, std::uint64_t declared, std::int64_t now) {
  Promise* promise = find(id);
  const std::uint64_t before = remainder(*promise, gpu);
  promise->declared[gpu] = std::min(promise->declared[gpu], declared);
  given_back_[gpu].emplace(now, before - remainder(*promise, gpu));
}
void Referee::bound(const std::string& id, int holder) {
  find(id)->holder = holder;
}

void Referee::released(const std::string& id, std::int64_t now) {
  Promise* promise = find(id);
  if (!promise || promise->releasing) return;
  give_back(*promise, now);
  promise->releasing = true;
  promise->changed_at = now;
  const bool seen = std::any_of(promise->gpus.begin(), promise->gpus.end(),
                                [&](int g) { return promise->present[g]; });
  // Before a GPU's first read after a start nobody knows what a holder has there.
  const bool unknown =
      promise->holder != kNobody && std::any_of(promise->gpus.begin(), promise->gpus.end(),
                                                [&](int g) { return !read_once_[g]; });
  if (!seen && !unknown) std::erase_if(promises_, [&](const Promise& p) { return p.id == id; });
}

void Referee::holder_died(const std::string& id, std::int64_t now) {
  Promise* promise = find(id);
  if (!promise) return;
  if (!promise->releasing) give_back(*promise, now);
  promise->releasing = promise->holder_gone = true;
  promise->changed_at = now;
}

void Referee::restarted(const std::vector<std::string>& journal, bool rebooted, std::int64_t now) {
  std::erase_if(promises_, [&](const Promise& promise) {
    return rebooted || std::find(journal.begin(), journal.end(), promise.id) == journal.end();
  });
  snapshot_ = looked_ = {};
  remembered_.clear();
  given_back_ = {};
  read_once_ = {};
  for (Promise& promise : promises_) {
    promise.seen = {};
    promise.present = {};
    promise.changed_at = now;
    promise.holder_gone = promise.holder != kNobody && !model_.process(promise.holder).alive;
    promise.releasing = promise.releasing || promise.holder_gone;
  }
}

std::string Referee::owner_of(int process) const {
  for (int id = process; id != kNobody && model_.process(id).alive; id = model_.process(id).parent)
    for (auto promise = promises_.rbegin(); promise != promises_.rend(); ++promise)
      if (promise->holder == id) return promise->id;
  return {};
}

void Referee::read(std::int64_t begun_at) {
  looked_ = {};
  looked_.begun_at = begun_at;
  const auto& processes = model_.processes();
  looked_.owner.resize(processes.size());
  looked_.held.resize(processes.size());
  for (const Process& process : processes) looked_.dead.push_back(!process.alive);
  remembered_.resize(processes.size());
  for (int g = 0; g < model_.gpus(); ++g) {
    looked_.used[g] = model_.used(g);
    looked_.lost[g] = model_.lost(g);
  }
  for (std::size_t id = 0; id < processes.size(); ++id) {
    if (!processes[id].listed) continue;
    const std::string owner = owner_of(static_cast<int>(id));
    for (int g = 0; g < model_.gpus(); ++g) {
      if (processes[id].held[g] == 0) continue;
      looked_.held[id][g] = processes[id].held[g];
      looked_.owner[id][g] = owner;
    }
  }
}

// Whose the process was at the last read. A dead process that the driver still lists has no start
// time in procfs: if it had got the pid of one that was a lease's, nobody can tell the two apart,
// and the cautious answer is right until it leaves the list.
std::string Referee::remembered_owner(const std::vector<PerGpu<std::string>>& before,
                                      std::size_t id, int gpu) const {
  if (!before[id][gpu].empty() || !snapshot_.dead[id]) return before[id][gpu];
  for (std::size_t other = 0; other < id; ++other)
    if (model_.process(static_cast<int>(other)).pid == model_.process(static_cast<int>(id)).pid &&
        !before[other][gpu].empty())
      return before[other][gpu];
  return {};
}

void Referee::read_taken_in() {
  snapshot_ = std::move(looked_);
  looked_ = {};
  remembered_.resize(model_.processes().size());
  const auto before = remembered_;
  for (int g = 0; g < model_.gpus(); ++g) {
    if (snapshot_.lost[g]) continue;
    read_once_[g] = true;
    for (Promise& promise : promises_) {
      promise.seen[g] = 0;
      promise.present[g] = false;
    }
    for (std::size_t id = 0; id < snapshot_.owner.size(); ++id) {
      std::string owner = snapshot_.owner[id][g];
      if (snapshot_.held[id][g] > 0 && owner.empty()) owner = remembered_owner(before, id, g);
      Promise* promise = owner.empty() ? nullptr : find(owner);
      if (promise && promise->declared[g] == 0) promise = nullptr;
      remembered_[id][g] = promise ? owner : std::string();
      if (!promise) continue;
      promise->seen[g] += snapshot_.held[id][g];
      promise->present[g] = true;
    }
  }
  drop_departed();
}

// A releasing promise ends when a read begun after its release shows nothing of it. A lost GPU
// shows nothing to anybody: there the holder's end must do.
void Referee::drop_departed() {
  std::erase_if(promises_, [&](const Promise& promise) {
    if (!promise.releasing || snapshot_.begun_at < promise.changed_at) return false;
    return std::all_of(promise.gpus.begin(), promise.gpus.end(), [&](int g) {
      if (snapshot_.lost[g]) return promise.holder_gone || promise.holder == kNobody;
      return !promise.present[g];
    });
  });
}

void Referee::judge_accounts(const Ledger& ledger) {
  for (const decide::GpuAccount& account : ledger.accounts()) {
    const int g = gpu_of(account.id.key());
    if (snapshot_.begun_at < 0 || snapshot_.lost[g]) continue;
    const std::uint64_t expected = snapshot_.used[g] + promised_unseen(g);
    if (decide::committed(account).value != expected)
      violated(Rule::arithmetic, fmt::format("GPU {} commits {}, from scratch {}", g,
                                             decide::committed(account).value, expected));
    const std::int64_t free = std::max<std::int64_t>(0, room(g, false));
    if (decide::admissible(account, ledger.policy()).value != static_cast<std::uint64_t>(free))
      violated(Rule::arithmetic,
               fmt::format("GPU {} could grant {}, from scratch {}", g,
                           decide::admissible(account, ledger.policy()).value, free));
  }
}

void Referee::judge_leases(const Ledger& ledger, Rule rule) {
  std::set<std::string> expected, actual;
  for (const Promise& p : promises_) expected.insert(p.id + (p.releasing ? " releasing" : ""));
  for (const Lease& lease : ledger.leases())
    actual.insert(lease.id + (lease.state == LeaseState::releasing ? " releasing" : ""));
  if (expected != actual)
    violated(rule, fmt::format("the ledger has [{}] instead of [{}]", fmt::join(actual, ", "),
                               fmt::join(expected, ", ")));
}

void Referee::judge_overcommitted(const std::vector<std::string>& named) {
  for (int g = 0; g < model_.gpus(); ++g) {
    if (snapshot_.lost[g]) continue;
    const bool over = snapshot_.used[g] + promised_unseen(g) > model_.capacity(g);
    const bool said = std::find(named.begin(), named.end(), key_of(g)) != named.end();
    if (over != said)
      violated(Rule::honesty, fmt::format("GPU {} is {}overcommitted", g, over ? "" : "not "));
  }
}

// Every way to give the request's shares different GPUs with enough room, by trying all.
std::vector<std::vector<int>> Referee::fitting_choices(const AssignRequest& request) const {
  std::vector<std::vector<int>> choices{{}};
  for (const decide::ShareWanted& share : request.shares) {
    std::vector<std::vector<int>> longer;
    for (const auto& choice : choices)
      for (int g = 0; g < model_.gpus(); ++g) {
        if (share.gpu != "auto" && gpu_of(share.gpu) != g) continue;
        if (std::find(choice.begin(), choice.end(), g) != choice.end()) continue;
        if (room(g, true) < static_cast<std::int64_t>(share.bytes.value)) continue;
        longer.push_back(choice);
        longer.back().push_back(g);
      }
    choices = std::move(longer);
  }
  return choices;
}

void Referee::judge_assign(const Ledger& ledger, const AssignRequest& request,
                           const Decision& decision) {
  if (decision.verdict == Verdict::refused) {
    if (decision.cause != Cause::no_room && decision.cause != Cause::no_usable_gpu)
      violated(Rule::wrongly_no, fmt::format("{} refused for cause {}", request.model,
                                             static_cast<int>(decision.cause)));
    else if (const auto choices = fitting_choices(request); !choices.empty())
      violated(Rule::wrongly_no,
               fmt::format("{} ({} shares of {}) refused, fits on [{}]", request.model,
                           request.shares.size(), request.shares[0].bytes.value,
                           fmt::join(choices[0], ", ")));
    return;
  }
  if (decision.verdict != Verdict::granted)
    return violated(Rule::wrongly_no, fmt::format("{} got verdict {}", request.model,
                                                  static_cast<int>(decision.verdict)));
  std::set<int> distinct;
  for (const Share& share : decision.lease.shares) {
    const int g = gpu_of(share.device.key());
    distinct.insert(g);
    if (room(g, false) < static_cast<std::int64_t>(share.bytes.value))
      violated(Rule::overcommit, fmt::format("{} got {} on GPU {}, which has {}", request.model,
                                             share.bytes.value, g, room(g, false)));
  }
  if (distinct.size() != request.shares.size())
    violated(Rule::overcommit, request.model + " got the same GPU twice");
  if (snapshot_.begun_at < request.requested_at.ns)
    violated(Rule::overcommit, request.model + " was granted on a read older than the request");
  if (request.shares.size() != 1 || request.shares[0].gpu != "auto" ||
      request.choice == Choice::least_utilized)
    return;
  const int got = gpu_of(decision.lease.shares[0].device.key());
  for (int g = 0; g < model_.gpus(); ++g) {
    const bool would_do =
        room(g, false) >= static_cast<std::int64_t>(request.shares[0].bytes.value);
    const bool tighter =
        room(g, false) < room(got, false) || (room(g, false) == room(got, false) && g < got);
    if (would_do && tighter)
      violated(Rule::choice,
               fmt::format("{} is on GPU {}, packs better on {}", request.model, got, g));
  }
  static_cast<void>(ledger);
}

void Referee::judge_grow(const Promise& promise, std::uint64_t wanted, const Decision& decision) {
  bool fits = true, fits_strictly = true;
  for (int g : promise.gpus) {
    if (wanted <= promise.declared[g]) continue;
    const std::uint64_t had = std::max(promise.declared[g], promise.seen[g]);
    const auto extra = static_cast<std::int64_t>(std::max(had, wanted) - had);
    if (!usable(g)) fits = fits_strictly = false;
    if (extra > std::max<std::int64_t>(0, room(g, true))) fits = false;
    if (extra > std::max<std::int64_t>(0, room(g, false))) fits_strictly = false;
  }
  if (decision.verdict == Verdict::refused && fits)
    violated(Rule::wrongly_no, promise.model + " may not grow, and there is room");
  if (decision.verdict == Verdict::grown && !fits_strictly)
    violated(Rule::overcommit, promise.model + " grew where there is no room");
}

}  // namespace estiva::property
