// A tiny model of GPUs and processes for the schedules, sharing no code with src/decide: who holds
// how many bytes where, deaths whose memory lingers, and pids that are given again.
#pragma once
#include <array>
#include <cstdint>
#include <sys/types.h>
#include <vector>

#include "rng.h"

namespace estiva::property {

using estiva::test::Rng;

inline constexpr int kMostGpus = 4;
inline constexpr int kNobody = -1;
template <class T>
using PerGpu = std::array<T, kMostGpus>;

struct Process {
  pid_t pid = 0;
  std::uint64_t start = 0;
  int parent = kNobody;
  bool alive = true;
  bool listed = true;  // false: dead, and the driver has noticed
  PerGpu<std::uint64_t> held{};
};

class GpuModel {
 public:
  GpuModel(int gpus, Rng& rng);

  int gpus() const { return gpus_; }
  std::uint64_t capacity(int gpu) const { return capacity_[gpu]; }
  std::uint64_t used(int gpu) const;
  bool lost(int gpu) const { return lost_[gpu]; }
  void set_lost(int gpu, bool lost) { lost_[gpu] = lost; }

  const std::vector<Process>& processes() const { return processes_; }
  const Process& process(int id) const { return processes_[id]; }
  // A pid that a dead process left is given again where `reuse` asks for it and there is one.
  int spawn(int parent, bool reuse);
  // False: out of memory, nothing was taken.
  bool allocate(int id, int gpu, std::uint64_t bytes);
  void free_some(int id, int gpu, std::uint64_t bytes);
  // What a process and its children hold on a GPU; and taking that down to `most`.
  std::uint64_t held_by_family(int root, int gpu) const;
  void shrink_family(int root, int gpu, std::uint64_t most);
  // Dead at once; its memory leaves the GPU now or, with `lingers`, at later calls of settle():
  // first its pid leaves the list, then the bytes fall.
  void kill(int id, bool lingers);
  void settle();
  void reboot();

 private:
  int gpus_;
  PerGpu<std::uint64_t> capacity_{}, lingering_{};
  PerGpu<bool> lost_{};
  std::vector<Process> processes_;
  std::vector<pid_t> free_pids_;
  pid_t next_pid_ = 100;
  std::uint64_t next_start_ = 1;
};

}  // namespace estiva::property
