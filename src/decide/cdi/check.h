// A CDI spec against the live host: what would fail, or quietly go wrong, when a container is
// started with it. Pure: what is on the host arrives as values. What is not known is not judged.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/cdi.h"
#include "model/driver_files.h"
#include "model/finding.h"
#include "model/readiness.h"

namespace estiva::decide {

struct CdiProblem {
  std::string id;  // of the catalogue: "C8"
  Severity severity = Severity::error;
  std::string device;  // its name in the spec; empty: of all, or of the spec
  std::string place;   // as CdiViolation's, for format::cdi_place_of(); empty: the whole spec
  std::string path;    // on the host, where it is about one
  std::string text;    // a sentence: what is wrong
  friend bool operator==(const CdiProblem&, const CdiProblem&) = default;
};

// What the spec is judged against.
struct CdiHost {
  const std::map<std::string, HostPath>& paths;  // of format::host_paths_of(); a path that is not
                                                 // in it was not looked at
  const DriverFiles& driver;
  std::string_view newest_version;  // format::newest_version_of_engine(); empty: not known
};

// All problems of a valid spec, in the order of its members, the whole spec's first. Ids:
//   C4  its version is newer than the engine reads
//   C7  an index of a GPU in MIG mode; a MIG instance or a GPU's UUID that is gone
//   C8  a mount's source is missing, or is of another driver version than the loaded module
//   C9  a node's frozen major or minor is not the host's
//   C10 a hook is missing or can't be executed
//   C11 a compute device without libcuda, without /dev/nvidia-uvm or without /dev/nvidiactl
//   C12 a node is missing, or belongs to another GPU than the device's name says
//   C13 a mounted socket is gone
//   C15 the chmod hook of old toolkits
//   D11 /dev/nvidia-uvm is missing on the host
//   D12 the host has /dev/nvidia-modeset, and the spec was made before
//   D13 what stands in a node's place is no device
std::vector<CdiProblem> check_cdi(const CdiSpec& spec, const CdiHost& host);

}  // namespace estiva::decide
