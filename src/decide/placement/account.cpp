// The arithmetic of one GPU's account. docs/placement.md derives it.
#include "decide/placement/account.h"

#include <algorithm>

namespace estiva::decide {

namespace {

Bytes committed_here(const GpuAccount& account) {
  if (account.exact) return std::max(account.used, account.measured) + account.remainder;
  // F can't be more than what is in use now.
  return std::max(account.used, account.charges + std::min(account.foreign, account.used));
}

// What others have to leave alone, and no look at the RAM can show them.
Bytes held_back(const GpuAccount& account) {
  return committed_here(account) - account.used + account.credit_pending +
         (account.foreign_held - account.foreign);
}

// The highest of the window, with the value of now noted.
Bytes highest_of(std::vector<ForeignPeak>& peaks, Bytes now, SteadyTime at, Nanoseconds window) {
  std::erase_if(peaks, [&](const ForeignPeak& p) { return at - p.at > window; });
  if (window <= Nanoseconds::zero()) peaks.clear();
  // Only falling peaks matter: an older, lower one can never be the highest again.
  while (!peaks.empty() && peaks.back().bytes <= now) peaks.pop_back();
  if (peaks.size() >= kPeaksKept) {
    // Full: the lowest takes over the newest time, which holds it a little longer than needed.
    peaks.back().at = at;
  } else {
    peaks.push_back({at, now});
  }
  return std::max(peaks.front().bytes, now);
}

}  // namespace

Bytes committed(const GpuAccount& account) {
  return committed_here(account) + account.elsewhere;
}

void share_unified_memory(std::vector<GpuAccount>& accounts) {
  Bytes all;
  for (const GpuAccount& account : accounts)
    if (account.unified) all += held_back(account);
  for (GpuAccount& account : accounts)
    account.elsewhere = account.unified ? all - held_back(account) : Bytes{};
}

void add_credit(GpuAccount& account, Bytes bytes, SteadyTime at) {
  constexpr std::size_t kMostCredits = 64;
  if (bytes == Bytes{}) return;
  account.credit_pending += bytes;
  if (account.credits.size() < kMostCredits) {
    account.credits.push_back({at, bytes});
  } else {  // beyond that the last ones wait together
    account.credits.back().at = at;
    account.credits.back().bytes += bytes;
  }
}

void settle_credits(GpuAccount& account, SteadyTime begun_at) {
  std::erase_if(account.credits, [&](const Credit& credit) {
    if (credit.at > begun_at) return false;
    account.credit_pending -= credit.bytes;
    return true;
  });
}

bool takes_more(const GpuAccount& account) {
  return account.usable == Usable::yes && account.unfit.empty();
}

Bytes admissible(const GpuAccount& account, const PlacementPolicy& policy, Bytes freed) {
  if (!takes_more(account)) return {};
  Bytes taken = committed(account) + policy.margin + account.credit_pending;
  // The peak of foreign memory over the window counts as if it were in use.
  taken += account.foreign_held - account.foreign;
  return account.capacity - (taken - freed);
}

void note_foreign(GpuAccount& account, Bytes foreign, SteadyTime at, Nanoseconds window) {
  account.foreign = foreign;
  account.foreign_held = highest_of(account.peaks, foreign, at, window);
}

void note_desktop(GpuAccount& account, SteadyTime at, const PlacementPolicy& policy) {
  const Bytes highest =
      highest_of(account.desktop_peaks, account.desktop, at, policy.desktop_window);
  account.desktop_held = highest > Bytes{} ? highest + policy.desktop_reserve : Bytes{};
  account.foreign_held =
      std::max(account.foreign_held, account.foreign - account.desktop + account.desktop_held);
}

}  // namespace estiva::decide
