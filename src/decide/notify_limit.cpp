#include "decide/notify_limit.h"

#include <utility>

namespace estiva::decide {
namespace {

constexpr Nanoseconds kHour = std::chrono::hours(1);
// Keys come from devices and conditions: more than this many at once is nothing of this machine's.
constexpr std::size_t kMostKeys = 4096;

}  // namespace

bool NotifyLimit::is_worth_it(const std::string& key, HealthState state, SteadyTime now) {
  if (state == HealthState::ok) return open_.count(key) != 0;
  if (state < from_) return false;
  if (const auto open = open_.find(key); open != open_.end() && state <= open->second) return false;
  const auto told = last_.find(key);
  if (told == last_.end()) return last_.size() < kMostKeys;
  const auto same = told->second.find(state);
  return same == told->second.end() || now - same->second >= kSame;
}

bool NotifyLimit::tells(const std::string& key, HealthState state, SteadyTime now) {
  if (!is_worth_it(key, state, now)) return false;
  while (!sent_.empty() && now - sent_.front() >= kHour) sent_.pop_front();
  if (sent_.size() >= per_hour_) {
    ++held_back_;
    if (state == HealthState::ok) open_.erase(key);
    return false;
  }
  sent_.push_back(now);
  if (state == HealthState::ok) {
    open_.erase(key);
  } else {
    open_[key] = state;
    last_[key][state] = now;
  }
  return true;
}

std::uint64_t NotifyLimit::held_back() {
  return std::exchange(held_back_, 0);
}

}  // namespace estiva::decide
