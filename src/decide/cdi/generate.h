// Makes a CDI spec of the driver's files: which container gets what. Pure and deterministic: the
// same files give the same spec, sorted.
//
// The spec has no hooks. A hook is a program that runs as root in each start of a container, costs
// some 7 ms, and whose absence breaks all of them; what it does can be had by mounts:
//   * Each library is mounted in its own folder under each name that programs ask for: its SONAME
//     and the names of the host's links to it (".so"); libcuda always as libcuda.so too. The file's
//     own name, with the version, only where it is the SONAME, and for libcuda, from whose name
//     programs read the version.
//   * Under these names it is also mounted in both folders that the linkers of images search
//     without a cache: /usr/lib/x86_64-linux-gnu (Debian, Ubuntu) and /usr/lib64 (RHEL, Fedora,
//     SUSE; in an Arch image a link to /usr/lib). An image has its own linker's cache, and nothing
//     rewrites it.
//   * 32-bit libraries are mounted in folders for them alone, never in /usr/lib, which is the
//     folder of the 64-bit ones in an Arch image: there they would cover libcuda.so.1.
//   * Nodes are paths without numbers: the engine looks them up when a container starts. A frozen
//     number of nvidia-uvm is wrong after the next boot, and then cuInit answers 999.
//   * Sockets of daemons only on request: a daemon that stops later would break each container.
// A GPU in MIG mode has no entry as a whole; each instance has one.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "model/cdi.h"
#include "model/driver_files.h"

namespace estiva::decide {

// Compute and utility (nvidia-smi) are always there.
struct CdiCapabilities {
  bool graphics = false;  // OpenGL, EGL, Vulkan, OptiX; the GPUs' DRM nodes
  bool video = false;     // NVENC, NVDEC, optical flow, VDPAU
  bool display = false;   // an X server on the GPU; the DRM nodes
  bool compat32 = false;  // 32-bit programs
};

struct CdiOptions {
  std::string vendor = "nvidia.com", device_class = "gpu";
  CdiCapabilities capabilities;
  bool by_index = true, by_uuid = true;  // "0" and "0:1"; "GPU-..." and "MIG-..."
  bool with_all = true;                  // "all": every one of them
  bool with_sockets = false;
  // That the engine reads. A spec is never of a higher version than its content needs; what would
  // need more than this is left out, and cdi_notes() tells it. Docker 25 and 26 read 0.6.0.
  std::string newest_version = "0.6.0";
};

// An error, and never a spec, where containers could not use the GPU by it: no module, no libcuda
// of the module's version, no /dev/nvidia-uvm, no GPU. The sentence says what to do.
Result<CdiSpec> generate_cdi(const DriverFiles& files, const CdiOptions& options = {});

// What a spec that could be made leaves out, each a sentence. Empty: nothing.
std::vector<std::string> cdi_notes(const DriverFiles& files, const CdiOptions& options = {});

}  // namespace estiva::decide
