// The simulated machine in a file that other processes map: DIR/machine.
#pragma once
#include <string>

#include "sim/core/engine.h"

namespace estiva::sim {

// Owns the mapping and the file's name; the file is removed at the end, so that clients which come
// later see a machine without a driver.
class MachineFile {
 public:
  MachineFile() = default;
  ~MachineFile();
  MachineFile(const MachineFile&) = delete;
  MachineFile& operator=(const MachineFile&) = delete;

  // Makes DIR if need be, and the file anew (under another name first: a client never sees half a
  // machine). Returns what went wrong, or nothing.
  std::string create(const std::string& dir, const Scenario& scenario);
  State& state() { return *state_; }

 private:
  std::string path_;
  State* state_ = nullptr;
};

}  // namespace estiva::sim
