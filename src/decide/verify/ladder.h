// The ladder of 'estiva verify': from the PCI device up to a program that computes in a container,
// what was seen on each rung, and what it all means.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/readiness.h"
#include "model/seen.h"

namespace estiva::decide {

enum class RungState : std::uint8_t {
  passed,
  warned,   // it holds, and something about it is not right
  failed,   // what stands above can't work
  skipped,  // not looked at; `seen` says why
};

struct Rung {
  std::string name;  // "driver module"
  RungState state = RungState::skipped;
  std::string seen;    // a sentence or a few words: what was there
  std::string rule;    // the catalogue's id of what is wrong; empty: none, or not known
  std::string remedy;  // a sentence; empty where there is nothing to do
};

enum class LadderVerdict : std::uint8_t {
  usable,    // exit 0
  cpu_only,  // exit 3: it runs, and no GPU computes
  unproven,  // exit 3: the host is fine, and no container could be looked into
  broken,    // exit 1
};

// A container as it was tried or as it runs.
struct ContainerLook {
  bool was_tried = false;
  std::string why_not;   // where it was not: a sentence
  std::string name;      // empty: a container of our own
  std::string asked_by;  // "--device nvidia.com/gpu=all"; empty: it asks for no GPU
  std::string error;     // the engine's words where it did not start
  bool is_running = false;
  Reading<Seen> seen;  // inside
  // Of a running container.
  std::vector<std::string> gpu_processes;  // "ollama (pid 4242), 1.95 GiB on GPU 0"
  bool processes_known = false;            // the driver lists processes, and theirs were looked for
  std::string compute_line;                // Ollama's "inference compute"
  std::string torch;                       // "cuda NVIDIA GeForce ..." or "cpu"; empty: no torch
};

struct Ladder {
  std::vector<Rung> rungs;
  LadderVerdict verdict = LadderVerdict::broken;
  std::string summary;  // a sentence
};

// `findings` are judge_readiness's; `look` may be untried.
Ladder climb(const ReadinessFacts& facts, const std::vector<Finding>& findings,
             const ContainerLook& look);

// The library that Ollama's line names: "cuda", "cpu"; empty: the line has none.
std::string_view library_of(std::string_view compute_line);

std::string_view to_name(RungState state);
std::string_view to_name(LadderVerdict verdict);

}  // namespace estiva::decide
