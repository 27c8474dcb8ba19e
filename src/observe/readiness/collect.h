// Everything that decides whether GPUs reach containers, gathered once: the machine's files and
// processes, the engine's answers, the driver's word. What can't be seen is named in `not_seen` and
// missing where it belongs; nothing of it is an error.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "base/error.h"
#include "container/engine_facts.h"
#include "gpu/cuda_probe.h"
#include "gpu/sensor_view.h"
#include "host/files.h"
#include "model/readiness.h"
#include "observe/readiness/cdi.h"

namespace estiva::observe {

struct ReadinessSources {
  // "/", or a folder. In a folder no program is run and nobody is asked: the engine's answers are
  // those in its folder docker/, the GPUs those of its gpus.json, CUDA's word that of its `cuda`.
  std::string root = "/";
  container::EngineSearch engine;
  std::chrono::milliseconds engine_time{2'000};  // for all questions to the engine together
  container::EngineQuestions questions;          // keeps_line: which lines of logs are wanted
  gpu::SensorOptions gpus;  // a library or a machine named here is asked also in a folder
  std::chrono::milliseconds gpu_time{5'000};
  gpu::CudaProbe cuda;
  bool asks_cuda = true;
  // Copies of daemon.json from before it was changed, the best first (estiva's own).
  std::vector<std::string> settings_before;
  // Compose files that are looked at beside those that containers came from; absolute paths.
  std::vector<std::string> compose_files;
  ParseCdi parse_cdi;  // format::read_cdi_file
  // host::find_driver_files, with the GPUs that the driver named.
  std::function<DriverFiles(const host::Root& root, const std::vector<Gpu>& gpus)> driver_files;

  static ReadinessSources of_this_process(std::string root = "/");
};

// Blocking: as long as its slowest source, each of which has its limit; they run side by side.
// Errors: only a root that can't be opened.
Result<ReadinessFacts> collect_readiness(const ReadinessSources& sources);

}  // namespace estiva::observe
