// Each hint is a hypothesis ("if these bytes were free") put to the same arithmetic that refused.
#include "decide/placement/hints.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include "base/messages/decide.h"
#include "decide/placement/choose.h"
#include "decide/placement/explain.h"
#include "decide/placement/selector.h"

namespace estiva::decide {
namespace {

using Freed = std::vector<Bytes>;

constexpr std::size_t kReleaseHints = 2;

class Hypotheses {
 public:
  Hypotheses(const Ledger& ledger, const AssignRequest& request, const LeaseEntry* growing)
      : ledger_(ledger), request_(request), growing_(growing), least_(least_needed()) {}

  Freed nothing() const { return Freed(ledger_.accounts().size()); }

  bool fits(const Freed& freed) const {
    if (!growing_) return choose_gpus(ledger_, request_, freed).cause == Cause::none;
    for (std::size_t i = 0; i < growing_->uses.size(); ++i) {
      const Use& use = growing_->uses[i];
      if (i < request_.shares.size() && room_on(ledger_, use.account, freed) < extra_of(use, i))
        return false;
    }
    return true;
  }

  // False where freeing so many bytes there can't turn the refusal into a grant, whatever else is
  // so: no part of the request would fit there even then. Most hypotheses end here. O(1).
  bool could_help(std::uint32_t account, Bytes freed) const {
    const GpuAccount& there = ledger_.accounts()[account];
    return there.unified ||
           (takes_more(there) && admissible(there, ledger_.policy(), freed) >= least_);
  }
  // The same for what leaves the accounts if the lease goes, on top of what left them already.
  bool could_help(const LeaseEntry& entry, const Freed& freed) const {
    return std::any_of(entry.uses.begin(), entry.uses.end(), [&](const Use& use) {
      return could_help(use.account, freed[use.account] + held(use));
    });
  }

  // What leaves the accounts if the lease goes.
  static void add(Freed& freed, const LeaseEntry& entry) {
    for (const Use& use : entry.uses) freed[use.account] += held(use);
  }
  static void take_back(Freed& freed, const LeaseEntry& entry) {
    for (const Use& use : entry.uses) freed[use.account] -= held(use);
  }

  // The GPUs on which the request would be placed; empty where shares of RAM may move about, or
  // the model has its GPUs already.
  std::vector<std::uint32_t> places(const Freed& freed) const {
    for (const GpuAccount& account : ledger_.accounts())
      if (account.unified) return {};
    return growing_ ? std::vector<std::uint32_t>{} : choose_gpus(ledger_, request_, freed).accounts;
  }

  // The largest size of each share that would be granted; nothing where shares differ.
  Bytes largest_that_fits() const {
    if (growing_) return largest_growth();
    if (!all_alike()) return {};
    std::vector<Bytes> rooms, in_ram;
    for (const std::uint32_t i : candidates())
      (ledger_.accounts()[i].unified ? in_ram : rooms).push_back(room_on(ledger_, i, {}));
    // Of n shares that come out of one RAM each can have an nth part of it.
    std::sort(in_ram.begin(), in_ram.end());
    for (std::size_t n = 1; n <= in_ram.size(); ++n)
      rooms.push_back({in_ram[in_ram.size() - n].value / n});
    std::sort(rooms.rbegin(), rooms.rend());
    const std::size_t n = request_.shares.size();
    if (rooms.size() < n) return {};
    return rooms[n - 1] - ledger_.policy().context_allowance;
  }

  const Ledger& ledger() const { return ledger_; }
  const AssignRequest& request() const { return request_; }
  const LeaseEntry* growing() const { return growing_; }

 private:
  static Bytes held(const Use& use) { return std::max(use.charge, use.measured); }

  // What the smallest part of the request needs.
  Bytes least_needed() const {
    Bytes least{UINT64_MAX};
    for (std::size_t i = 0; i < request_.shares.size(); ++i) {
      if (!growing_)
        least = std::min(least, request_.shares[i].bytes + ledger_.policy().context_allowance);
      else if (i < growing_->uses.size())
        least = std::min(least, extra_of(growing_->uses[i], i));
    }
    return least;
  }

  Bytes extra_of(const Use& use, std::size_t share) const {
    const Bytes held = std::max(use.declared, use.measured);
    return std::max(held, request_.shares[share].bytes) - held;
  }

  Bytes largest_growth() const {
    if (growing_->uses.size() != 1) return {};
    const Use& use = growing_->uses.front();
    const Bytes most = std::max(use.declared, use.measured) + room_on(ledger_, use.account, {});
    return most > use.declared ? most : Bytes{};
  }

  bool all_alike() const {
    return std::all_of(request_.shares.begin(), request_.shares.end(), [&](const ShareWanted& s) {
      return s.bytes == request_.shares.front().bytes &&
             (is_auto(s.gpu) || request_.shares.size() == 1);
    });
  }

  // The GPUs that the first share may go to.
  std::vector<std::uint32_t> candidates() const {
    const std::string& name = request_.shares.front().gpu;
    if (!is_auto(name)) return find_gpus(ledger_.accounts(), name);
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < ledger_.accounts().size(); ++i)
      if (takes_more(ledger_.accounts()[i])) all.push_back(i);
    return all;
  }

  const Ledger& ledger_;
  const AssignRequest& request_;
  const LeaseEntry* growing_;
  Bytes least_;
};

std::string_view state_words(const LeaseEntry& entry) {
  if (entry.lease.state == LeaseState::releasing) return msg::kLeaving;
  if (entry.lease.state == LeaseState::reserved) return msg::kNotLoaded;
  for (const Use& use : entry.uses)
    for (const Use::Seen& process : use.processes)
      if (!process.idle) return msg::kInUse;
  return msg::kIdle;
}

// What is easier to give up comes first: leaving, not loaded, idle, in use; then the smaller.
int reluctance(const LeaseEntry& entry) {
  const std::string_view state = state_words(entry);
  if (state == msg::kLeaving) return 0;
  if (state == msg::kNotLoaded) return 1;
  return state == msg::kIdle ? 2 : 3;
}

std::vector<const LeaseEntry*> others_easiest_first(const Hypotheses& what_if) {
  struct Other {
    int reluctance;
    Bytes charged;
    const LeaseEntry* entry;
  };
  std::vector<Other> sorted;
  for (const auto& [id, entry] : what_if.ledger().entries())
    if (&entry != what_if.growing())
      sorted.push_back({reluctance(entry), bytes_of(entry).charged, &entry});
  std::stable_sort(sorted.begin(), sorted.end(), [](const Other& a, const Other& b) {
    return a.reluctance != b.reluctance ? a.reluctance < b.reluctance : a.charged < b.charged;
  });
  std::vector<const LeaseEntry*> others;
  for (const Other& other : sorted) others.push_back(other.entry);
  return others;
}

std::string release_hint(const LeaseEntry& entry, Names names) {
  const std::string size = to_text(bytes_of(entry).charged);
  const bool leaves = entry.lease.state == LeaseState::releasing;
  if (names == Names::none)
    return fmt::format(fmt::runtime(leaves ? msg::kFitIfUnnamedLeft : msg::kFitIfUnnamedReleased),
                       size);
  if (leaves) return fmt::format(msg::kFitIfLeft, entry.lease.model, size);
  return fmt::format(msg::kFitIfReleasedOne, entry.lease.model, size, state_words(entry));
}

bool is_on_any(const LeaseEntry& entry, const std::vector<std::uint32_t>& places) {
  return std::any_of(entry.uses.begin(), entry.uses.end(), [&](const Use& use) {
    return std::find(places.begin(), places.end(), use.account) != places.end();
  });
}

// Drops from the set each lease without which it fits as well, the hardest to give up first.
void drop_needless(const Hypotheses& what_if, std::vector<const LeaseEntry*>& set, Freed& freed) {
  const auto places = what_if.places(freed);
  for (std::size_t i = set.size(); i-- > 0;) {
    what_if.take_back(freed, *set[i]);
    // A lease on none of the GPUs that would be used needs no trial.
    if ((!places.empty() && !is_on_any(*set[i], places)) || what_if.fits(freed))
      set.erase(set.begin() + static_cast<std::ptrdiff_t>(i));
    else
      what_if.add(freed, *set[i]);
  }
}

// Where no single release is enough: adds leases, the easiest first, until it fits, and then
// drops each that turned out not to be needed. So no member of the set is superfluous.
std::optional<std::string> several_releases(const Hypotheses& what_if,
                                            const std::vector<const LeaseEntry*>& others,
                                            Names how) {
  Freed freed = what_if.nothing();
  std::vector<const LeaseEntry*> set;
  bool fits = false;
  for (std::size_t i = 0; i < others.size() && !fits; ++i) {
    const bool could = what_if.could_help(*others[i], freed);
    what_if.add(freed, *others[i]);
    set.push_back(others[i]);
    fits = could && what_if.fits(freed);
  }
  if (!fits) return std::nullopt;
  drop_needless(what_if, set, freed);
  std::vector<std::string> names;
  Bytes together;
  for (const LeaseEntry* entry : set) {
    names.push_back(entry->lease.model);
    together += bytes_of(*entry).charged;
  }
  if (how == Names::none) return fmt::format(msg::kFitIfUnnamedReleased, to_text(together));
  return fmt::format(msg::kFitIfReleasedMany, fmt::join(names, ", "), to_text(together));
}

void hint_at_binding(const Hypotheses& what_if, std::vector<std::string>& hints) {
  const auto& accounts = what_if.ledger().accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i)
    for (const ForeignProcess& stranger : accounts[i].strangers) {
      const Bytes held = stranger.used.value_or({});
      const LeaseEntry* unbound =
          what_if.could_help(i, held) ? unbound_like(what_if.ledger(), i, held) : nullptr;
      if (!unbound) continue;
      Freed freed = what_if.nothing();
      for (const Use& use : unbound->uses)
        if (use.account == i) freed[i] = std::min(held, use.remainder);
      if (!what_if.fits(freed)) continue;
      const std::string& model = unbound->lease.model;
      hints.push_back(
          fmt::format(msg::kFitIfBound, stranger.pid, to_text(held), model, model, stranger.pid));
      return;
    }
}

// Rounded down, so that whoever asks for just that gets it.
std::string size_to_ask(Bytes most) {
  return most < mib(1) ? fmt::format("{} B", most.value) : fmt::format("{} MiB", most.value >> 20);
}

void hint_at_size(const Hypotheses& what_if, std::vector<std::string>& hints) {
  const Bytes most = what_if.largest_that_fits();
  if (most > Bytes{}) hints.push_back(fmt::format(msg::kFitIfSmaller, size_to_ask(most)));
}

void hint_at_releases(const Hypotheses& what_if, Names names, std::vector<std::string>& hints) {
  const auto others = others_easiest_first(what_if);
  std::size_t found = 0;
  Freed freed = what_if.nothing();
  for (const LeaseEntry* entry : others) {
    if (found == kReleaseHints) return;
    if (!what_if.could_help(*entry, freed)) continue;
    what_if.add(freed, *entry);
    if (what_if.fits(freed)) {
      hints.push_back(release_hint(*entry, names));
      ++found;
    }
    what_if.take_back(freed, *entry);
  }
  if (found > 0) return;
  if (auto several = several_releases(what_if, others, names)) hints.push_back(std::move(*several));
}

void hint_at_strangers(const Hypotheses& what_if, std::vector<std::string>& hints) {
  const auto& accounts = what_if.ledger().accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i) {
    Bytes held;
    for (const ForeignProcess& stranger : accounts[i].strangers) held += stranger.used.value_or({});
    if (held == Bytes{} || !what_if.could_help(i, held)) continue;
    Freed freed = what_if.nothing();
    freed[i] = held;
    if (!what_if.fits(freed)) continue;
    hints.push_back(fmt::format(msg::kFitIfStrangersEnded, accounts[i].index, to_text(held)));
    return;
  }
}

void hint_at_hardware(const Hypotheses& what_if, std::vector<std::string>& hints) {
  if (what_if.growing()) return;
  const auto& shares = what_if.request().shares;
  Bytes most;
  for (const ShareWanted& share : shares) {
    if (!is_auto(share.gpu)) return;
    most = std::max(most, share.bytes + what_if.ledger().policy().context_allowance);
  }
  hints.push_back(shares.size() == 1
                      ? fmt::format(msg::kFitIfAnotherGpu, to_text(most))
                      : fmt::format(msg::kFitIfMoreGpus, shares.size(), to_text(most)));
}

}  // namespace

const LeaseEntry* unbound_like(const Ledger& ledger, std::uint32_t account, Bytes stranger) {
  const LeaseEntry* nearest = nullptr;
  Bytes distance;
  if (stranger == Bytes{}) return nullptr;
  for (const auto& [id, entry] : ledger.entries()) {
    if (entry.lease.holder || entry.lease.state != LeaseState::reserved) continue;
    for (const Use& use : entry.uses) {
      if (use.account != account) continue;
      const Bytes off = std::max(use.declared, stranger) - std::min(use.declared, stranger);
      if (nearest && off >= distance) continue;
      nearest = &entry;
      distance = off;
    }
  }
  return nearest;
}

std::vector<std::string> would_fit_if(const Ledger& ledger, const AssignRequest& request,
                                      const LeaseEntry* growing, Names names) {
  const Hypotheses what_if(ledger, request, growing);
  std::vector<std::string> hints;
  if (names == Names::all) hint_at_binding(what_if, hints);
  hint_at_size(what_if, hints);
  hint_at_releases(what_if, names, hints);
  hint_at_strangers(what_if, hints);
  hint_at_hardware(what_if, hints);
  if (hints.size() > kMostHints) hints.resize(kMostHints);
  return hints;
}

}  // namespace estiva::decide
