#include "memory/sim_host.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace estiva::memory_sim {

namespace {

constexpr double kReadBack = 119e6;         // bytes a second that a swapoff moves, measured
constexpr double kLeastCache = 8.0 * kMiB;  // pages that run can't all go

std::uint64_t whole(double bytes) {
  return static_cast<std::uint64_t>(std::max(bytes, 0.0));
}

}  // namespace

double Hog::held() const {
  return resident + std::accumulate(swapped.begin(), swapped.end(), 0.0);
}

std::size_t Host::add(Hog hog) {
  hogs_.push_back(std::move(hog));
  return hogs_.size() - 1;
}

std::uint32_t Host::make(double size) {
  if (areas_.size() == kMostSimAreas) {
    const auto gone =
        std::find_if(areas_.begin(), areas_.end(), [](const Area& area) { return area.size == 0; });
    if (gone == areas_.end() || disk_free() < size) return 0;
    *gone = {next_id_, size, 0, false, false, false, now_};
    return next_id_++;
  }
  if (disk_free() < size) return 0;
  areas_.push_back({next_id_, size, 0, false, false, false, now_});
  return next_id_++;
}

bool Host::activate(std::uint32_t id) {
  unsigned used = 0;
  for (const Area& area : areas_) used += area.active ? 1 : 0;
  Area* area = find(id);
  if (area == nullptr || used >= spec_.slots) return false;
  area->active = true;
  area->since = now_;
  return true;
}

std::uint32_t Host::add_foreign(double size) {
  const std::uint32_t id = make(size);
  find(id)->foreign = true;
  activate(id);
  return id;
}

void Host::swapoff_foreign(std::uint32_t id) {
  find(id)->leaving = true;
}

void Host::remove(std::uint32_t id) {
  if (Area* area = find(id)) *area = Area{};
}

Area* Host::find(std::uint32_t id) {
  for (Area& area : areas_)
    if (area.id == id && area.size > 0) return &area;
  return nullptr;
}

double Host::free_ram() const {
  double taken = spec_.base + cache_;
  for (const Hog& hog : hogs_) taken += hog.resident;
  return spec_.ram - taken;
}

double Host::swappable() const {
  double sum = spec_.base / 2;
  for (const Hog& hog : hogs_)
    if (!hog.locked) sum += hog.resident;
  return sum;
}

double Host::swap_used() const {
  double sum = 0;
  for (const Area& area : areas_)
    if (area.active) sum += area.used;
  return sum;
}

double Host::swap_free() const {
  double sum = 0;
  for (const Area& area : areas_)
    if (area.active && !area.leaving) sum += area.size - area.used;
  return sum;
}

double Host::reserved() const {
  double sum = 0;
  for (const Area& area : areas_)
    if (!area.foreign) sum += area.size;
  return sum;
}

double Host::disk_free() const {
  const double others = spec_.disk_filler ? spec_.disk_filler(now_) : 0;
  return std::max(spec_.disk - spec_.disk_used - others - reserved(), 0.0);
}

// Pages of the programs go to the oldest area that has room, of each as much as its share.
double Host::push_out(double bytes) {
  double resident = 0;
  for (const Hog& hog : hogs_)
    if (!hog.locked) resident += hog.resident;
  bytes = std::min(bytes, resident);
  double moved = 0;
  for (std::size_t i = 0; i < areas_.size() && moved < bytes; ++i) {
    Area& area = areas_[i];
    if (!area.active || area.leaving) continue;
    const double here = std::min(bytes - moved, area.size - area.used);
    if (here <= 0) continue;
    area.used += here;
    for (Hog& hog : hogs_) {
      if (hog.locked) continue;
      const double share = hog.resident / (resident - moved) * here;
      hog.resident -= share;
      hog.swapped[i] += share;
    }
    moved += here;
  }
  swapped_out_ += moved;
  return moved;
}

// Clean pages first, then swap at the device's rate. Returns how much of `wanted` is free now.
double Host::make_room(double wanted, double& budget) {
  double room = std::max(free_ram(), 0.0);
  if (room < wanted) {
    const double dropped = std::min(wanted - room, std::max(cache_ - kLeastCache, 0.0));
    cache_ -= dropped;
    room += dropped;
  }
  if (room < wanted && budget > 0) {
    const double moved = push_out(std::min(wanted - room, budget));
    budget -= moved;
    room += moved;
  }
  return std::min(room, wanted);
}

void Host::shrink_to(Hog& hog, double target) {
  const double held = hog.held();
  if (held <= 0) return;
  const double keep = std::max(target, 0.0) / held;
  hog.resident *= keep;
  for (std::size_t i = 0; i < areas_.size(); ++i) {
    areas_[i].used = std::max(areas_[i].used - hog.swapped[i] * (1 - keep), 0.0);
    if (areas_[i].used < 4096) areas_[i].used = 0;
    hog.swapped[i] *= keep;
  }
}

void Host::kill(Hog& hog) {
  shrink_to(hog, 0);
  hog.killed = true;
  ++kills_;
}

void Host::kill_largest() {
  const auto largest = std::max_element(
      hogs_.begin(), hogs_.end(), [](const Hog& a, const Hog& b) { return a.held() < b.held(); });
  if (largest != hogs_.end() && largest->held() > 0) kill(*largest);
}

void Host::give(Hog& hog, double more, double& budget, double seconds) {
  more = std::min(more, spec_.touch * seconds);
  const double got = make_room(more, budget);
  hog.resident += got;
  if (more - got < 1) return;
  waited_ += seconds * (more - got) / more;
  // Nothing to drop, no page that could go: the kernel gives up on the first that asks.
  const bool stuck = swap_free() < 4096 || swappable() - spec_.base / 2 < 4096;
  if (stuck && got < 1) kill_largest();
}

void Host::read_back(double seconds, double& budget) {
  for (std::size_t i = 0; i < areas_.size(); ++i) {
    Area& area = areas_[i];
    if (!area.leaving) continue;
    const double part = std::min(kReadBack * seconds, area.used);
    const double got = make_room(part, budget);
    if (part > 1 && got < 1 && swap_free() < 4096) kill_largest();
    const double share = area.used > 0 ? std::min(got / area.used, 1.0) : 0;
    for (Hog& hog : hogs_) {
      hog.resident += hog.swapped[i] * share;
      hog.swapped[i] *= 1 - share;
    }
    area.used *= 1 - share;
    if (area.used < 4096) area = Area{};
  }
}

void Host::step(double seconds) {
  now_ += seconds;
  quiet_ = true;
  double budget = spec_.write_out * seconds;
  read_back(seconds, budget);
  for (Hog& hog : hogs_) {
    if (hog.killed) continue;
    const double wants = hog.wants(now_), held = hog.held();
    if (wants < held)
      shrink_to(hog, wants);
    else if (wants > held + 1) {
      give(hog, wants - held, budget, seconds);
      quiet_ = false;
    }
  }
}

decide::memory::MemorySample Host::sample() const {
  decide::memory::MemorySample sample;
  sample.at_ns = static_cast<std::int64_t>(now_ * 1e9);
  sample.total = whole(spec_.ram);
  sample.available = whole(free_ram() + cache_ - kLeastCache);
  sample.swap_free = whole(swap_free());
  sample.swap_total = sample.swap_free + whole(swap_used());
  double anon = spec_.base / 2, shmem = 0, locked = 0;
  for (const Hog& hog : hogs_) {
    (hog.tmpfs ? shmem : anon) += hog.resident;
    if (hog.locked) locked += hog.resident;
  }
  sample.anon = whole(anon);
  sample.shmem = whole(shmem);
  sample.mlocked = sample.unevictable = whole(locked);
  sample.psi_some_us = sample.psi_full_us = sample.psi_io_some_us = whole(waited_ * 1e6);
  sample.psi_full_us = 0;  // the neighbour goes on
  sample.swapped_out = whole(swapped_out_);
  sample.has_psi = sample.has_vmstat = true;
  sample.oom_kills = kills_;
  sample.disk_total = whole(spec_.disk);
  sample.disk_free = whole(disk_free());
  unsigned used = 0;
  for (const Area& area : areas_) used += area.active ? 1 : 0;
  sample.slots_free = spec_.slots - std::min(used, spec_.slots);
  return sample;
}

decide::memory::SwapAreas Host::ours() const {
  decide::memory::SwapAreas ours{};
  std::size_t count = 0;
  for (const Area& area : areas_) {
    if (area.foreign || area.size == 0 || count == ours.size()) continue;
    using decide::memory::AreaState;
    ours[count++] = {area.id, area.active ? AreaState::active : AreaState::prepared,
                     whole(area.size), whole(area.used),
                     static_cast<std::int64_t>(area.since * 1e9)};
  }
  return ours;
}

}  // namespace estiva::memory_sim
