#include "memory/memory_referee.h"

#include <algorithm>
#include <fmt/format.h>

namespace estiva::memory_sim {

namespace {

using decide::memory::ActionKind;

double active(const Host& host) {
  double sum = 0;
  for (const Area& area : host.areas()) sum += area.active && !area.foreign ? area.size : 0;
  return sum;
}

// The sentence of the sizing law, written again: 3 x RAM, an eighth of the volume, and what must
// stay free; on a small disk 2 GiB down to a tenth.
double allowed(const Host& host) {
  const HostSpec& spec = host.spec();
  const double without_us = host.disk_free() + host.reserved();
  const double large =
      std::min({3 * spec.ram, spec.disk / 8, without_us - std::max(spec.disk / 10, 20.0 * kGiB)});
  const double small = std::min(2.0 * kGiB, without_us - spec.disk / 10);
  return std::max({large, small, 0.0});
}

}  // namespace

MemoryReferee::MemoryReferee(Law& law, double floor) : floor_(floor) {
  law.watch = [this](const Host& host, const decide::memory::Action& action) {
    judge(host, action);
  };
}

void MemoryReferee::say(const Host& host, const std::string& what) {
  if (broken_.size() < 20) broken_.push_back(fmt::format("at {:.3f} s: {}", host.now(), what));
}

void MemoryReferee::judge_prepare(const Host& host, double size) {
  if (size <= 0) say(host, "a file of nothing");
  if (host.reserved() + size > allowed(host) + 1) say(host, "more than may ever be taken");
  const auto is_ours = [](const Area& area) { return area.size > 0 && !area.foreign; };
  if (std::count_if(host.areas().begin(), host.areas().end(), is_ours) >= 8)
    say(host, "a ninth area");
}

void MemoryReferee::judge_retire(const Host& host, std::uint32_t id) {
  const auto it = std::find_if(host.areas().begin(), host.areas().end(),
                               [&](const Area& area) { return area.id == id; });
  if (it == host.areas().end() || !it->active) return say(host, "retires what is not active");
  if (it->foreign) say(host, "retires someone else's swap");
  if (it->used >= 1.0 * kMiB) say(host, "retires an area with pages in it");
  if (active(host) - it->size < std::min(floor_, allowed(host)) - kMiB)
    say(host, "retires below the floor");
  const auto sample = host.sample();
  const double left = static_cast<double>(sample.available) + host.swap_free() - it->size;
  if (left < 0.1 * host.spec().ram) say(host, "retires what is needed");
}

void MemoryReferee::judge(const Host& host, const decide::memory::Action& action) {
  if (action.kind == ActionKind::prepare) judge_prepare(host, static_cast<double>(action.size));
  if (action.kind == ActionKind::retire) judge_retire(host, action.area);
}

}  // namespace estiva::memory_sim
