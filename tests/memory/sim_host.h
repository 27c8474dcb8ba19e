// A made-up host for the memory law: RAM, a disk that writes at one rate, swap areas in order of
// priority, and programs that want memory along any curve. It steps through time by itself; whoever
// manages its swap is a Manager. Pages are real numbers of bytes; a step is a millisecond or more.
//
// It keeps what the reference measured: with free swap a program that finds RAM full waits for the
// device; without any it is killed, at once. tests/property/memory_property_test.cpp shows that the
// seed's rule and swapspace's die in it where they died on a real machine.
#pragma once
#include <array>
#include <functional>
#include <vector>

#include "decide/memory/law.h"

namespace estiva::memory_sim {

using decide::memory::kGiB;
using decide::memory::kMiB;

inline constexpr std::size_t kMostSimAreas = 32;

// A program: `wants(t)` bytes at t seconds. It is `locked` (mlock) or not, in a tmpfs or not.
struct Hog {
  std::function<double(double)> wants;
  bool locked = false, tmpfs = false;
  double resident = 0, touched = 0;
  std::array<double, kMostSimAreas> swapped{};
  bool killed = false;
  double held() const;
};

struct Area {
  std::uint32_t id = 0;
  double size = 0, used = 0;
  bool active = false, foreign = false, leaving = false;
  double since = 0;
};

struct HostSpec {
  double ram = 1.0 * kGiB, base = 60.0 * kMiB, cache = 100.0 * kMiB;
  double write_out = 400.0 * kMiB;  // a second
  double touch = 2.4e9;             // bytes a second that one program can fill
  double disk = 400.0 * kGiB, disk_used = 40.0 * kGiB;
  std::function<double(double)> disk_filler;  // bytes that others add by then
  unsigned slots = 23;
};

class Host {
 public:
  explicit Host(HostSpec spec) : spec_(std::move(spec)), cache_(spec_.cache) {}

  std::size_t add(Hog hog);
  // Swap of someone else, active at once.
  std::uint32_t add_foreign(double size);
  void swapoff_foreign(std::uint32_t id);

  // For managers. `make` is 0 where no area is free or the disk is full.
  std::uint32_t make(double size);
  bool activate(std::uint32_t id);
  void remove(std::uint32_t id);  // of ours: swapped off (empty) or never active
  decide::memory::MemorySample sample() const;
  decide::memory::SwapAreas ours() const;

  void step(double seconds);
  bool is_quiet() const { return quiet_; }  // nobody wanted anything in the last step

  double now() const { return now_; }
  unsigned kills() const { return kills_; }
  double swap_used() const;
  double swap_free() const;
  double reserved() const;  // of ours, on disk
  double disk_free() const;
  double waited() const { return waited_; }  // seconds that programs stood still for memory
  const HostSpec& spec() const { return spec_; }
  const std::vector<Area>& areas() const { return areas_; }
  const std::vector<Hog>& hogs() const { return hogs_; }

 private:
  double free_ram() const;
  double swappable() const;
  double make_room(double wanted, double& budget);
  double push_out(double bytes);
  void shrink_to(Hog& hog, double target);
  void give(Hog& hog, double more, double& budget, double seconds);
  void read_back(double seconds, double& budget);
  void kill(Hog& hog);
  void kill_largest();
  Area* find(std::uint32_t id);

  HostSpec spec_;
  std::vector<Hog> hogs_;
  std::vector<Area> areas_;
  double now_ = 0, cache_ = 0, waited_ = 0, swapped_out_ = 0;
  bool quiet_ = true;
  unsigned kills_ = 0;
  std::uint32_t next_id_ = 1;
};

// Who adds and takes away swap. `tick` returns after how many seconds it wants to be called again.
class Manager {
 public:
  virtual ~Manager() = default;
  virtual double tick(Host& host) = 0;
};

}  // namespace estiva::memory_sim
