// What `estiva top` shows of a status document: which GPUs, which processes, in which order. Pure.
#pragma once
#include <string>

#include "cli/documents.h"

namespace estiva::cli {

struct TopProcess {
  std::uint64_t gpu = 0;  // index
  ProcessRow row;
  // Of the machine, where it is among the largest that the World knows.
  std::optional<double> cpu_cores;
  std::optional<std::uint64_t> resident_bytes;
};

struct TopView {
  GpuDocument gpu;                    // only the GPUs that were asked for
  std::vector<TopProcess> processes;  // in order
  HostRow host;
};

// `sort`: "vram" and "sm" put the largest first, "pid", "model" and "container" the smallest; what
// is unknown or has no name comes last. `gpu`: index or UUID, empty for all.
TopView top_of(StatusDocument document, std::string_view sort, std::string_view gpu);

// {"schema":"estiva/top/1",..,"gpus":[..],"processes":[..],"host":{..}}, without a line end.
std::string top_json(const TopView& view);

// "project/service" of a Compose container, else the container's name.
std::string whose(const ProcessRow& row);

}  // namespace estiva::cli
