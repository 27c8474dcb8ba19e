#include "property/gpu_model.h"

#include <algorithm>

namespace estiva::property {

GpuModel::GpuModel(int gpus, Rng& rng) : gpus_(gpus) {
  for (int g = 0; g < gpus; ++g) capacity_[g] = (4 + rng.below(5)) * 1000;
}

std::uint64_t GpuModel::used(int gpu) const {
  std::uint64_t sum = lingering_[gpu];
  for (const Process& process : processes_)
    if (process.listed) sum += process.held[gpu];
  return sum;
}

int GpuModel::spawn(int parent, bool reuse) {
  Process born;
  if (reuse && !free_pids_.empty()) {
    born.pid = free_pids_.back();
    free_pids_.pop_back();
  } else {
    born.pid = next_pid_++;
  }
  born.start = next_start_++;
  born.parent = parent;
  processes_.push_back(born);
  return static_cast<int>(processes_.size()) - 1;
}

bool GpuModel::allocate(int id, int gpu, std::uint64_t bytes) {
  if (used(gpu) + bytes > capacity_[gpu]) return false;
  processes_[id].held[gpu] += bytes;
  return true;
}

void GpuModel::free_some(int id, int gpu, std::uint64_t bytes) {
  processes_[id].held[gpu] -= std::min(bytes, processes_[id].held[gpu]);
}

std::uint64_t GpuModel::held_by_family(int root, int gpu) const {
  std::uint64_t sum = 0;
  for (std::size_t id = 0; id < processes_.size(); ++id)
    if (static_cast<int>(id) == root || processes_[id].parent == root)
      sum += processes_[id].held[gpu];
  return sum;
}

void GpuModel::shrink_family(int root, int gpu, std::uint64_t most) {
  if (root == kNobody) return;
  std::uint64_t held = held_by_family(root, gpu);
  for (std::size_t id = 0; id < processes_.size() && held > most; ++id) {
    const Process& process = processes_[id];
    if (static_cast<int>(id) != root && process.parent != root) continue;
    free_some(static_cast<int>(id), gpu, std::min(process.held[gpu], held - most));
    held = held_by_family(root, gpu);
  }
}

void GpuModel::kill(int id, bool lingers) {
  Process& dead = processes_[id];
  if (!dead.alive) return;
  dead.alive = false;
  if (lingers) return;
  dead.listed = false;
  dead.held = {};
  free_pids_.push_back(dead.pid);
}

void GpuModel::settle() {
  lingering_ = {};
  for (Process& process : processes_) {
    if (process.alive || !process.listed) continue;
    process.listed = false;
    for (int g = 0; g < gpus_; ++g) lingering_[g] += process.held[g];
    process.held = {};
    free_pids_.push_back(process.pid);
  }
}

void GpuModel::reboot() {
  for (std::size_t id = 0; id < processes_.size(); ++id) kill(static_cast<int>(id), false);
  settle();
  lingering_ = {};
}

}  // namespace estiva::property
