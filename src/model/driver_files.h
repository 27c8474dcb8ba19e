// The driver's files on a host, as found under a root: what a container needs of them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace estiva {

struct DriverLibrary {
  std::string path;    // the file itself, no link: "/usr/lib/x86_64-linux-gnu/lib...so.550.163.01"
  std::string soname;  // DT_SONAME; empty: none
  std::vector<std::string> links;  // host paths of symbolic links that end at it, by name
  bool is_32bit = false;
  unsigned machine = 0;  // ELF's e_machine: 62 x86-64, 183 aarch64, 3 i386; 0: not read
  friend bool operator==(const DriverLibrary&, const DriverLibrary&) = default;
};

struct DeviceNode {
  std::string path;
  unsigned major = 0, minor = 0;
  mode_t mode = 0;  // permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  friend bool operator==(const DeviceNode&, const DeviceNode&) = default;
};

// A MIG instance of a GPU.
struct DriverMig {
  std::string uuid;               // "MIG-..."
  std::string index;              // "0:1": GPU index and place
  std::vector<std::string> caps;  // the /dev/nvidia-caps nodes of its GPU and compute instance
  friend bool operator==(const DriverMig&, const DriverMig&) = default;
};

struct DriverGpu {
  std::string bus_id;  // "0000:01:00.0"
  unsigned index = 0;  // NVML's order
  unsigned minor = 0;
  std::string uuid;                      // empty where only the driver's library could say it
  std::vector<std::string> drm;          // "/dev/dri/card1", "/dev/dri/renderD128"
  std::vector<std::string> drm_by_path;  // "/dev/dri/by-path/pci-0000:01:00.0-card"
  bool mig_enabled = false;
  std::vector<DriverMig> migs;
  friend bool operator==(const DriverGpu&, const DriverGpu&) = default;
};

struct DriverFiles {
  std::string module_version;  // of the loaded module; empty: not loaded
  // What programs of the host get: of the file that libcuda.so.1 (or, without one,
  // libnvidia-ml.so.1) leads to. Empty: there is none, or its name says no version (WSL).
  std::string library_version;
  std::vector<std::string> versions;  // of each libcuda and libnvidia-ml that is there, sorted
  std::vector<DriverGpu> gpus;        // by index
  // /dev/nvidia*, the caps, /dev/dxg and the GPUs' DRM nodes, that exist; by path. In a tree an
  // ordinary file stands for a node (numbers 0).
  std::vector<DeviceNode> nodes;
  // By path. Of the module's version where there are any, else of library_version. In WSL all of
  // /usr/lib/wsl/lib.
  std::vector<DriverLibrary> libraries;
  std::vector<std::string> binaries;  // nvidia-smi and its kin
  std::vector<std::string> firmware;  // gsp*.bin
  std::vector<std::string> configs;   // EGL vendor, OpenCL and Vulkan ICDs
  std::vector<std::string> sockets;   // of persistenced, fabric manager, MPS; that exist now
  friend bool operator==(const DriverFiles&, const DriverFiles&) = default;
};

}  // namespace estiva
