// Laptops and workstations with two GPUs: which one draws the desktop, which computes, what keeps
// the NVIDIA one awake, and who of the desktop holds its memory.
#pragma once
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/units.h"
#include "model/readiness.h"

namespace estiva::decide {

enum class GpuPower : std::uint8_t { unknown, asleep, awake, always_on };

struct DisplayGpu {
  std::string bus_id;
  std::string name;  // NVML's, else the maker and the PCI numbers
  bool is_nvidia = false;
  bool draws = false;                // the desktop's screens hang on it
  bool computes = false;             // NVIDIA's driver holds it
  std::vector<std::string> screens;  // "eDP-1"
  GpuPower power = GpuPower::unknown;
  std::vector<std::string> awake_because;  // sentences; only of an NVIDIA GPU that does not sleep
};

// A process of the desktop (a graphics context and no compute one) on an NVIDIA GPU.
struct VramHolder {
  pid_t pid = 0;
  std::string name;
  std::string device;  // the GPU's UUID
  Reading<Bytes> bytes;
};

struct DisplayReport {
  std::vector<DisplayGpu> gpus;     // by bus id
  std::vector<VramHolder> holders;  // the largest first
  bool is_hybrid = false;           // an NVIDIA GPU and one of another maker
  std::vector<std::string> advice;  // sentences with what to do
};

DisplayReport look_at_displays(const ReadinessFacts& facts);

std::string_view to_name(GpuPower power);

}  // namespace estiva::decide
