// The managers that are compared in the simulation: ours, the seed's rule, swapspace's, and swap
// from the start. And the run of one experiment.
#pragma once
#include <memory>

#include "memory/sim_host.h"

namespace estiva::memory_sim {

// The seed: 2 GiB from the start; each 30 s 1 GiB more where 80 % of RAM are used; 16 GiB at most.
class SeedRule final : public Manager {
 public:
  double tick(Host& host) override;

 private:
  bool started_ = false;
};

// swapspace 1.18: each second; below 20 % free of RAM and swap a file that makes it 30 %.
class SwapspaceRule final : public Manager {
 public:
  double tick(Host& host) override;
};

// 4 GiB from the start.
class Oracle final : public Manager {
 public:
  double tick(Host& host) override;

 private:
  bool started_ = false;
};

// The law, in a loop that is late as loops are: by up to 5 ms, and once in a while by 94 ms.
class Law final : public Manager {
 public:
  explicit Law(decide::memory::LawSettings settings = {}) : settings_(settings) {}
  double tick(Host& host) override;

  // Called with each action before it is done.
  std::function<void(const Host&, const decide::memory::Action&)> watch;
  decide::memory::Decision last;
  unsigned grown = 0, retired = 0, grow_episodes = 0, shrink_episodes = 0, ticks = 0;
  unsigned asked = 0, braked = 0;
  double first_blocked = -1;  // when nothing_swappable was said first
  double longest_sleep = 0;

 private:
  void apply(Host& host, const decide::memory::Action& action);
  double late();
  decide::memory::LawSettings settings_;
  decide::memory::LawState state_;
  std::uint32_t noise_ = 12345;
  int direction_ = 0;
};

struct Outcome {
  unsigned kills = 0;
  double filled_at = -1;  // when the first program had all it wanted; -1: never
  double most_reserved = 0, most_used = 0, most_areas = 0;
  double last_above_floor = 0;  // the last moment with more than 1 GiB of ours
};

// Runs to `seconds`, in steps of `step`; quiet times in steps of up to 50 ms.
Outcome run(Host& host, Manager& manager, double seconds, double step = 0.001);

// `full` bytes at `rate` bytes a second from `start`, held until `end`.
Hog ramp(double rate, double full, double start, double end);

}  // namespace estiva::memory_sim
