// A container for once: made from an empty root file system of our own (no image is pulled), with
// the GPU asked for as a user would ask, and removed again. What the engine says when it fails is
// the text that the user would meet.
#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/readiness.h"
#include "net/address.h"

namespace estiva::container {

struct ProbeRun {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<DeviceRequest> requests;
  bool is_podman = false;  // is asked by its own API, which takes CDI names among the devices
  std::string runtime;     // "nvidia"; empty: the engine's default
  // Files and folders of the host, read-only: path there, path inside.
  std::vector<std::pair<std::string, std::string>> mounts;
  std::chrono::milliseconds limit{30'000};  // for all of it but the removal
};

struct ProbeEnd {
  enum class Step { image, create, start, ran };  // how far it came
  Step step = Step::image;
  std::string error;  // the engine's own words; empty where it ran to its end
  int exit_code = 0;  // of the command; only where it ran
  std::string output;
};

// Blocking. Errors: only where the engine can't be spoken to, or does not answer in time; what it
// refuses is in ProbeEnd. Whatever happens the container and its image are removed; what an earlier
// run left behind (it was killed) is removed first, by its label.
Result<ProbeEnd> run_probe_container(const net::Endpoint& engine, const ProbeRun& run);

// A tar archive of empty folders, as `docker import` takes it. Exposed for tests.
std::string tar_of_folders(const std::vector<std::string>& names);

}  // namespace estiva::container
