// Finds the NVIDIA driver's files on a host, under a root: what a container needs of them. Only
// reads; what can't be found is left empty, and who uses the value says what that means.
// Thread-safe, blocking: not for the loop. Places: the driver's packages of Debian, Ubuntu, RHEL,
// Fedora, Arch, NixOS and WSL, and github.com/NVIDIA/nvidia-container-toolkit, internal/discover.
#pragma once
#include <string>
#include <vector>

#include "host/files.h"
#include "model/driver_files.h"
#include "model/gpu.h"

namespace estiva::host {

// `known`: what the driver's library says, where it was asked. It completes procfs, which has no
// UUID before a client has initialised the GPU, and of a MIG device neither UUID nor place, ever.
DriverFiles find_driver_files(const Root& root, const std::vector<Gpu>& known = {});

// The parts of it.
struct DriverLibraries {
  std::string library_version;
  std::vector<std::string> versions;
  std::vector<DriverLibrary> libraries;
};
DriverLibraries find_driver_libraries(const Root& root, const std::string& module_version);
// By index. Where the driver's library was not asked the order is that of the PCI addresses.
std::vector<DriverGpu> find_driver_gpus(const Root& root, const std::vector<Gpu>& known = {});
std::vector<DeviceNode> find_driver_nodes(const Root& root, const std::vector<DriverGpu>& gpus);
std::vector<std::string> find_driver_binaries(const Root& root);
std::vector<std::string> find_driver_firmware(const Root& root, const std::string& version);
std::vector<std::string> find_driver_configs(const Root& root);
std::vector<std::string> find_driver_sockets(const Root& root);
// Of the loaded module; empty: none is loaded.
std::string read_module_version(const Root& root);

}  // namespace estiva::host
