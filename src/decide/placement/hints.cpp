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
      : ledger_(ledger), request_(request), growing_(growing) {}

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

  // What leaves the accounts if the lease goes.
  Freed without(const LeaseEntry& entry) const {
    Freed freed = nothing();
    add(freed, entry);
    return freed;
  }
  void add(Freed& freed, const LeaseEntry& entry) const {
    for (const Use& use : entry.uses) freed[use.account] += std::max(use.charge, use.measured);
  }

  // The largest size of each share that would be granted; nothing where shares differ.
  Bytes largest_that_fits() const {
    if (growing_) return largest_growth();
    std::vector<Bytes> rooms;
    for (const std::uint32_t i : candidates()) rooms.push_back(room_on(ledger_, i, {}));
    std::sort(rooms.rbegin(), rooms.rend());
    const std::size_t n = request_.shares.size();
    if (!all_alike() || rooms.size() < n) return {};
    return rooms[n - 1] - ledger_.policy().context_allowance;
  }

  const Ledger& ledger() const { return ledger_; }
  const AssignRequest& request() const { return request_; }
  const LeaseEntry* growing() const { return growing_; }

 private:
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
      if (ledger_.accounts()[i].usable == Usable::yes) all.push_back(i);
    return all;
  }

  const Ledger& ledger_;
  const AssignRequest& request_;
  const LeaseEntry* growing_;
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
  std::vector<const LeaseEntry*> others;
  for (const auto& [id, entry] : what_if.ledger().entries())
    if (&entry != what_if.growing()) others.push_back(&entry);
  std::stable_sort(others.begin(), others.end(), [](const LeaseEntry* a, const LeaseEntry* b) {
    const int x = reluctance(*a), y = reluctance(*b);
    return x != y ? x < y : bytes_of(*a).charged < bytes_of(*b).charged;
  });
  return others;
}

std::string release_hint(const LeaseEntry& entry) {
  const std::string size = to_text(bytes_of(entry).charged);
  if (entry.lease.state == LeaseState::releasing)
    return fmt::format(msg::kFitIfLeft, entry.lease.model, size);
  return fmt::format(msg::kFitIfReleasedOne, entry.lease.model, size, state_words(entry));
}

// Where no single release is enough: adds leases, the easiest first, until it fits, and then
// drops each that turned out not to be needed. So no member of the set is superfluous.
std::optional<std::string> several_releases(const Hypotheses& what_if,
                                            const std::vector<const LeaseEntry*>& others) {
  const auto freed_by = [&](const std::vector<const LeaseEntry*>& set) {
    Freed freed = what_if.nothing();
    for (const LeaseEntry* entry : set) what_if.add(freed, *entry);
    return freed;
  };
  std::vector<const LeaseEntry*> set;
  for (const LeaseEntry* entry : others) {
    if (what_if.fits(freed_by(set))) break;
    set.push_back(entry);
  }
  if (!what_if.fits(freed_by(set))) return std::nullopt;
  for (std::size_t i = set.size(); i-- > 0;) {
    auto without = set;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    if (what_if.fits(freed_by(without))) set = std::move(without);
  }
  std::vector<std::string> names;
  Bytes together;
  for (const LeaseEntry* entry : set) {
    names.push_back(entry->lease.model);
    together += bytes_of(*entry).charged;
  }
  return fmt::format(msg::kFitIfReleasedMany, fmt::join(names, ", "), to_text(together));
}

void hint_at_binding(const Hypotheses& what_if, std::vector<std::string>& hints) {
  const auto& accounts = what_if.ledger().accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i)
    for (const ForeignProcess& stranger : accounts[i].strangers) {
      const Bytes held = stranger.used.value_or({});
      const LeaseEntry* unbound = unbound_like(what_if.ledger(), i, held);
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

void hint_at_releases(const Hypotheses& what_if, std::vector<std::string>& hints) {
  const auto others = others_easiest_first(what_if);
  std::size_t found = 0;
  for (const LeaseEntry* entry : others) {
    if (found == kReleaseHints) return;
    if (!what_if.fits(what_if.without(*entry))) continue;
    hints.push_back(release_hint(*entry));
    ++found;
  }
  if (found > 0) return;
  if (auto several = several_releases(what_if, others)) hints.push_back(std::move(*several));
}

void hint_at_strangers(const Hypotheses& what_if, std::vector<std::string>& hints) {
  const auto& accounts = what_if.ledger().accounts();
  for (std::uint32_t i = 0; i < accounts.size(); ++i) {
    if (accounts[i].strangers.empty()) continue;
    Freed freed = what_if.nothing();
    for (const ForeignProcess& stranger : accounts[i].strangers)
      freed[i] += stranger.used.value_or({});
    if (!what_if.fits(freed)) continue;
    hints.push_back(fmt::format(msg::kFitIfStrangersEnded, accounts[i].index, to_text(freed[i])));
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
                                      const LeaseEntry* growing) {
  const Hypotheses what_if(ledger, request, growing);
  std::vector<std::string> hints;
  hint_at_binding(what_if, hints);
  hint_at_size(what_if, hints);
  hint_at_releases(what_if, hints);
  hint_at_strangers(what_if, hints);
  hint_at_hardware(what_if, hints);
  if (hints.size() > kMostHints) hints.resize(kMostHints);
  return hints;
}

}  // namespace estiva::decide
