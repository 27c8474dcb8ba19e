// Changes to a machine's driver and kernel that several tests make.
#pragma once
#include "unit/decide/readiness_cases.h"

namespace estiva::decide::driver_changes {

using namespace bases;
using Facts = ReadinessFacts;

inline const std::vector<Base> kHosts = {kDebian, kUbuntu, kRhel, kArch};

inline void say(Facts& facts, const std::string& line) {
  std::vector<std::string> log = *facts.kernel.log;
  log.push_back(line);
  facts.kernel.log = log;
}

// The driver lists no GPU.
inline void hide(Facts& facts) {
  facts.driver.gpus.clear();
  facts.driver.cuda_init = 100;
}

inline KernelFact next_of(const Facts& facts, const std::string& release) {
  KernelFact next = facts.kernel.kernels.back();
  next.release = release;
  next.is_running = false;
  return next;
}

inline void add_next(Facts& facts, const std::function<void(KernelFact&)>& change) {
  const std::string flavour = facts.release.id == "arch"     ? "6.12.9-arch1-1"
                              : facts.release.id == "rhel"   ? "5.14.0-570.1.1.el9_6.x86_64"
                              : facts.release.id == "ubuntu" ? "6.8.0-51-generic"
                                                             : "6.1.0-31-amd64";
  KernelFact next = next_of(facts, flavour);
  change(next);
  facts.kernel.kernels.push_back(next);
}

inline DeviceNode& node(Facts& facts, const std::string& path) {
  facts.driver.odd_nodes.clear();
  for (DeviceNode& one : facts.driver.files.nodes) {
    if (one.path == path) return one;
  }
  return facts.driver.files.nodes.front();
}

inline void drop_node(Facts& facts, const std::string& path) {
  facts.driver.odd_nodes.clear();
  std::erase_if(facts.driver.files.nodes, [&](const DeviceNode& one) { return one.path == path; });
}

inline void drop_uvm(Facts& facts) {
  facts.kernel.majors.erase("nvidia-uvm");
  std::erase_if(facts.kernel.modules,
                [](const ModuleFact& one) { return one.name == "nvidia_uvm"; });
  drop_node(facts, "/dev/nvidia-uvm");
  drop_node(facts, "/dev/nvidia-uvm-tools");
  facts.driver.missing_nodes = {"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"};
  facts.driver.cuda_init = 999;
}

inline void forget_persistence(Facts& facts) {
  facts.driver.persistence_running = false;
  facts.driver.gpus[0].wear.persistence_mode = 0U;
  for (PciFact& one : facts.kernel.pci) one.connectors.clear();
}

inline Change unloaded(const std::function<void(Facts&)>& change) {
  return [=](Facts& facts) {
    unload(facts);
    change(facts);
  };
}

}  // namespace estiva::decide::driver_changes
