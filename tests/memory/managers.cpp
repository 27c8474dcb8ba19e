#include "memory/managers.h"

#include <algorithm>

namespace estiva::memory_sim {

namespace {

double used_share(const Host& host) {
  const auto sample = host.sample();
  return 1 - static_cast<double>(sample.available) / static_cast<double>(sample.total);
}

void add(Host& host, double size) {
  if (const std::uint32_t id = host.make(size)) host.activate(id);
}

}  // namespace

double SeedRule::tick(Host& host) {
  if (!started_)
    add(host, 2.0 * kGiB);
  else if (used_share(host) >= 0.8 && host.reserved() < 16.0 * kGiB)
    add(host, 1.0 * kGiB);
  started_ = true;
  return 30;
}

double SwapspaceRule::tick(Host& host) {
  const auto sample = host.sample();
  const auto total = static_cast<double>(sample.total + sample.swap_total);
  const auto free = static_cast<double>(sample.available + sample.swap_free);
  if (free < 0.2 * total) add(host, (0.3 * total - free) / 0.7);
  return 1;
}

double Oracle::tick(Host& host) {
  if (!started_) add(host, 4.0 * kGiB);
  started_ = true;
  return 1000;
}

double Law::late() {
  noise_ = noise_ * 1664525U + 1013904223U;
  const double part = static_cast<double>(noise_ >> 8) / static_cast<double>(1U << 24);
  return part < 0.002 ? 0.094 : part * 0.005;
}

void Law::apply(Host& host, const decide::memory::Action& action) {
  using decide::memory::ActionKind;
  const auto turn = [this](int direction, unsigned& episodes) {
    if (direction_ != direction) ++episodes;
    direction_ = direction;
  };
  switch (action.kind) {
    case ActionKind::prepare:
      host.make(static_cast<double>(action.size));
      break;
    case ActionKind::activate:
      if (host.activate(action.area)) ++grown, turn(1, grow_episodes);
      break;
    case ActionKind::discard:
      host.remove(action.area);
      break;
    case ActionKind::retire:
      host.remove(action.area), ++retired, turn(-1, shrink_episodes);
      break;
    case ActionKind::ask_unload:
      ++asked;
      break;
    case ActionKind::brake:
      ++braked;
      break;
    case ActionKind::release_brake:
    case ActionKind::none:
      break;
  }
}

double Law::tick(Host& host) {
  ++ticks;
  last = decide::memory::decide_tick(state_, settings_, host.sample(), host.ours());
  for (std::uint32_t i = 0; i < last.action_count; ++i) {
    if (watch) watch(host, last.actions[i]);
    apply(host, last.actions[i]);
  }
  if (last.blocked == decide::memory::Blocked::nothing_swappable && first_blocked < 0)
    first_blocked = host.now();
  const double sleep = static_cast<double>(last.sleep_ns) / 1e9;
  longest_sleep = std::max(longest_sleep, sleep);
  return sleep + late();
}

Outcome run(Host& host, Manager& manager, double seconds, double step) {
  Outcome outcome;
  double due = host.now();
  while (host.now() < seconds) {
    if (host.now() >= due) due = host.now() + manager.tick(host);
    const double calm = std::clamp(due - host.now(), step, std::max(0.05, step));
    host.step(host.is_quiet() ? calm : step);
    outcome.most_reserved = std::max(outcome.most_reserved, host.reserved());
    outcome.most_used = std::max(outcome.most_used, host.swap_used());
    double areas = 0;
    for (const Area& area : host.areas()) areas += area.size > 0 && !area.foreign ? 1 : 0;
    outcome.most_areas = std::max(outcome.most_areas, areas);
    if (host.reserved() > 1.0 * kGiB + 1) outcome.last_above_floor = host.now();
    const auto& hogs = host.hogs();
    if (outcome.filled_at < 0 && !hogs.empty() && host.is_quiet() && hogs[0].held() > kMiB)
      outcome.filled_at = host.now();
  }
  outcome.kills = host.kills();
  return outcome;
}

Hog ramp(double rate, double full, double start, double end) {
  Hog hog;
  hog.wants = [=](double t) {
    return t < start || t >= end ? 0.0 : std::min((t - start) * rate, full);
  };
  return hog;
}

}  // namespace estiva::memory_sim
